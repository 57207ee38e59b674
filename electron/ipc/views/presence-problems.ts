import type { PresenceProblemView } from '../../contract/views.ts';
import type { PresenceDescription } from '../../workflows/device-ports.ts';
import type { TokenStore } from '../../workflows/ports.ts';
import type { ObservedStore } from '../observed-tokens.ts';

export interface PresenceFacts {
  readonly presence: PresenceDescription;
  readonly isSettled: boolean;
  readonly stores: readonly TokenStore[];
  readonly observed: (storeId: string) => ObservedStore | undefined;
}

export function findPresenceProblems(_facts: PresenceFacts): readonly PresenceProblemView[] {
  return [];
}
