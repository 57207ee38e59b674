import { clusterHostRequests } from '../protocol.ts';
import { failure } from '../../electron/workflows/failures.ts';
import { handle, type ClusterHostParts, type Handler, type Handlers } from '../handler.ts';
import { previewPush } from './preview.ts';

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
export function createPushHandlers({ kubectl }: ClusterHostParts): Handlers<PushMethod> {
  return {
    'push.preview': handle<'push.preview'>(clusterHostRequests['push.preview'].request, ({ pin, allowed, content }) =>
      previewPush({ kubectl, pin, allowed }, content),
    ),
    'push.prepare': refuse,
    'push.apply': refuse,
    'push.look': refuse,
    'push.rollouts': refuse,
    'push.undo': refuse,
    'push.forget-kept': refuse,
    'push.drift': refuse,
  };
}
