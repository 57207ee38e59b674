/**
 * Submits shares to nodes and says what became of each: by looking before and after, or, where shares follow
 * one another without a pause, by what the node said to the one before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { failure, success, type Result, type VaultFailureCode } from '../workflows/failures.ts';
import type { SealStatus, UnsealProgress, VaultConnection } from '../workflows/ports.ts';
import { describeStatus, parseJson, parseSealStatus } from '../vault/replies.ts';
import type { VaultTransport } from '../vault/transport.ts';

const readDeadline = 5_000;
const unsealDeadline = 30_000;
/** How long what a node said counts for a share that follows straight on, milliseconds. */
const straightOnMilliseconds = 5_000;
/** A raft node that joins is unsealed in the background once it has its shares. */
const joinDeadline = 15_000;

type StatusResult = Result<SealStatus, VaultFailureCode>;

export interface Unsealer {
  /** Connects to each node and remembers what it says. */
  prepare(connections: readonly VaultConnection[]): Promise<void>;
  /**
   * @param share 64 or 66 hex characters; stays the caller's to wipe
   * @param straightOn see `SharePort.submitShare`
   */
  submit(
    connections: readonly VaultConnection[],
    share: Buffer,
    straightOn: boolean,
    migrate: boolean,
  ): Promise<readonly UnsealProgress[]>;
  reset(connection: VaultConnection): Promise<StatusResult>;
}

function tellResetByAnother(address: string): StatusResult {
  return failure(
    'Vault_ResetByAnother',
    `Someone else reset the unsealing of ${address}: the shares given so far are void there. This share was not sent.`,
    'Speak with the other administrators, then give all shares again.',
    { address },
  );
}

function tellNonceChanged(address: string): StatusResult {
  return failure(
    'Vault_NonceChanged',
    `The unseal attempt of ${address} is no longer the one that this run began (its nonce changed).`,
    'Speak with the other administrators; reset the attempt, then give all shares again.',
    { address },
  );
}

function tellMigrationPending(address: string): StatusResult {
  return failure(
    'Vault_MigrationPending',
    `${address} waits for its seal to be migrated: its configuration names a new one. This share was not sent.`,
    'Plan a seal migration, or take the new seal out of its configuration and restart it.',
    { address },
  );
}

function tellNoMigration(address: string, status: SealStatus): StatusResult {
  return failure(
    'Vault_MigrationNotOffered',
    `${address} does not wait for a migration; its seal is “${status.type}”. This share was not sent.`,
    'Put the new seal into its configuration, restart it, and begin the step anew.',
    { address, sealType: status.type },
  );
}

function tellForeign(address: string): StatusResult {
  return failure(
    'Vault_ShareForeign',
    `The shares together do not unseal ${address}: at least one belongs to another Vault or an earlier set.`,
    'Check where each share comes from, then give all shares again.',
    { address },
  );
}

