import { tokenFailureSchema } from '../../native/protocol.ts';
import type { HostOutcome } from '../hosts/host-client.ts';
import { failure, type Failure, type Result, type TokenFailureCode } from '../workflows/failures.ts';
import type { TokenStore } from '../workflows/ports.ts';

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

/** The host answered something that its protocol does not know. */
export function malformedAnswer(store: TokenStore): Refused {
  return failure(
    'Token_GeneralError',
    `The helper process for ${store.name} gave an answer that makes no sense.`,
    'Try again; if it stays, report it as a fault in the program.',
    { storeId: store.id },
  );
}

/** The host's own failure, parsed like everything that comes from it. */
function fromHost(store: TokenStore, error: unknown): Refused {
  const parsed = tokenFailureSchema.safeParse(error);
  if (!parsed.success) return malformedAnswer(store);
  const { code, message, next, details } = parsed.data;
  return failure(code, message, next, details);
}

/** What a request without an answer means to a person. */
export function fromOutcome(
  store: TokenStore,
  method: string,
  outcome: HostOutcome,
): Result<unknown, TokenFailureCode> {
  const details = { storeId: store.id, module: store.modulePath, method };
  switch (outcome.kind) {
    case 'value':
      return { ok: true, value: outcome.value };
    case 'failure':
      return fromHost(store, outcome.error);
    case 'crashed':
      return failure(
        'Token_ModuleCrashed',
        `The PKCS#11 module of ${store.name} crashed. Only its helper process was ended.`,
        'Look at the token’s state and try again: the module is started anew. If it stays, update the module or ask its vendor.',
        details,
      );
    case 'hung':
      return failure(
        'Token_ModuleHung',
        `The PKCS#11 module of ${store.name} did not answer within ${outcome.deadlineMilliseconds / 1000} seconds. Its helper process was ended.`,
        'Unplug the token and plug it in again, close other programs that use it, then try again.',
        { ...details, deadlineMilliseconds: outcome.deadlineMilliseconds },
      );
    case 'unavailable':
      return failure(
        'Token_HostUnavailable',
        `The helper process for ${store.name} could not be started.`,
        'Try again; if it stays, install the program anew.',
        details,
      );
    case 'closed':
      return failure(
        'Token_SessionLost',
        'The token was logged out while it was at work, because the app was locked or closed.',
        'Log in again and try again.',
        details,
      );
  }
}
