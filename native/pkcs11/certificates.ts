import { X509Certificate } from 'node:crypto';
import pkcs11js from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import { createObject } from './create-object.ts';
import { findNamed } from './key-objects.ts';
import type { TokenModule } from './module.ts';
import { readAttribute, readBoolean } from './objects.ts';
import { readCertificateFields, sha256Hex } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';
import { withFreshSession, withLogin, withSession } from './sessions.ts';
import { certificateTemplate } from './templates.ts';

export interface CertificateToStore {
  /** DER. */
  readonly certificate: Buffer;
  readonly label: string;
  /** Hex; that of the key pair it certifies. */
  readonly id: string;
}

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

function subjectOf(certificate: Buffer): string | undefined {
  try {
    const { subject, raw } = new X509Certificate(certificate);
    // PEM is taken as well as DER; what goes onto the token is DER.
    return raw.equals(certificate) ? subject.replaceAll('\n', ', ') : undefined;
  } catch {
    // OpenSSL's reasons say nothing to a person.
    return undefined;
  }
}

function invalid(): Refused {
  return failure(
    'Token_CertificateInvalid',
    'This is not an X.509 certificate in DER form. Nothing was stored.',
    'Choose the certificate’s own file; a file with several certificates has to be split first.',
  );
}

/**
 * Stores an X.509 certificate and reads it back in a session of its own. Needs login.
 * Failures: Token_CertificateInvalid, Token_ObjectExists (one of that label and id is there), Token_ObjectNotKept,
 * Token_MemoryFull, Token_NotLoggedIn.
 *
 * On a SmartCard-HSM a certificate with a key's id takes the place of that key's certificate request (OpenSC's
 * pkcs15-sc-hsm.c writes both to the file CE and the key's number), so the key can no longer be attested.
 */
export function storeCertificate(
  module: TokenModule,
  serial: string,
  { certificate, label, id }: CertificateToStore,
): TokenResult<TokenHostReply<'objects.store-certificate'>> {
  const subject = subjectOf(certificate);
  const fields = readCertificateFields(certificate);
  if (subject === undefined || fields === undefined) return invalid();
  const name = { id, label };
  const stored = withLogin(module, serial, ({ session }): TokenResult<Record<string, never>> => {
    if (findNamed(module, session, pkcs11js.CKO_CERTIFICATE, name).length > 0) {
      return failure(
        'Token_ObjectExists',
        `There is a certificate “${label}” with this id on the token already. It was left as it is.`,
        'Delete that one first if it is not needed any more, or choose another label.',
        { label, id },
      );
    }
    return createObject(module, session, certificateTemplate(label, Buffer.from(id, 'hex'), certificate, fields));
  });
  if (!stored.ok) return stored;
  return withFreshSession(module, serial, (session) => {
    const { cryptoki } = module;
    const [object, another] = findNamed(module, session, pkcs11js.CKO_CERTIFICATE, name);
    const kept =
      object !== undefined &&
      another === undefined &&
      readBoolean(cryptoki, session, object, pkcs11js.CKA_TOKEN) === true &&
      readAttribute(cryptoki, session, object, pkcs11js.CKA_VALUE)?.equals(certificate) === true;
    if (kept) return success({ label, sha256: sha256Hex(certificate), subject });
    return failure(
      'Token_ObjectNotKept',
      `The token took the certificate “${label}”, but does not keep it as it was written.`,
      'List the token’s objects again to see what it made of it.',
      { label, id },
    );
  });
}

/**
 * The certificate with this hash among those of its label and id, as it lies on the token (DER).
 * Failures: Token_ObjectMissing.
 */
export function readCertificate(
  module: TokenModule,
  serial: string,
  { label, id, sha256 }: { readonly label: string; readonly id: string; readonly sha256: string },
): TokenResult<Buffer> {
  return withSession(module, serial, (session) => {
    for (const object of findNamed(module, session, pkcs11js.CKO_CERTIFICATE, { id, label })) {
      const certificate = readAttribute(module.cryptoki, session, object, pkcs11js.CKA_VALUE);
      if (certificate !== undefined && sha256Hex(certificate) === sha256) return success(certificate);
    }
    return failure(
      'Token_ObjectMissing',
      `There is no such certificate “${label}” on the token.`,
      'List the token’s objects again; somebody may have deleted it.',
      { label, id },
    );
  });
}
