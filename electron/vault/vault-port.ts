import nodeVault from 'node-vault';
import { connect as connectTls } from 'node:tls';
import { failure, success, type Failure, type Result, type VaultFailureCode } from '../workflows/failures.ts';
import type { SealStatus, ServerCertificate, VaultConnection, VaultPort } from '../workflows/ports.ts';
import { parseVaultAddress } from './address.ts';
import { describeStatus, notJson, parseJson, parseSealStatus, unexpectedReply } from './replies.ts';
import { certificateSha256, tlsOptions } from './trust.ts';
import { createVaultTransport, describeConnectionError, type VaultExchange } from './transport.ts';

export interface VaultPortOptions {
  /** For one call, milliseconds. */
  readonly deadline?: number;
}

/** Where a call leaves what it got: node-vault keeps neither status nor bytes. */
interface Capture {
  exchange?: VaultExchange;
}

class ExchangeFailed extends Error {}

/** sys/health's status codes, as documented; each is a state, none an error. */
const healthStates = {
  200: 'active',
  429: 'standby',
  472: 'dr-secondary',
  473: 'performance-standby',
  501: 'uninitialized',
  503: 'sealed',
} as const;

function isHealthStatus(status: number): status is keyof typeof healthStates {
  return status in healthStates;
}

function isCapture(value: unknown): value is Capture {
  return typeof value === 'object' && value !== null;
}

/**
 * Vault calls that carry no secret, through node-vault. Its own transport (axios) has no deadline, takes
 * proxies and VAULT_SKIP_VERIFY from the environment and follows redirects, so it is given ours; its debug
 * output prints what it sends, so it is given none.
 */
export function createVaultPort(options: VaultPortOptions = {}): VaultPort & { close(): void } {
  const deadline = options.deadline ?? 5_000;
  const transport = createVaultTransport();
  const clients = new Map<string, nodeVault.client>();

  function client(connection: VaultConnection): nodeVault.client {
    const key = JSON.stringify(connection);
    const known = clients.get(key);
    if (known !== undefined) return known;
    const request = async (call: {
      readonly method: string;
      readonly uri: string;
      readonly capture?: unknown;
    }): Promise<unknown> => {
      const url = new URL(call.uri);
      const exchange = await transport.exchange(connection, {
        method: 'GET',
        path: url.pathname + url.search,
        deadline,
      });
      if (isCapture(call.capture)) call.capture.exchange = exchange;
      if (exchange.kind === 'failed') throw new ExchangeFailed(exchange.error.message);
      return { statusCode: exchange.status, body: parseJson(exchange.body), request: { path: url.pathname } };
    };
    const made = nodeVault({
      apiVersion: 'v1',
      endpoint: connection.address,
      debug: () => undefined,
      'request-promise': { defaults: () => request },
    });
    // node-vault fills these from VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX where they are set.
    Object.assign(made, { token: '', namespace: '', pathPrefix: '' });
    clients.set(key, made);
    return made;
  }

  async function call(
    connection: VaultConnection,
    act: (client: nodeVault.client, options: { readonly capture: Capture }) => Promise<unknown>,
  ): Promise<VaultExchange> {
    const address = parseVaultAddress(connection.address);
    if (!address.ok) return { kind: 'failed', error: address.error, sent: false };
    const capture: Capture = {};
    try {
      await act(client(connection), { capture });
    } catch (cause) {
      // A status that node-vault takes for an error, or our own ExchangeFailed: what was captured says more.
      if (capture.exchange === undefined) throw cause;
    }
    return capture.exchange ?? { kind: 'failed', error: unexpectedReply(connection.address, 0), sent: true };
  }

  return {
    async sealStatus(connection): Promise<Result<SealStatus, VaultFailureCode>> {
      const exchange = await call(connection, (vault, given) => vault.status({ requestOptions: given }));
      if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
      if (exchange.status !== 200)
        return { ok: false, error: describeStatus(exchange.status, exchange.body, connection.address) };
      return parseSealStatus(exchange.body, connection.address);
    },
    async health(connection) {
      const exchange = await call(connection, (vault, given) => vault.health({ requestOptions: given }));
      if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
      if (!isHealthStatus(exchange.status))
        return { ok: false, error: describeStatus(exchange.status, exchange.body, connection.address) };
      if (parseJson(exchange.body) === undefined) return { ok: false, error: notJson(connection.address) };
      return success({ state: healthStates[exchange.status] });
    },
    fetchCertificate: (address) => fetchCertificate(address, deadline),
    close() {
      transport.close();
      clients.clear();
    },
  };
}

/** Looks at the certificate that a server shows, trusting nothing and sending nothing. */
async function fetchCertificate(
  address: string,
  deadline: number,
): Promise<Result<ServerCertificate, VaultFailureCode>> {
  const url = parseVaultAddress(address);
  if (!url.ok) return url;
  if (url.value.protocol === 'http:')
    return failure('Vault_AddressInvalid', 'A server without TLS shows no certificate.', 'Use the https:// address.');
  return new Promise((resolve) => {
    const socket = connectTls({ ...tlsOptions(url.value), rejectUnauthorized: false });
    const settle = (result: Result<ServerCertificate, VaultFailureCode>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const fail = (error: Failure<VaultFailureCode>): void => settle({ ok: false, error });
    const timer = setTimeout(
      () => fail(describeConnectionError(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }), address)),
      deadline,
    );
    socket.once('error', (cause) => fail(describeConnectionError(cause, address)));
    socket.once('close', () => fail(describeConnectionError(undefined, address)));
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) {
        fail(describeConnectionError(undefined, address));
        return;
      }
      settle(
        success({
          sha256: certificateSha256(certificate),
          subject: certificate.subject,
          issuer: certificate.issuer,
          validFrom: new Date(certificate.validFrom).toISOString(),
          validTo: new Date(certificate.validTo).toISOString(),
        }),
      );
    });
  });
}
