/** Initialises a Vault so that there is no moment after its reply at which a share exists in one place only. */
import { createHash } from 'node:crypto';
import { canWrap, wrapValue } from '../hosts/value-wrapping.ts';
import type { Key } from 'openpgp';
import {
  failure,
  success,
  type CustodyFailureCode,
  type PgpFailureCode,
  type Result,
  type VaultFailureCode,
} from '../workflows/failures.ts';
import type { Escrow, EscrowEntry, RootTokenDestination, ShareDestination } from '../workflows/ports.ts';
import { describeStatus, notJson, parseJson, unexpectedReply } from '../vault/replies.ts';
import type { VaultTransport } from '../vault/transport.ts';
import { findEscrow, reserveEscrow, type EscrowReservation } from './escrow-file.ts';
import { readInitReply, type InitReply } from './init-reply.ts';
import { encryptToPgp, readPgpKey } from './pgp.ts';
import { heldInMemory, type ShareHostReply, type ShareHostRequest } from './protocol.ts';

type InitializeRequest = ShareHostRequest<'initialize'>;
type InitializeResult = Result<ShareHostReply<'initialize'>, VaultFailureCode | PgpFailureCode | CustodyFailureCode>;
type Destination = ShareDestination | RootTokenDestination;

const initDeadline = 60_000;
const readDeadline = 5_000;

export interface Initializer {
  initialize(request: InitializeRequest): Promise<InitializeResult>;
}

interface Recipients {
  readonly wrappingKeySpki: Buffer;
  readonly publicKeySha256: string;
  /** By label. */
  readonly pgpKeys: ReadonlyMap<string, Key>;
}

function labelled(
  request: InitializeRequest,
): readonly { readonly label: string; readonly destination: Destination }[] {
  return [
    ...request.destinations.map((destination, index) => ({ label: `vault-unseal-${index}`, destination })),
    { label: 'vault-root', destination: request.rootToken },
  ];
}

async function readRecipients(
  request: InitializeRequest,
): Promise<Result<Recipients, PgpFailureCode | CustodyFailureCode>> {
  const invalid = (message: string): Result<never, CustodyFailureCode> =>
    failure('Custody_PlanInvalid', message, 'Start a new run with a corrected plan.');
  if (request.destinations.length !== request.shares) return invalid('Every share needs a destination.');
  const spki = Buffer.from(request.wrappingKeySpki, 'base64');
  let isSuitable: boolean;
  try {
    isSuitable = canWrap(spki);
  } catch {
    return invalid('The public key of the token cannot be read.');
  }
  if (!isSuitable)
    return invalid('The wrapping key of the token is no RSA key of 2048 bits or more, and none of a curve known here.');
  const pgpKeys = new Map<string, Key>();
  for (const { label, destination } of labelled(request)) {
    if (destination.kind !== 'pgp') continue;
    const key = await readPgpKey(Buffer.from(destination.publicKeyArmored));
    if (!key.ok) return key;
    if (key.value.getFingerprint().toUpperCase() !== destination.fingerprint)
      return invalid(`The PGP key for ${destination.custodian} is not the one whose fingerprint was confirmed.`);
    pgpKeys.set(label, key.value);
  }
  return success({ wrappingKeySpki: spki, publicKeySha256: createHash('sha256').update(spki).digest('hex'), pgpKeys });
}

async function encryptEntry(label: string, value: Buffer, recipients: Recipients): Promise<EscrowEntry> {
  // The value is ASCII, and under RSA in bank-vaults' form.
  const tokenCiphertext = wrapValue(recipients.wrappingKeySpki, label, value).toString('base64');
  const pgpKey = recipients.pgpKeys.get(label);
  const pgpMessage = pgpKey === undefined ? '' : (await encryptToPgp(pgpKey, value)).toString('base64');
  return { label, tokenCiphertext, pgpMessage };
}

async function encryptReply(request: InitializeRequest, reply: InitReply, recipients: Recipients): Promise<Escrow> {
  const values = [...reply.shares, reply.rootToken];
  const entries = await Promise.all(
    labelled(request).map(({ label }, index) => encryptEntry(label, values[index] ?? Buffer.alloc(0), recipients)),
  );
  for (const value of values) value.fill(0);
  return {
    runId: request.runId,
    vaultAddress: request.connection.address,
    publicKeySha256: recipients.publicKeySha256,
    entries,
  };
}

/** The escrow's greatest size: measured by making one of the same form, its values as long as they can be. */
async function measureEscrow(request: InitializeRequest, recipients: Recipients): Promise<number> {
  const filler = (length: number): Buffer => Buffer.alloc(length, 0x61);
  const escrow = await encryptReply(
    request,
    { shares: request.destinations.map(() => filler(66)), rootToken: filler(214) },
    recipients,
  );
  // PGP messages differ by a few bytes (integers lose leading zeros).
  return JSON.stringify(escrow).length + 256 * (1 + recipients.pgpKeys.size);
}

