/** HTTP to one Vault or OpenBao: kept-alive connections, a deadline for each call, a bound on what is read. */
import { readFileSync } from 'node:fs';
import type { Dispatcher } from 'undici';
import Pool from 'undici/lib/dispatcher/pool.js';
import { refused, type Outcome } from '../grpc/outcome.ts';
import type { TransitConfiguration } from '../configuration.ts';

export interface VaultReply {
  readonly status: number;
  /** What the body's JSON says; undefined where there is none. */
  readonly body: unknown;
}

export interface VaultCall {
  readonly method: 'GET' | 'POST';
  /** Below /v1/. */
  readonly path: string;
  readonly body?: object;
  readonly token?: string;
  /** sys/health is asked without one. */
  readonly withNamespace?: boolean;
  /** Milliseconds of performance.now(). */
  readonly deadline: number;
}

export interface VaultHttp {
  call(call: VaultCall): Promise<Outcome<VaultReply>>;
  close(): void;
}

const longestReply = 256 * 1024;
/** How much later than its deadline an answer may come, in milliseconds, before its connection is given up. */
const lateAnswer = 10_000;
/** More calls at once wait for one of these. */
const mostConnections = 64;
/** Longer than the pause between two checks, so that a call seldom waits for a handshake; in milliseconds. */
const keepAlive = 60_000;

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

interface Sent {
  readonly outcome: Outcome<VaultReply>;
  /** A connection that the server had closed meanwhile: nothing was read by it. */
  readonly mayTryAgain: boolean;
}

/** What ends a connection that the server closed while it was not in use. */
const closedCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export type VaultServer = Pick<
  TransitConfiguration,
  'address' | 'namespace' | 'caFile' | 'clientCertificateFile' | 'clientKeyFile'
>;

/** Reads certificate files now. Throws what the file system throws. */
export function openVaultHttp(server: VaultServer): VaultHttp {
  const { address, namespace, caFile, clientCertificateFile, clientKeyFile } = server;
  const url = new URL(address);
  const pool = new Pool(url.origin, {
    connections: mostConnections,
    keepAliveTimeout: keepAlive,
    // A call has its own deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      minVersion: 'TLSv1.2',
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
      ...(clientCertificateFile === undefined ? {} : { cert: readFileSync(clientCertificateFile) }),
      ...(clientKeyFile === undefined ? {} : { key: readFileSync(clientKeyFile) }),
    },
  });
  const unreachable = (reason: string): Outcome<never> =>
    refused('unavailable', `Vault at ${url.host} cannot be reached: ${reason}.`);

  const send = (call: VaultCall): Promise<Sent> =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let length = 0;
      let status = 0;
      let isGivenUp = false;
      let controller: Dispatcher.DispatchController | undefined;
      const settle = (outcome: Outcome<VaultReply>, mayTryAgain = false): void => {
        clearTimeout(timer);
        resolve({ outcome, mayTryAgain });
      };
      const giveUp = (): void => {
        isGivenUp = true;
        controller?.abort(new Error('it did not answer in time'));
      };
      let timer = setTimeout(
        () => {
          resolve({ outcome: unreachable('it did not answer in time'), mayTryAgain: false });
          // On a slow wire another connection would cost its handshake, and be too late as well: this one is kept.
          timer = setTimeout(giveUp, lateAnswer).unref();
        },
        Math.max(1, Math.ceil(call.deadline - performance.now())),
      );
      const headers = ['x-vault-request', 'true'];
      if (namespace !== '' && call.withNamespace !== false) headers.push('x-vault-namespace', namespace);
      if (call.token !== undefined) headers.push('x-vault-token', call.token);
      const body = call.body === undefined ? null : JSON.stringify(call.body);
      pool.dispatch(
        { method: call.method, path: `/v1/${call.path}`, headers, body },
        {
          onRequestStart: (started) => {
            controller = started;
            if (isGivenUp) giveUp();
          },
          onResponseStart: (_, told) => {
            status = told;
          },
          onResponseData: (current, chunk) => {
            length += chunk.length;
            if (length > longestReply) current.abort(new Error('its reply is too long'));
            else chunks.push(chunk);
          },
          onResponseEnd: () => {
            const whole = Buffer.concat(chunks);
            settle({ ok: true, value: { status, body: readJson(whole.toString('utf8')) } });
            for (const bytes of [whole, ...chunks]) bytes.fill(0);
          },
          onResponseError: (_, cause) => {
            const isClosed = status === 0 && 'code' in cause && closedCodes.has(String(cause.code));
            settle(
              status === 0 ? unreachable(cause.message) : refused('unavailable', `Vault broke off: ${cause.message}.`),
              isClosed,
            );
          },
        },
      );
    });

  return {
    call: async (call) => {
      const first = await send(call);
      return first.mayTryAgain ? (await send(call)).outcome : first.outcome;
    },
    close: () => {
      void pool.destroy();
    },
  };
}

/** What a status that is no success means. @param what was asked for, as in “encrypt with the key” */
export function refusalOf({ status, body }: VaultReply, what: string): Outcome<never> {
  const errors =
    typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors)
      ? body.errors.filter((error) => typeof error === 'string').join('; ')
      : '';
  const reason = errors === '' ? `status ${status}` : errors.trim().slice(0, 200);
  if (status === 403) return refused('permissionDenied', `Vault does not allow to ${what}: ${reason}.`);
  if (status === 404) return refused('failedPrecondition', `Vault has nothing to ${what}: ${reason}.`);
  if (status === 503) return refused('unavailable', `Vault is sealed or not ready: ${reason}.`);
  if (status >= 500 || status === 429) return refused('unavailable', `Vault could not ${what}: ${reason}.`);
  return refused('invalidArgument', `Vault refused to ${what}: ${reason}.`);
}
