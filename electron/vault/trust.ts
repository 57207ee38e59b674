/**
 * Whom a connection to Vault trusts. The same agents serve calls with and without secrets: a certificate is
 * judged before the connection is handed to any request, so not one byte of a request reaches a stranger.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls, rootCertificates, type ConnectionOptions } from 'node:tls';
import type { Duplex } from 'node:stream';
import { failure, success, type Result, type VaultFailureCode } from '../workflows/failures.ts';
import type { VaultTrust } from '../workflows/ports.ts';

/** Longest wait for TCP and TLS together, milliseconds. */
const connectDeadline = 10_000;
const idleSocketMilliseconds = 30_000;

/** The certificate shown is not the pinned one. */
export class PinMismatchError extends Error {
  readonly shown: string;
  constructor(shown: string) {
    super('The server shows another certificate than the pinned one.');
    this.shown = shown;
  }
}

/** SHA-256 of a certificate's DER, hex; '' for none. Ask a socket for its certificate once: Node answers only the first time. */
export function certificateSha256(certificate: X509Certificate | undefined): string {
  return certificate === undefined ? '' : createHash('sha256').update(certificate.raw).digest('hex');
}

/** Where systems keep the authorities that they trust: Debian, Fedora, Alpine and macOS. */
const systemAuthorityFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

type Trusted =
  | { readonly kind: 'authorities'; readonly ca: string | readonly string[] }
  | { readonly kind: 'pinned'; readonly sha256: string };

export function tlsOptions(url: URL): ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  return {
    host,
    port: url.port === '' ? 443 : Number(url.port),
    minVersion: 'TLSv1.2',
    // An IP address is no server name (RFC 6066, section 3).
    ...(isIP(host) === 0 ? { servername: host } : { servername: '' }),
  };
}

class TrustingAgent extends https.Agent {
  readonly #url: URL;
  readonly #trusted: Trusted;

  constructor(url: URL, trusted: Trusted) {
    // No session cache: a resumed TLS session would skip the look at the certificate.
    super({ keepAlive: true, maxCachedSessions: 0, maxSockets: 4, timeout: idleSocketMilliseconds });
    this.#url = url;
    this.#trusted = trusted;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const trusted = this.#trusted;
    const socket = connectTls({
      ...tlsOptions(this.#url),
      ...(trusted.kind === 'authorities'
        ? { ca: typeof trusted.ca === 'string' ? trusted.ca : [...trusted.ca], rejectUnauthorized: true }
        : // The pin replaces the chain: it is compared below, before any request gets this socket.
          { rejectUnauthorized: false }),
    });
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('No connection in time.'), { code: 'ETIMEDOUT' }));
    }, connectDeadline);
    timer.unref();
    const fail = (error: Error): void => {
      clearTimeout(timer);
      callback?.(error, socket);
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      if (trusted.kind === 'pinned') {
        const shown = certificateSha256(socket.getPeerX509Certificate());
        if (shown !== trusted.sha256.toLowerCase()) {
          socket.destroy(new PinMismatchError(shown));
          return;
        }
      }
      socket.removeListener('error', fail);
      callback?.(null, socket);
    });
    return undefined;
  }
}

async function readAuthorities(path: string): Promise<Result<string, VaultFailureCode>> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text?.includes('-----BEGIN CERTIFICATE-----') === true) return success(text);
  return failure(
    'Vault_CaFileUnreadable',
    text === undefined
      ? `The CA file ${path} cannot be read.`
      : `The CA file ${path} holds no certificate in PEM form.`,
    'Choose the PEM file of the authority that signed the certificate of this Vault.',
    { path },
  );
}

export interface AgentPool {
  /** The agent for a server; undefined for http on loopback is never given: it gets a plain agent. */
  agent(url: URL, trust: VaultTrust): Promise<Result<http.Agent, VaultFailureCode>>;
  close(): void;
}

/** Connections are kept and used again per server and trust; a changed CA file makes a new agent. */
export function createAgentPool(): AgentPool {
  const agents = new Map<string, http.Agent>();
  let plain: http.Agent | undefined;

  async function resolveTrust(
    trust: VaultTrust,
  ): Promise<Result<{ key: string; load: () => Promise<Result<Trusted, VaultFailureCode>> }, VaultFailureCode>> {
    if (trust.kind === 'pinned')
      return success({
        key: `pinned ${trust.sha256}`,
        load: () => Promise.resolve(success({ kind: 'pinned', sha256: trust.sha256 } as const)),
      });
    const path = trust.kind === 'ca-file' ? trust.path : systemAuthorityFiles.find((file) => existsSync(file));
    if (path === undefined)
      return success({
        key: 'bundled',
        load: () => Promise.resolve(success({ kind: 'authorities', ca: rootCertificates } as const)),
      });
    const status = await stat(path).catch(() => undefined);
    return success({
      key: `authorities ${path} ${status?.mtimeMs ?? 0} ${status?.size ?? 0}`,
      load: async () => {
        const text = await readAuthorities(path);
        return text.ok ? success({ kind: 'authorities', ca: text.value } as const) : text;
      },
    });
  }

  return {
    async agent(url, trust) {
      if (url.protocol === 'http:') {
        plain ??= new http.Agent({ keepAlive: true, timeout: idleSocketMilliseconds });
        return success(plain);
      }
      const resolved = await resolveTrust(trust);
      if (!resolved.ok) return resolved;
      const key = `${url.origin} ${resolved.value.key}`;
      const known = agents.get(key);
      if (known !== undefined) return success(known);
      const loaded = await resolved.value.load();
      if (!loaded.ok) return loaded;
      const made = new TrustingAgent(url, loaded.value);
      agents.set(key, made);
      return success(made);
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
      plain?.destroy();
      plain = undefined;
    },
  };
}
