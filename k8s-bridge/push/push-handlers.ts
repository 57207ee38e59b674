import { success } from '../../electron/workflows/failures.ts';
import { handle, type ClusterHostParts, type Handlers } from '../handler.ts';
import { clusterHostRequests } from '../protocol.ts';
import { applyPush } from './apply.ts';
import { forgetKept } from './kept-secrets.ts';
import { checkDrift, lookAtPush } from './look.ts';
import { preparePush } from './prepare.ts';
import { previewPush } from './preview.ts';
import { lookAtRollouts } from './rollouts.ts';
import { undoPush } from './undo.ts';

export type PushMethod =
  | 'push.preview'
  | 'push.prepare'
  | 'push.apply'
  | 'push.look'
  | 'push.rollouts'
  | 'push.undo'
  | 'push.forget-kept'
  | 'push.drift';

const requests = clusterHostRequests;

/** What is pushed to a cluster, shown first, kept, and taken back: one handler per request of the protocol. */
export function createPushHandlers({ kubectl, opener }: ClusterHostParts): Handlers<PushMethod> {
  return {
    'push.preview': handle<'push.preview'>(requests['push.preview'].request, ({ pin, allowed, content }) =>
      previewPush({ kubectl, pin, allowed }, content),
    ),
    'push.prepare': handle<'push.prepare'>(requests['push.prepare'].request, ({ pin, allowed, content, pushId }) =>
      preparePush({ kubectl, pin, allowed }, content, pushId),
    ),
    'push.apply': handle<'push.apply'>(
      requests['push.apply'].request,
      async ({ allowed, record, takeOverConflicts, secrets }) => {
        const call = { kubectl, pin: record.cluster, allowed };
        const applied = await applyPush(call, opener, record, { takeOverConflicts, secrets });
        return applied.ok ? success({ outcomes: [...applied.value] }) : applied;
      },
    ),
    'push.look': handle<'push.look'>(requests['push.look'].request, async ({ allowed, record }) => {
      const looked = await lookAtPush({ kubectl, pin: record.cluster, allowed }, record);
      return looked.ok ? success({ outcomes: [...looked.value] }) : looked;
    }),
    'push.rollouts': handle<'push.rollouts'>(
      requests['push.rollouts'].request,
      async ({ pin, allowed, references }) => {
        const looked = await lookAtRollouts({ kubectl, pin, allowed }, references);
        return looked.ok ? success({ rollouts: [...looked.value] }) : looked;
      },
    ),
    'push.undo': handle<'push.undo'>(requests['push.undo'].request, async ({ allowed, record }) => {
      const undone = await undoPush({ kubectl, pin: record.cluster, allowed }, record);
      return undone.ok ? success({ outcomes: [...undone.value] }) : undone;
    }),
    'push.forget-kept': handle<'push.forget-kept'>(requests['push.forget-kept'].request, ({ allowed, record }) =>
      forgetKept({ kubectl, pin: record.cluster, allowed }, record),
    ),
    'push.drift': handle<'push.drift'>(requests['push.drift'].request, async ({ allowed, record }) => {
      const drift = await checkDrift({ kubectl, pin: record.cluster, allowed }, record);
      return drift.ok ? success({ drift: [...drift.value] }) : drift;
    }),
  };
}
