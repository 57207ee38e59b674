import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ChannelReply } from '../../contract/channels.ts';
import { failure, success, type Result } from '../../workflows/failures.ts';
import type { SavedFileKind } from '../desktop-port.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';
import { readSmallFile } from './small-file.ts';

/** A certificate has to fit beside keys on a card of 76 kB, and into a plan. */
const maximumCertificateBytes = 32 * 1024;

type ChosenCertificate = ChannelReply<'tokens.choose-certificate'>;

const noCertificate: ChosenCertificate = {
  chosen: false,
  fileName: '',
  fileBase64: '',
  subject: '',
  notAfter: '',
  sha256: '',
};

/** @param content PEM (its first certificate) or DER */
function describeCertificate(fileName: string, content: Uint8Array): Result<ChosenCertificate> {
  try {
    const certificate = new X509Certificate(content);
    return success({
      chosen: true,
      fileName,
      fileBase64: certificate.raw.toString('base64'),
      // One attribute a line, the most general first.
      subject: certificate.subject.split('\n').join(', '),
      notAfter: new Date(certificate.validTo).toISOString(),
      sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return failure(
      'Token_CertificateInvalid',
      `${fileName} holds no X.509 certificate that can be read.`,
      'Choose a certificate in PEM or DER form, without its private key.',
    );
  }
}

async function savePublicKey(path: string, content: string): Promise<Result<{ readonly path: string }>> {
  try {
    await writeFile(path, content);
    return success({ path });
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return failure(
      reason === 'ENOSPC' ? 'Custody_DiskFull' : 'Custody_WriteFailed',
      `The public key could not be saved there (${reason}).`,
      'Choose another place and save it again.',
    );
  }
}

type Format = 'pem' | 'ssh' | 'jwk';
const extensions: Readonly<Record<Format, SavedFileKind>> = { pem: 'pem', ssh: 'pub', jwk: 'jwk' };

function toText(spki: string, format: Format): Result<string> {
  if (format === 'pem') {
    const lines = spki.match(/.{1,64}/gu) ?? [];
    return success(['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n'));
  }
  return failure('App_BadRequest', 'This form of a public key is not known.', 'Save it as PEM.');
}

export function createTokenHandlers({ core, desktop, tokens }: HandlerContext): Group<'tokens'> {
  const isKnown = (storeId: string): boolean => core.stores().some((store) => store.id === storeId);
  return {
    async 'tokens.refresh'() {
      await tokens.refresh();
      return success({});
    },
    async 'tokens.inspect'({ storeId, serial }) {
      if (!isKnown(storeId)) return notFound('The token store');
      return tokens.inspect({ storeId, serial });
    },
    async 'tokens.export-key'({ storeId, serial, id, label, format }) {
      if (!isKnown(storeId)) return notFound('The token store');
      const exported = await core.objects.exportPublicKey({ storeId, serial }, { id, label });
      if (!exported.ok) return exported;
      const text = toText(exported.value.publicKeySpki, format);
      if (!text.ok) return text;
      const extension = extensions[format];
      const name = label.replaceAll(/[^A-Za-z0-9._-]/gu, '_').replace(/^\.+/u, '') || id || 'public-key';
      const path = await desktop.chooseSavePath(`${name}.${extension}`, extension);
      return path === undefined ? success({ path: '' }) : savePublicKey(path, text.value);
    },
    async 'tokens.choose-certificate'() {
      const path = await desktop.chooseFile('certificate');
      if (path === undefined) return success(noCertificate);
      const file = await readSmallFile(path, maximumCertificateBytes);
      return file.ok ? describeCertificate(basename(path), file.value) : file;
    },
  };
}
