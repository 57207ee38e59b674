/** HTTP to one Vault or OpenBao: kept-alive connections, a deadline for each call, a bound on what is read. */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as requestHttp, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { createSecureContext } from 'node:tls';
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

/** Reads certificate files now. Throws what the file system throws. */
export function openVaultHttp(configuration: TransitConfiguration): VaultHttp {
  const { address, namespace, caFile, clientCertificateFile, clientKeyFile } = configuration;
  const url = new URL(address);
  const isHttps = url.protocol === 'https:';
  const agent = isHttps
    ? new HttpsAgent({
        keepAlive: true,
        // Made once: the agent would name its connections by all of these at each call.
        secureContext: createSecureContext({
          minVersion: 'TLSv1.2',
          ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
          ...(clientCertificateFile === undefined ? {} : { cert: readFileSync(clientCertificateFile) }),
          ...(clientKeyFile === undefined ? {} : { key: readFileSync(clientKeyFile) }),
        }),
      })
    : new HttpAgent({ keepAlive: true });
  const request = isHttps ? requestHttps : requestHttp;
  const server = {
    host: url.hostname.replaceAll(/[[\]]/gu, ''),
    port: url.port === '' ? (isHttps ? 443 : 80) : Number(url.port),
  };

  const send = (call: VaultCall): Promise<Sent> =>
    new Promise((resolve) => {
      const sentBody = call.body === undefined ? undefined : JSON.stringify(call.body);
      const options: RequestOptions = {
        ...server,
        path: `/v1/${call.path}`,
        method: call.method,
        agent,
        headers: {
          'x-vault-request': 'true',
          ...(sentBody === undefined ? {} : { 'content-length': Buffer.byteLength(sentBody) }),
          ...(namespace === '' || call.withNamespace === false ? {} : { 'x-vault-namespace': namespace }),
          ...(call.token === undefined ? {} : { 'x-vault-token': call.token }),
        },
      };
      const chunks: Buffer[] = [];
      let length = 0;
      const settle = (outcome: Outcome<VaultReply>, mayTryAgain = false): void => {
        clearTimeout(timer);
        resolve({ outcome, mayTryAgain });
      };
      const unreachable = (reason: string): Outcome<never> =>
        refused('unavailable', `Vault at ${url.host} cannot be reached: ${reason}.`);
      const sent = request(options, (response) => {
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > longestReply) sent.destroy(new Error('its reply is too long'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          settle({ ok: true, value: { status: response.statusCode ?? 0, body: readJson(whole.toString('utf8')) } });
          for (const bytes of [whole, ...chunks]) bytes.fill(0);
        });
        response.on('error', (cause) => settle(refused('unavailable', `Vault broke off: ${cause.message}.`)));
      });
      let timer = setTimeout(
        () => {
          settle(unreachable('it did not answer in time'));
          // On a slow wire another connection would cost its handshake, and be too late as well: this one is kept.
          timer = setTimeout(() => sent.destroy(), lateAnswer).unref();
        },
        Math.max(1, call.deadline - performance.now()),
      );
      sent.on('error', (cause) => {
        const isStale = sent.reusedSocket && 'code' in cause && cause.code === 'ECONNRESET';
        settle(unreachable(cause.message), isStale);
      });
      sent.end(sentBody);
    });

  return {
    call: async (call) => {
      const first = await send(call);
      return first.mayTryAgain ? (await send(call)).outcome : first.outcome;
    },
    close: () => agent.destroy(),
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
