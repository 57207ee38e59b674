import type { channels, ChannelName } from '../../contract/channels.ts';
import type { Core } from '../../core/core.ts';
import { failure, type Failure } from '../../workflows/failures.ts';
import type { ClusterObserver } from '../cluster-observer.ts';
import type { DesktopPort, LockPort } from '../desktop-port.ts';
import type { PresenceObserver } from '../presence-observer.ts';
import type { Handlers } from '../registration.ts';
import type { RunObserver } from '../run-observer.ts';
import type { TokenObserver } from '../token-observer.ts';

export interface HandlerContext {
  readonly core: Core;
  readonly desktop: DesktopPort;
  readonly lock: LockPort;
  readonly tokens: TokenObserver;
  readonly presence: PresenceObserver;
  readonly runs: RunObserver;
  readonly clusters: ClusterObserver;
  /** Something that the view shows may have changed. */
  readonly changed: () => void;
}

/** The handlers of one group: only names of the contract, each with its own types. */
export type Group<Prefix extends string> = Pick<Handlers<typeof channels>, Extract<ChannelName, `${Prefix}.${string}`>>;

export function notFound(what: string): { readonly ok: false; readonly error: Failure<'App_NotFound'> } {
  return failure(
    'App_NotFound',
    `${what} is not known to this app any more.`,
    'Go back to the list and choose it again.',
  );
}

/** Who acts at this desk, as transcripts name them. */
export function operatorName(core: Pick<Core, 'settings'>): string {
  const name = core.settings.preferences.operatorName.trim();
  return name === '' ? 'administrator' : name;
}
