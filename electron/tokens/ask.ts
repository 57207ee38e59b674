import type { TokenHostMethod, TokenHostReply, TokenHostRequest } from '../../native/protocol.ts';
import type { Result, TokenFailureCode } from '../workflows/failures.ts';

/**
 * Sends one request to the token host of one store and answers its parsed reply. What the token, object and
 * device ports share: one host, one queue and one set of deadlines for each store.
 */
export type AskTokenHost = <Method extends TokenHostMethod>(
  storeId: string,
  method: Method,
  body: TokenHostRequest<Method>,
) => Promise<Result<TokenHostReply<Method>, TokenFailureCode>>;
