import type { ChannelRequest } from '../../electron/contract/channels.ts';
import { act } from './alert-store.ts';
import { paths, useNavigation } from './navigation-store.ts';

export type Plan = ChannelRequest<'runs.start'>['plan'];

/** Has main plan what a KMS plugin needs in Vault, and shows the run. */
export async function beginTransitSetUp(request: ChannelRequest<'transit.start'>): Promise<void> {
  const reply = await act('transit.start', request);
  if (reply !== undefined) useNavigation.getState().go(paths.run(reply.runId));
}

/** Writes a plan to a new run's journal and shows the run. Nothing is done to anything before its first step's button. */
export async function beginRun(plan: Plan): Promise<void> {
  const reply = await act('runs.start', { plan });
  if (reply !== undefined) useNavigation.getState().go(paths.run(reply.runId));
}
