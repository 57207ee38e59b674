/**
 * The prompt window's only way out: the five calls of the prompt contract. Secrets are sealed in the page
 * before they come through here, and sealed to the page before they come back.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { exposedNames, promptChannelNames, wirePrefix } from './contract/channel-names.ts';

const unknownName = {
  ok: false,
  error: {
    code: 'App_BadRequest',
    message: 'The prompt asked for something that does not exist.',
    next: 'Cancel and begin the step again.',
  },
} as const;

contextBridge.exposeInMainWorld(exposedNames.prompt, {
  call(name: unknown, request: unknown): Promise<unknown> {
    if (typeof name !== 'string' || !promptChannelNames.has(name)) return Promise.resolve(unknownName);
    return ipcRenderer.invoke(`${wirePrefix.prompt}${name}`, request);
  },
});
