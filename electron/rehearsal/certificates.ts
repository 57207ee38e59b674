/**
 * A throw-away certificate authority and a server certificate under it, for a Vault that only this
 * machine reaches. ECDSA on P-256 with SHA-256; names as RFC 6125 wants them: subject alternative names only.
 */
import 'reflect-metadata';
import { createHash, randomBytes } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const millisecondsPerDay = 86_400_000;

export interface ServerCertificates {
  /** PEM, the certificate that clients trust. */
  readonly caCertificate: string;
  /** PEM, the server's own certificate. */
  readonly serverCertificate: string;
  /** PEM PKCS#8: goes into one file with mode 0600 beside the throw-away server. */
  readonly serverKey: string;
  /** SHA-256 of the server certificate's DER, hex: what a person pins. */
  readonly serverCertificateSha256: string;
}

export interface CertificateOptions {
  /** Subject common name of the authority. */
  readonly authorityName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** localhost and 127.0.0.1, from an hour ago (clocks differ) for 30 days. */
export function loopbackCertificateOptions(now: Date = new Date()): CertificateOptions {
  return {
    authorityName: 'Key Custodian rehearsal',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(now.getTime() + 30 * millisecondsPerDay),
  };
}

function serialNumber(): string {
  // RFC 5280, 4.1.2.2: positive and at most 20 octets, so the top bit stays clear.
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

async function exportPrivateKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/gu) ?? [];
  der.fill(0);
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** Makes the authority, signs one server certificate and forgets the authority's private key. */
export async function createServerCertificates(
  options: CertificateOptions = loopbackCertificateOptions(),
): Promise<ServerCertificates> {
  x509.cryptoProvider.set(crypto);
  const authorityKeys = await crypto.subtle.generateKey(signing, false, ['sign', 'verify']);
  const serverKeys = await crypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  const { notBefore, notAfter } = options;
  const authorityName = `CN=${options.authorityName}`;
  const authority = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: authorityName,
    issuer: authorityName,
    notBefore,
    notAfter,
    signingAlgorithm: signing,
    publicKey: authorityKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${options.dnsNames[0] ?? options.ipAddresses[0] ?? 'server'}`,
    issuer: authority.subject,
    notBefore,
    notAfter,
    signingAlgorithm: signing,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...options.dnsNames.map((value) => ({ type: 'dns' as const, value })),
        ...options.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(serverKeys.publicKey),
    ],
  });
  return {
    caCertificate: `${authority.toString('pem')}\n`,
    serverCertificate: `${server.toString('pem')}\n`,
    serverKey: await exportPrivateKey(serverKeys.privateKey),
    serverCertificateSha256: createHash('sha256').update(new Uint8Array(server.rawData)).digest('hex'),
  };
}
