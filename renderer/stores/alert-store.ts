/**
 * Failures of actions and short confirmations, shown over the page. They stay until they are dismissed; a failure goes
 * with the page that it was told on, too.
 */
import { create, type StoreApi, type UseBoundStore } from 'zustand';
import type { ChannelName, ChannelReply, ChannelRequest } from '../../electron/contract/channels.ts';
import type { FailureView } from '../../electron/contract/views.ts';
import { getBridge } from '../bridge/bridge.ts';
import { pageKey, useNavigation } from './navigation-store.ts';

export type Alert =
  | { readonly id: number; readonly kind: 'failure'; readonly failure: FailureView }
  | { readonly id: number; readonly kind: 'done'; readonly words: string };

export interface Alerts {
  readonly alerts: readonly Alert[];
  readonly fail: (failure: FailureView) => void;
  readonly say: (words: string) => void;
  readonly dismiss: (id: number) => void;
}

let lastId = 0;
const shownAtMost = 3;

export const useAlerts: UseBoundStore<StoreApi<Alerts>> = create<Alerts>((set) => ({
  alerts: [],
  fail: (failure) => {
    lastId += 1;
    const alert = { id: lastId, kind: 'failure', failure } as const;
    // Told again, it takes its own place: nothing is learnt from the same words twice.
    set((state) => ({
      alerts: [...state.alerts.filter((earlier) => !tells(earlier, failure)), alert].slice(-shownAtMost),
    }));
  },
  say: (words) => {
    lastId += 1;
    const alert = { id: lastId, kind: 'done', words } as const;
    // The last confirmation alone: several would lie over what one goes on with.
    set((state) => ({
      alerts: [...state.alerts.filter(({ kind }) => kind !== 'done'), alert].slice(-shownAtMost),
    }));
  },
  dismiss: (id) => {
    set((state) => ({ alerts: state.alerts.filter((alert) => alert.id !== id) }));
  },
}));

function tells(alert: Alert, { code, message }: FailureView): boolean {
  return alert.kind === 'failure' && alert.failure.code === code && alert.failure.message === message;
}

useNavigation.subscribe((now, before) => {
  if (pageKey(now.path) === pageKey(before.path)) return;
  useAlerts.setState(({ alerts }) => ({ alerts: alerts.filter(({ kind }) => kind !== 'failure') }));
});

/** Calls main; a failure becomes an alert. @returns the reply, or undefined where it failed */
export async function act<Name extends ChannelName>(
  name: Name,
  request: ChannelRequest<Name>,
): Promise<ChannelReply<Name> | undefined> {
  const answer = await getBridge().call(name, request);
  if (answer.ok) return answer.value;
  useAlerts.getState().fail(answer.error);
  return undefined;
}
