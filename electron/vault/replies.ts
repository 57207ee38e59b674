/** What Vault's replies say, in this project's words. */
import { z } from 'zod';
import { failure, success, type Failure, type Result, type VaultFailureCode } from '../workflows/failures.ts';
import type { SealStatus } from '../workflows/ports.ts';

const sealStatusSchema = z.object({
  type: z.string().max(40),
  initialized: z.boolean(),
  sealed: z.boolean(),
  t: z.number().int().min(0).max(255),
  n: z.number().int().min(0).max(255),
  progress: z.number().int().min(0).max(255),
  nonce: z.string().max(100),
  version: z.string().max(100),
  /** OpenBao 2.6 and later only; Vault says build_date. */
  commit_date: z.string().optional(),
  migration: z.boolean().default(false),
  recovery_seal: z.boolean().default(false),
  storage_type: z.string().max(100).default(''),
  cluster_name: z.string().max(200).default(''),
  cluster_id: z.string().max(100).default(''),
});

const errorsSchema = z.object({ errors: z.array(z.string()) });

/** Parses JSON; undefined for anything else. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

export function notJson(address: string): Failure<VaultFailureCode> {
  return failure(
    'Vault_NotJson',
    `What answers at ${address} is not Vault: its reply is no JSON.`,
    'Check the address and what stands between here and the Vault (a proxy, a login page).',
    { address },
  ).error;
}

export function unexpectedReply(address: string, status: number): Failure<VaultFailureCode> {
  return failure(
    'Vault_UnexpectedReply',
    `${address} answered in a form that Vault does not have.`,
    'Check that this is the address of a Vault, and its version.',
    { address, status },
  ).error;
}

export function parseSealStatus(body: Buffer, address: string): Result<SealStatus, VaultFailureCode> {
  const json = parseJson(body);
  if (json === undefined) return { ok: false, error: notJson(address) };
  const parsed = sealStatusSchema.safeParse(json);
  if (!parsed.success) return { ok: false, error: unexpectedReply(address, 200) };
  const reply = parsed.data;
  return success({
    product: reply.commit_date === undefined ? 'vault' : 'openbao',
    version: reply.version,
    type: reply.type,
    initialized: reply.initialized,
    sealed: reply.sealed,
    threshold: reply.t,
    shares: reply.n,
    progress: reply.progress,
    nonce: reply.nonce,
    recoverySeal: reply.recovery_seal,
    migration: reply.migration,
    storageType: reply.storage_type,
    clusterName: reply.cluster_name,
    clusterId: reply.cluster_id,
  });
}

/**
 * A reply that is not 200 or 204. The server's own words are looked at, never passed on: an error text may
 * repeat what was sent.
 */
export function describeStatus(status: number, body: Buffer, address: string): Failure<VaultFailureCode> {
  const say = (code: VaultFailureCode, message: string, next: string): Failure<VaultFailureCode> =>
    failure(code, message, next, { address, status }).error;
  const json = parseJson(body);
  const parsed = errorsSchema.safeParse(json);
  const words = parsed.success ? parsed.data.errors.join(' ').toLowerCase() : '';
  if (status >= 300 && status < 400)
    return say(
      'Vault_Standby',
      `${address} is a standby and points to another node.`,
      'Use the address of the active node.',
    );
  switch (status) {
    case 403:
      return say(
        'Vault_PermissionDenied',
        `${address} refused: permission denied.`,
        'Check the token and its policies.',
      );
    case 429:
      return say(
        'Vault_RateLimited',
        `${address} takes no more requests for now (a rate limit quota).`,
        'Wait a little, then try again.',
      );
    case 472:
      return say(
        'Vault_DisasterRecoverySecondary',
        `${address} is a disaster recovery secondary.`,
        'Use the address of the primary cluster.',
      );
    case 473:
      return say(
        'Vault_PerformanceStandby',
        `${address} is a performance standby.`,
        'Use the address of the active node.',
      );
    case 501:
      return say('Vault_NotInitialized', `The Vault at ${address} is not initialised.`, 'Initialise it first.');
  }
  if (words.includes('already initialized'))
    return say(
      'Vault_AlreadyInitialized',
      `The Vault at ${address} is initialised already; nothing was changed.`,
      'Unseal it with the shares of that initialisation, or choose another Vault.',
    );
  if (words.includes('not initialized') || words.includes('not yet initialized'))
    return say('Vault_NotInitialized', `The Vault at ${address} is not initialised.`, 'Initialise it first.');
  if (status === 503 && words.includes('sealed'))
    return say('Vault_Sealed', `The Vault at ${address} is sealed.`, 'Unseal it first.');
  if (status >= 500)
    return say(
      'Vault_Unavailable',
      `${address} cannot answer for now (status ${status}).`,
      'Look at the log of the Vault and of what stands before it, then try again.',
    );
  if (json === undefined) return notJson(address);
  if (words.includes('threshold') || words.includes('secret_shares') || words.includes('secret shares'))
    return say(
      'Vault_ThresholdInvalid',
      `${address} does not take this number of shares and threshold.`,
      'Choose a threshold of at least 2 and at most the number of shares.',
    );
  return say(
    'Vault_Refused',
    `${address} refused the request (status ${status}).`,
    'Look at the log of the Vault for the reason.',
  );
}