export function createUnsealer(transport: VaultTransport): Unsealer {
  /** The attempt as this process last left it, by address. */
  const attempts = new Map<string, { readonly nonce: string; readonly progress: number }>();
  /** What each node last said, and when (milliseconds of this process). */
  const heard = new Map<string, { readonly status: SealStatus; readonly at: number }>();

  async function readStatus(connection: VaultConnection): Promise<StatusResult> {
    const exchange = await transport.exchange(connection, {
      method: 'GET',
      path: '/v1/sys/seal-status',
      deadline: readDeadline,
    });
    if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
    if (exchange.status !== 200)
      return { ok: false, error: describeStatus(exchange.status, exchange.body, connection.address) };
    return hear(connection.address, parseSealStatus(exchange.body, connection.address));
  }

  function hear(address: string, said: StatusResult): StatusResult {
    if (said.ok) heard.set(address, { status: said.value, at: performance.now() });
    else heard.delete(address);
    return said;
  }

  /**
   * The node's status before a share that follows straight on; undefined where it must be asked. An attempt
   * that nobody had begun when the node was looked at may be older: a share given to it cannot go wrong unseen.
   */
  function heardBefore(address: string): SealStatus | undefined {
    const last = heard.get(address);
    if (last === undefined || !last.status.initialized || !last.status.sealed) return undefined;
    const fresh = performance.now() - last.at < straightOnMilliseconds;
    return fresh || (last.status.progress === 0 && !attempts.has(address)) ? last.status : undefined;
  }

  function remember(address: string, status: SealStatus): void {
    if (status.sealed && status.progress > 0) attempts.set(address, { nonce: status.nonce, progress: status.progress });
    else attempts.delete(address);
  }

  /** Whether someone else changed the attempt since this process last gave a share to it. */
  function judgeAttempt(address: string, before: SealStatus): StatusResult | undefined {
    const known = attempts.get(address);
    if (known === undefined) return undefined;
    remember(address, before);
    if (before.progress === 0) return tellResetByAnother(address);
    if (before.nonce !== known.nonce) return tellNonceChanged(address);
    return before.progress < known.progress ? tellResetByAnother(address) : undefined;
  }

  async function waitUntilJoined(connection: VaultConnection): Promise<StatusResult> {
    const deadline = performance.now() + joinDeadline;
    for (;;) {
      const status = await readStatus(connection);
      if (!status.ok || !status.value.sealed || performance.now() > deadline) return status;
      await delay(200);
    }
  }

  async function describeRefusal(
    connection: VaultConnection,
    before: SealStatus,
    status: number,
    body: Buffer,
  ): Promise<StatusResult> {
    const { address } = connection;
    attempts.delete(address);
    heard.delete(address);
    const words = JSON.stringify(parseJson(body) ?? '').toLowerCase();
    const after = await readStatus(connection);
    if (status === 400 && after.ok) {
      remember(address, after.value);
      if (!after.value.sealed) return after;
      // The last share was taken, the whole was tried and did not fit: Vault drops all of them.
      if (before.progress + 1 >= before.threshold && after.value.progress === 0) return tellForeign(address);
      if (words.includes('key') || words.includes('share'))
        return failure(
          'Vault_ShareCorrupt',
          `${address} does not take this share: it has not the form of its shares.`,
          'Check that the share is whole and belongs to this Vault, then give it again.',
          { address },
        );
    }
    return { ok: false, error: describeStatus(status, body, address) };
  }

  async function submitToNode(
    connection: VaultConnection,
    share: Buffer,
    straightOn: boolean,
    migrate: boolean,
  ): Promise<StatusResult> {
    const { address } = connection;
    const known = straightOn ? heardBefore(address) : undefined;
    const before = known === undefined ? await readStatus(connection) : success(known);
    if (!before.ok) return before;
    const status = before.value;
    if (!status.initialized)
      return failure(
        'Vault_NotInitialized',
        `The Vault at ${address} is not initialised.`,
        'Initialise it first; a further raft node is initialised by joining.',
        { address },
      );
    if (!status.sealed) {
      attempts.delete(address);
      return before;
    }
    if (migrate !== status.migration) return migrate ? tellNoMigration(address, status) : tellMigrationPending(address);
    if (status.type !== 'shamir' && !status.migration)
      return failure(
        'Vault_NotShamir',
        `${address} is sealed by ${status.type}, not by key shares.`,
        'It unseals by itself once its key service can be reached; recovery keys do not unseal.',
        { address },
      );
    const changed = judgeAttempt(address, status);
    if (changed !== undefined) return changed;
    const body = Buffer.concat([Buffer.from('{"key":"'), share, Buffer.from(migrate ? '","migrate":true}' : '"}')]);
    const exchange = await transport
      .exchange(connection, { method: 'PUT', path: '/v1/sys/unseal', body, deadline: unsealDeadline })
      .finally(() => body.fill(0));
    if (exchange.kind === 'failed') {
      heard.delete(address);
      // A connection that the node closed meanwhile. A share given twice counts once, and is said to be there already.
      return known === undefined || exchange.error.code === 'Vault_TimedOut'
        ? { ok: false, error: exchange.error }
        : submitToNode(connection, share, false, migrate);
    }
    if (exchange.status !== 200) return describeRefusal(connection, status, exchange.status, exchange.body);
    const answered = hear(address, parseSealStatus(exchange.body, address));
    if (!answered.ok) return answered;
    const after = answered.value;
    remember(address, after);
    if (!after.sealed) return answered;
    if (after.progress === 0 && (known !== undefined || status.progress + 1 >= status.threshold)) {
      const joined = await waitUntilJoined(connection);
      return joined.ok && joined.value.sealed ? tellForeign(address) : joined;
    }
    if (status.progress > 0 && after.nonce !== status.nonce) return tellNonceChanged(address);
    if (after.progress === status.progress)
      return failure(
        'Vault_ShareDuplicate',
        `${address} has this share already; ${after.progress} of ${after.threshold} are given.`,
        'Give another share.',
        {
          address,
          progress: after.progress,
          threshold: after.threshold,
        },
      );
    return success(after);
  }

  return {
    async prepare(connections) {
      // What fails here is met again, and said, when a share is to be given.
      await Promise.all(connections.map(readStatus));
    },
    submit: (connections, share, straightOn, migrate) =>
      Promise.all(
        connections.map(async (connection) => ({
          address: connection.address,
          result: await submitToNode(connection, share, straightOn, migrate),
        })),
      ),
    async reset(connection) {
      const exchange = await transport.exchange(connection, {
        method: 'PUT',
        path: '/v1/sys/unseal',
        body: Buffer.from('{"reset":true}'),
        deadline: unsealDeadline,
      });
      attempts.delete(connection.address);
      heard.delete(connection.address);
      if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
      if (exchange.status !== 200)
        return { ok: false, error: describeStatus(exchange.status, exchange.body, connection.address) };
      return parseSealStatus(exchange.body, connection.address);
    },
  };
}
