/**
 * One HTTP exchange with one Vault node: deadline, size limit, no redirect followed, no proxy, nothing taken
 * from the environment. Bodies are Buffers so that a caller with secrets can wipe them; node:https parses
 * replies in place, where undici copies them into WebAssembly memory that nobody can wipe.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { failure, type Failure, type VaultFailureCode } from '../workflows/failures.ts';
import type { VaultConnection } from '../workflows/ports.ts';
import { parseVaultAddress } from './address.ts';
import { createAgentPool, PinMismatchError } from './trust.ts';

const replyLimitBytes = 1_048_576;

export interface VaultRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Begins with /v1/. */
  readonly path: string;
  /** JSON. Not wiped here: the caller owns it. */
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** For everything together, milliseconds. */
  readonly deadline: number;
}

export type VaultExchange =
  | { readonly kind: 'reply'; readonly status: number; readonly body: Buffer }
  /** `sent`: the request may have reached the server. */
  | { readonly kind: 'failed'; readonly error: Failure<VaultFailureCode>; readonly sent: boolean };

export interface VaultTransport {
  exchange(connection: VaultConnection, request: VaultRequest): Promise<VaultExchange>;
  close(): void;
}

class DeadlineError extends Error {}
class ReplyTooLongError extends Error {}

const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by nobody but itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'comes from an authority that is not trusted here',
  CERT_SIGNATURE_FAILURE: 'has a signature that does not hold',
  INVALID_PURPOSE: 'is not meant for a server',
  INVALID_CA: 'comes from an authority that may not sign',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name than the address',
};

function errorCode(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : '';
}

/** Says a network or TLS error in this project's words. */
export function describeConnectionError(cause: unknown, address: string): Failure<VaultFailureCode> {
  const code = errorCode(cause);
  const say = (
    failureCode: VaultFailureCode,
    message: string,
    next: string,
    more: Record<string, string> = {},
  ): Failure<VaultFailureCode> =>
    failure(failureCode, message, next, { address, ...(code === '' ? {} : { reason: code }), ...more }).error;
  if (cause instanceof DeadlineError || code === 'ETIMEDOUT')
    return say(
      'Vault_TimedOut',
      `${address} did not answer in time.`,
      'Check the address, the network and firewalls, then try again.',
    );
  if (cause instanceof ReplyTooLongError)
    return say(
      'Vault_UnexpectedReply',
      `${address} answered more than Vault ever does.`,
      'Check that this is the address of a Vault.',
    );
  if (cause instanceof PinMismatchError)
    return say(
      'Vault_CertificateMismatch',
      `${address} shows another certificate than the one that was pinned. Nothing was sent.`,
      'Ask the operator of the Vault whether its certificate was renewed; compare the fingerprint before pinning the new one.',
      { shown: cause.shown },
    );
  const reason = certificateReasons[code];
  if (reason !== undefined)
    return say(
      'Vault_CertificateInvalid',
      `The certificate of ${address} ${reason}. Nothing was sent.`,
      'Give the CA file of this Vault, or compare and pin its certificate; renew it where it has expired.',
    );
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return say(
      'Vault_CertificateInvalid',
      `No TLS connection to ${address} could be made. Nothing was sent.`,
      'Check that the port is the one of Vault and serves TLS.',
    );
  if (code.startsWith('HPE_'))
    return say(
      'Vault_UnexpectedReply',
      `What answers at ${address} does not speak HTTP as Vault does.`,
      'Check that this is the address of a Vault.',
    );
  return say(
    'Vault_Unreachable',
    `${address} cannot be reached.`,
    'Check that the Vault runs, the address and the network, then try again.',
  );
}

export function createVaultTransport(): VaultTransport {
  const pool = createAgentPool();

  async function once(
    connection: VaultConnection,
    request: VaultRequest,
  ): Promise<VaultExchange & { readonly stale?: boolean }> {
    const url = parseVaultAddress(connection.address);
    if (!url.ok) return { kind: 'failed', error: url.error, sent: false };
    const agent = await pool.agent(url.value, connection.trust);
    if (!agent.ok) return { kind: 'failed', error: agent.error, sent: false };
    return new Promise((resolve) => {
      const send = url.value.protocol === 'https:' ? https.request : http.request;
      let sent = false;
      const outgoing = send(new URL(request.path, url.value), {
        method: request.method,
        agent: agent.value,
        headers: {
          accept: 'application/json',
          'x-vault-request': 'true',
          ...(request.body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(request.body.length) }),
          ...request.headers,
        },
      });
      const chunks: Buffer[] = [];
      const settle = (exchange: VaultExchange & { readonly stale?: boolean }): void => {
        clearTimeout(timer);
        for (const chunk of chunks.splice(0)) chunk.fill(0);
        resolve(exchange);
      };
      const fail = (cause: unknown): void => {
        settle({
          kind: 'failed',
          error: describeConnectionError(cause, connection.address),
          sent,
          stale: outgoing.reusedSocket && errorCode(cause) === 'ECONNRESET',
        });
      };
      const timer = setTimeout(() => {
        // Said here: a request that still waits for its connection does not report being destroyed.
        fail(new DeadlineError());
        outgoing.destroy();
      }, request.deadline);
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) sent = true;
        else
          socket.once('connect', () => {
            sent = true;
          });
      });
      outgoing.on('error', fail);
      outgoing.on('response', (response) => {
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          chunks.push(chunk);
          if (length > replyLimitBytes) outgoing.destroy(new ReplyTooLongError());
        });
        response.on('error', fail);
        response.on('end', () => {
          if (!response.complete) return;
          settle({ kind: 'reply', status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
        response.on('close', () => {
          if (!response.complete) fail(outgoing.errored ?? undefined);
        });
      });
      outgoing.end(request.body);
    });
  }

  return {
    async exchange(connection, request) {
      const first = await once(connection, request);
      // A kept connection that the server closed meanwhile: asking again is harmless for a reading call only.
      const exchange = first.stale === true && request.method === 'GET' ? await once(connection, request) : first;
      return exchange.kind === 'failed' ? { kind: 'failed', error: exchange.error, sent: exchange.sent } : exchange;
    },
    close() {
      pool.close();
    },
  };
}
