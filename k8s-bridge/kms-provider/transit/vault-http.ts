/** HTTP to one Vault or OpenBao: kept-alive connections, a deadline for each call, a bound on what is read. */
import { refused, type Outcome } from '../grpc/outcome.ts';
import type { TransitConfiguration } from '../configuration.ts';
import type { Exchange, HttpServer } from '../http1/connection.ts';
import { createHttpPool } from '../http1/pool.ts';
import { readJson } from '../read-json.ts';
import { openCertificates, type CertificateFiles, type Renewal } from './certificates.ts';

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
  /** Where certificate files were replaced, the next calls go over new connections with what they hold now. */
  renewCertificates(): Renewal;
  close(): void;
}

const poolOptions = {
  /** More calls at once wait for one of these. */
  mostConnections: 64,
  /** Longer than the pause between two checks, so that a call seldom waits for a handshake. */
  keepAlive: 60_000,
  lateAnswer: 10_000,
  longestReply: 256 * 1024,
} as const;

export type VaultServer = CertificateFiles & Pick<TransitConfiguration, 'address' | 'namespace' | 'tlsServerName'>;

/** What may stand in a header as it is. */
const headerValue = /^[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?$/u;

/** Reads certificate files now. Throws what the file system throws. */
export function openVaultHttp(server: VaultServer): VaultHttp {
  const { protocol, host, hostname, port } = new URL(server.address);
  const isSecure = protocol === 'https:';
  const certificates = isSecure ? openCertificates(server) : undefined;
  const target: HttpServer = {
    host: hostname.replaceAll(/[[\]]/gu, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    serverName: server.tlsServerName,
    secureContext: certificates?.context,
  };
  const pool = createHttpPool(target, poolOptions);
  const everyHead = ` HTTP/1.1\r\nhost: ${host}\r\nx-vault-request: true\r\n`;

  /** With the namespace, for what is asked in one; undefined where it would be no header. */
  const headInNamespace =
    server.namespace === ''
      ? everyHead
      : headerValue.test(server.namespace)
        ? `${everyHead}x-vault-namespace: ${server.namespace}\r\n`
        : undefined;

  /** Undefined where a header would not be one. */
  const requestOf = ({ method, path, body, token, withNamespace }: VaultCall): Buffer | undefined => {
    const everyCalls = withNamespace === false ? everyHead : headInNamespace;
    if (everyCalls === undefined) return undefined;
    let head = `${method} /v1/${path}${everyCalls}`;
    if (token !== undefined) {
      if (!headerValue.test(token)) return undefined;
      head += `x-vault-token: ${token}\r\n`;
    }
    if (method === 'GET') return Buffer.from(`${head}\r\n`, 'latin1');
    const content = body === undefined ? '' : JSON.stringify(body);
    return Buffer.from(`${head}content-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`);
  };
  const outcomeOf = (exchange: Exchange): Outcome<VaultReply> => {
    if (exchange.ok) return { ok: true, value: { status: exchange.reply.status, body: readJson(exchange.reply.text) } };
    return exchange.isBrokenOff
      ? refused('unavailable', `Vault broke off: ${exchange.reason}.`)
      : refused('unavailable', `Vault at ${host} cannot be reached: ${exchange.reason}.`);
  };
  return {
    call: async (call) => {
      const request = requestOf(call);
      if (request === undefined)
        return refused('failedPrecondition', 'The token or the namespace has characters that no header takes.');
      const first = await pool.exchange(request, call.deadline);
      const isAskedAgain = !first.ok && first.isStale;
      return outcomeOf(isAskedAgain ? await pool.exchange(request, call.deadline, true) : first);
    },
    renewCertificates: () => {
      const renewal = certificates?.renew() ?? { kind: 'same' };
      if (renewal.kind === 'replaced') pool.replaceServer({ ...target, secureContext: renewal.context });
      return renewal;
    },
    close: () => pool.close(),
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
