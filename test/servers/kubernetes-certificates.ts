/**
 * The certificate authority of a test cluster: it signs the API server's and etcd's own certificates, and one client
 * certificate per user (Kubernetes, "X.509 client certificates": common name is the user, organizations its groups).
 */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const millisecondsPerHour = 3_600_000;

/** PEM, both. */
export interface SignedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface ClusterAuthority {
  /** PEM. */
  readonly certificate: string;
  /** For 127.0.0.1 and localhost; good as a client certificate too, for etcd's peers. */
  signServer(commonName: string): Promise<SignedCertificate>;
  signUser(user: string, groups: readonly string[]): Promise<SignedCertificate>;
}

function serialNumber(): string {
  // RFC 5280, 4.1.2.2: positive, so the top bit stays clear.
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

function armour(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

async function exportKey(key: CryptoKey): Promise<string> {
  return armour('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key));
}

/** The pair that signs service accounts' tokens: `public` checks them. */
export async function createTokenKeys(): Promise<{ readonly private: string; readonly public: string }> {
  const keys = await crypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  return {
    private: await exportKey(keys.privateKey),
    public: armour('PUBLIC KEY', await crypto.subtle.exportKey('spki', keys.publicKey)),
  };
}

/** Valid from an hour ago for a day. */
export async function createClusterAuthority(name: string): Promise<ClusterAuthority> {
  x509.cryptoProvider.set(crypto);
  const keys = await crypto.subtle.generateKey(signing, false, ['sign', 'verify']);
  const now = Date.now();
  const valid = {
    notBefore: new Date(now - millisecondsPerHour),
    notAfter: new Date(now + 24 * millisecondsPerHour),
  };
  const authority = await x509.X509CertificateGenerator.create({
    ...valid,
    serialNumber: serialNumber(),
    subject: [{ CN: [name] }],
    issuer: [{ CN: [name] }],
    signingAlgorithm: signing,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const sign = async (subject: x509.JsonName, extensions: x509.Extension[]): Promise<SignedCertificate> => {
    const own = await crypto.subtle.generateKey(signing, true, ['sign', 'verify']);
    const made = await x509.X509CertificateGenerator.create({
      ...valid,
      serialNumber: serialNumber(),
      subject,
      issuer: authority.subject,
      signingAlgorithm: signing,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...extensions,
      ],
    });
    return { certificate: `${made.toString('pem')}\n`, key: await exportKey(own.privateKey) };
  };
  return {
    certificate: `${authority.toString('pem')}\n`,
    signServer: (commonName) =>
      sign(
        [{ CN: [commonName] }],
        [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      ),
    signUser: (user, groups) =>
      sign(
        [...groups.map((group) => ({ O: [group] })), { CN: [user] }],
        [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
      ),
  };
}
