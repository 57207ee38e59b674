/** Mirrors the one view that main sends. Nothing here is changed by the window itself. */
import { create, type StoreApi, type UseBoundStore } from 'zustand';
import type { AppView, FailureView } from '../../electron/contract/views.ts';
import type { Bridge } from '../bridge/bridge.ts';

export interface AppState {
  /** undefined until the first answer. */
  readonly view: AppView | undefined;
  /** Why there is no view. */
  readonly problem: FailureView | undefined;
}

export const useApp: UseBoundStore<StoreApi<AppState>> = create<AppState>(() => ({
  view: undefined,
  problem: undefined,
}));

/**
 * Listens first and asks then, so that no change falls between the two; a change that came first is kept.
 * @returns ends the listening
 */
export function mirrorView(bridge: Bridge): () => void {
  let changed = false;
  const stop = bridge.on('view-changed', (view) => {
    changed = true;
    useApp.setState({ view, problem: undefined });
  });
  void bridge.call('view.get', {}).then((answer) => {
    if (changed) return;
    if (answer.ok) useApp.setState({ view: answer.value, problem: undefined });
    else useApp.setState({ problem: answer.error });
  });
  return stop;
}
