import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ChannelReply } from '../../contract/channels.ts';
import { failure, success, type Result } from '../../workflows/failures.ts';
import { publicKeyForms } from '../../workflows/public-key-forms.ts';
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
const formNames = { pem: 'pem', ssh: 'openSsh', jwk: 'jwk' } as const;

/** @param spki DER SubjectPublicKeyInfo, base64 */
function toText(spki: string, label: string, format: Format): Result<string> {
  const forms = publicKeyForms(Buffer.from(spki, 'base64'), label);
  if (!forms.ok) return forms;
  const form = forms.value[formNames[format]];
  if (form.available) return success(form.text.endsWith('\n') ? form.text : `${form.text}\n`);
  return failure('Token_KeyUnsuitable', form.why, 'Save it as PEM, which takes every key.', {
    kind: forms.value.kind,
  });
}

/** A key's label as a file name: nothing in it leads to another folder or hides the file. */
function fileNameOf(label: string, id: string): string {
  const name = label.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^[.-]+|[.-]+$/gu, '');
  return name !== '' ? name.slice(0, 80) : id !== '' ? `key-${id.slice(0, 16)}` : 'public-key';
}

/** What these handlers need of their context. */
export type TokenHandlerParts = Pick<HandlerContext, 'desktop'> & {
  readonly core: {
    readonly objects: Pick<HandlerContext['core']['objects'], 'exportPublicKey'>;
    readonly stores: HandlerContext['core']['stores'];
  };
  readonly tokens: Pick<HandlerContext['tokens'], 'refresh' | 'inspect'>;
};

export function createTokenHandlers({ core, desktop, tokens }: TokenHandlerParts): Group<'tokens'> {
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
      const text = toText(exported.value.publicKeySpki, label, format);
      if (!text.ok) return text;
      const extension = extensions[format];
      const path = await desktop.chooseSavePath(`${fileNameOf(label, id)}.${extension}`, extension);
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
