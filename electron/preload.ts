/**
 * The main window's only way out: calls and events of the contract, by name, and nothing else. Runs in a
 * sandboxed renderer in a world of its own; bundled to a single file, since a sandboxed preload script
 * can require nothing but Electron.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { channelNames, exposedNames, windowEventNames, wirePrefix } from './contract/channel-names.ts';

const unknownName = {
  ok: false,
  error: {
    code: 'App_BadRequest',
    message: 'The window asked for something that does not exist.',
    next: 'Restart the app. If it happens again, report it.',
  },
} as const;

contextBridge.exposeInMainWorld(exposedNames.main, {
  call(name: unknown, request: unknown): Promise<unknown> {
    if (typeof name !== 'string' || !channelNames.has(name)) return Promise.resolve(unknownName);
    return ipcRenderer.invoke(`${wirePrefix.main}${name}`, request);
  },
  /** @returns a function that ends the listening */
  on(event: unknown, listener: unknown): () => void {
    if (typeof event !== 'string' || !windowEventNames.has(event) || typeof listener !== 'function') return () => {};
    // The event object carries the sender and its ports; only the payload goes on.
    const forward = (_event: unknown, payload: unknown): void => {
      Reflect.apply(listener, undefined, [payload]);
    };
    const wireName = `${wirePrefix.main}${event}`;
    ipcRenderer.on(wireName, forward);
    return () => {
      ipcRenderer.removeListener(wireName, forward);
    };
  },
});
