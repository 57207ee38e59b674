import { failure } from '../../electron/workflows/failures.ts';
import type { ClusterHostParts, Handler, Handlers } from '../handler.ts';

export type PushMethod =
  | 'push.preview'
  | 'push.prepare'
  | 'push.apply'
  | 'push.look'
  | 'push.rollouts'
  | 'push.undo'
  | 'push.forget-kept'
  | 'push.drift';

const refuse: Handler = async () =>
  failure('App_Internal', 'This part of the program is not there yet.', 'Use a later version.');

/** What is pushed to a cluster, shown first, kept, and taken back: one handler per request of the protocol. */
export function createPushHandlers(_parts: ClusterHostParts): Handlers<PushMethod> {
  return {
    'push.preview': refuse,
    'push.prepare': refuse,
    'push.apply': refuse,
    'push.look': refuse,
    'push.rollouts': refuse,
    'push.undo': refuse,
    'push.forget-kept': refuse,
    'push.drift': refuse,
  };
}
