/**
 * The files that TLS to Vault stands on: the authorities' and the provider's own certificate and key. Those live for
 * days or hours where something renews them, and the provider runs for months: they are read again when they change.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TransitConfiguration } from '../configuration.ts';

export type CertificateFiles = Pick<TransitConfiguration, 'caFile' | 'clientCertificateFile' | 'clientKeyFile'>;

export type Renewal =
  | { readonly kind: 'same' }
  | { readonly kind: 'replaced'; readonly context: SecureContext }
  /** Half written, or gone: what was read before stays in use. */
  | { readonly kind: 'unusable'; readonly reason: string };

export interface Certificates {
  /** Of the files as they were opened. */
  readonly context: SecureContext;
  /** Looks at the files, and reads them where one of them is another than at the last look. */
  renew(): Renewal;
}

/** PEM of them all, or of the one that a DER file holds. A file without any would be taken, and no server trusted. */
function readAuthorities(path: string): Buffer | string {
  const content = readFileSync(path);
  const first = new X509Certificate(content);
  return content.includes('-----BEGIN CERTIFICATE-----') ? content : first.toString();
}

/** Throws what the file system or OpenSSL throws. */
function read({ caFile, clientCertificateFile, clientKeyFile }: CertificateFiles): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(caFile === undefined ? {} : { ca: readAuthorities(caFile) }),
    ...(clientCertificateFile === undefined ? {} : { cert: readFileSync(clientCertificateFile) }),
    ...(clientKeyFile === undefined ? {} : { key: readFileSync(clientKeyFile) }),
  });
}

/** Whatever replaces a file, in place or by a rename or a link (as the kubelet does), shows in one of these. */
function markOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found === undefined ? 'none' : [found.dev, found.ino, found.size, found.mtimeNs].join(' ');
    })
    .join('\n');
}

/** Reads the files now. Throws what the file system or OpenSSL throws. */
export function openCertificates(files: CertificateFiles): Certificates {
  const paths = [files.caFile, files.clientCertificateFile, files.clientKeyFile].filter((path) => path !== undefined);
  let mark = markOf(paths);
  return {
    context: read(files),
    renew: () => {
      const now = markOf(paths);
      if (now === mark) return { kind: 'same' };
      mark = now;
      try {
        return { kind: 'replaced', context: read(files) };
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause)) throw cause;
        return { kind: 'unusable', reason: String(cause.code) };
      }
    },
  };
}
