/** The prompt window's client: the five calls of its own tiny contract. */
import type { PromptChannelName, PromptChannelReply, PromptChannelRequest } from '../../electron/contract/prompt.ts';
import type { FailureView } from '../../electron/contract/views.ts';

export type PromptAnswer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: FailureView };

export interface PromptBridge {
  call<Name extends PromptChannelName>(
    name: Name,
    request: PromptChannelRequest<Name>,
  ): Promise<PromptAnswer<PromptChannelReply<Name>>>;
}

declare global {
  interface Window {
    readonly custodianPrompt?: PromptBridge;
  }
}

export const unconnectedPrompt: FailureView = {
  code: 'App_Internal',
  message: 'This prompt is not connected to the app.',
  next: 'Close it and begin the step again.',
};

export function getPromptBridge(): PromptBridge {
  return window.custodianPrompt ?? { call: () => Promise.resolve({ ok: false, error: unconnectedPrompt }) };
}
