/** The typed client of the main process. The preload script puts it on the window; nothing else reaches out. */
import type {
  ChannelName,
  ChannelReply,
  ChannelRequest,
  WindowEvent,
  WindowEventName,
} from '../../electron/contract/channels.ts';
import type { FailureView } from '../../electron/contract/views.ts';

/** A failure as the window knows it; the same fields as in the workflows' Result. */
export type Answer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: FailureView };

export interface Bridge {
  call<Name extends ChannelName>(name: Name, request: ChannelRequest<Name>): Promise<Answer<ChannelReply<Name>>>;
  /** @returns a function that ends the listening */
  on<Name extends WindowEventName>(name: Name, listener: (event: WindowEvent<Name>) => void): () => void;
}

declare global {
  interface Window {
    readonly custodian?: Bridge;
  }
}

/** Where a window was opened without its preload script: every call says so. */
const unconnected: Bridge = {
  call: () =>
    Promise.resolve({
      ok: false,
      error: {
        code: 'App_Internal',
        message: 'This window is not connected to the app.',
        next: 'Close the window and open it again from the app.',
      },
    }),
  on: () => () => undefined,
};

export function getBridge(): Bridge {
  return window.custodian ?? unconnected;
}