const lostNext =
  'Nothing is stored in this Vault yet: erase its storage (or discard the rehearsal), set it up anew, and start a new run.';

export function createInitializer(transport: VaultTransport): Initializer {
  /** Made, but not on disk yet: kept for as long as this process lives. */
  const unwritten = new Map<string, { readonly escrow: Escrow; readonly reservation: EscrowReservation }>();

  async function isInitialized(request: InitializeRequest): Promise<Result<boolean, VaultFailureCode>> {
    const { address } = request.connection;
    const exchange = await transport.exchange(request.connection, {
      method: 'GET',
      path: '/v1/sys/init',
      deadline: readDeadline,
    });
    if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
    if (exchange.status !== 200) return { ok: false, error: describeStatus(exchange.status, exchange.body, address) };
    const json = parseJson(exchange.body);
    if (json === undefined) return { ok: false, error: notJson(address) };
    if (typeof json !== 'object' || json === null || !('initialized' in json) || typeof json.initialized !== 'boolean')
      return { ok: false, error: unexpectedReply(address, exchange.status) };
    return success(json.initialized);
  }

  async function callInit(request: InitializeRequest): Promise<Result<InitReply, VaultFailureCode>> {
    const { address } = request.connection;
    const exchange = await transport.exchange(request.connection, {
      method: 'PUT',
      path: '/v1/sys/init',
      body: Buffer.from(JSON.stringify({ secret_shares: request.shares, secret_threshold: request.threshold })),
      deadline: initDeadline,
    });
    if (exchange.kind === 'failed') {
      if (!exchange.sent) return { ok: false, error: exchange.error };
      const after = await isInitialized(request);
      // It says that nothing happened: then the failure is what it seems, and the step can be begun again.
      if (after.ok && !after.value) return { ok: false, error: exchange.error };
      return failure(
        'Vault_InitReplyLost',
        `The connection to ${address} ended before its reply to the initialisation came; its shares are lost.`,
        lostNext,
        { address },
      );
    }
    if (exchange.status !== 200) {
      const error = describeStatus(exchange.status, exchange.body, address);
      exchange.body.fill(0);
      return { ok: false, error };
    }
    const reply = readInitReply(exchange.body, request.shares);
    return reply === undefined
      ? failure('Vault_InitReplyLost', `${address} was initialised but its reply could not be understood.`, lostNext, {
          address,
        })
      : success(reply);
  }

  async function write(request: InitializeRequest): Promise<InitializeResult> {
    const kept = unwritten.get(request.runId);
    if (kept === undefined)
      return failure('Custody_EscrowMissing', 'There is no escrow for this run.', 'Start a new run.');
    const written = await kept.reservation.fill(kept.escrow);
    if (!written.ok) {
      // The app must not end this process now: it holds the only copy.
      const { code, message, next, details } = written.error;
      return failure(code, message, next, { ...details, [heldInMemory]: true });
    }
    unwritten.delete(request.runId);
    return success({ labels: kept.escrow.entries.map((entry) => entry.label) });
  }

  return {
    async initialize(request) {
      if (unwritten.has(request.runId)) return write(request);
      const found = await findEscrow(request.escrowPath, request.runId);
      if (!found.ok) return found;
      if (found.value.kind === 'complete')
        return success({ labels: found.value.escrow.entries.map((entry) => entry.label) });
      const recipients = await readRecipients(request);
      if (!recipients.ok) return recipients;
      const initialized = await isInitialized(request);
      if (!initialized.ok) return initialized;
      const { address } = request.connection;
      if (initialized.value)
        return found.value.kind === 'reserved'
          ? failure(
              'Vault_InitReplyLost',
              `${address} was initialised by this run, but the run was ended before the reply was kept; its shares are lost.`,
              lostNext,
              { address },
            )
          : failure(
              'Vault_AlreadyInitialized',
              `The Vault at ${address} is initialised already; nothing was changed.`,
              'Unseal it with the shares of that initialisation, or choose another Vault.',
              { address },
            );
      const reserved = await reserveEscrow(
        request.escrowPath,
        request.runId,
        await measureEscrow(request, recipients.value),
      );
      if (!reserved.ok) return reserved;
      const reply = await callInit(request);
      if (!reply.ok) {
        if (reply.error.code !== 'Vault_InitReplyLost') await reserved.value.release();
        return reply;
      }
      const escrow = await encryptReply(request, reply.value, recipients.value);
      unwritten.set(request.runId, { escrow, reservation: reserved.value });
      return write(request);
    },
  };
}
