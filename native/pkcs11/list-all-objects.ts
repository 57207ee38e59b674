import { X509Certificate } from 'node:crypto';
import pkcs11js, { type Handle } from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import type { TokenModule } from './module.ts';
import { findObjects, readAttribute, readBoolean, readNumber, readText, readValueIfKept } from './objects.ts';
import { publicKeyOfCertificate, readPublicKey, sha256Hex, type PublicKeyValue } from './public-keys.ts';
import { attempt, failureOfReturnValue, type TokenResult } from './return-values.ts';
import { mustBeAlive, withSession } from './sessions.ts';
import { findToken } from './tokens.ts';

type ObjectList = TokenHostReply<'objects.list'>;
type TokenObject = ObjectList['objects'][number];

const classes: ReadonlyMap<number, TokenObject['objectClass']> = new Map([
  [pkcs11js.CKO_PRIVATE_KEY, 'private-key'],
  [pkcs11js.CKO_PUBLIC_KEY, 'public-key'],
  [pkcs11js.CKO_SECRET_KEY, 'secret-key'],
  [pkcs11js.CKO_CERTIFICATE, 'certificate'],
  [pkcs11js.CKO_DATA, 'data'],
]);

/** CKK_EC_EDWARDS and CKK_EC_MONTGOMERY (PKCS#11 v3.0 section 2.3), which pkcs11js does not name. */
const edwardsKey = 0x40;
const montgomeryKey = 0x41;

const keyKinds: ReadonlyMap<number, string> = new Map([
  [pkcs11js.CKK_RSA, 'RSA'],
  [pkcs11js.CKK_EC, 'EC'],
  [edwardsKey, 'EC-EDWARDS'],
  [montgomeryKey, 'EC-MONTGOMERY'],
  [pkcs11js.CKK_DSA, 'DSA'],
  [pkcs11js.CKK_AES, 'AES'],
  [pkcs11js.CKK_DES3, 'DES3'],
  [pkcs11js.CKK_GENERIC_SECRET, 'GENERIC'],
]);

const always = { TOKEN: pkcs11js.CKA_TOKEN, PRIVATE: pkcs11js.CKA_PRIVATE, MODIFIABLE: pkcs11js.CKA_MODIFIABLE };
const ofEveryKey = { ...always, LOCAL: pkcs11js.CKA_LOCAL, DERIVE: pkcs11js.CKA_DERIVE };
const ofPublicKeys = {
  ...ofEveryKey,
  ENCRYPT: pkcs11js.CKA_ENCRYPT,
  VERIFY: pkcs11js.CKA_VERIFY,
  WRAP: pkcs11js.CKA_WRAP,
};
const ofHiddenKeys = {
  ...ofEveryKey,
  SENSITIVE: pkcs11js.CKA_SENSITIVE,
  ALWAYS_SENSITIVE: pkcs11js.CKA_ALWAYS_SENSITIVE,
  EXTRACTABLE: pkcs11js.CKA_EXTRACTABLE,
  NEVER_EXTRACTABLE: pkcs11js.CKA_NEVER_EXTRACTABLE,
  DECRYPT: pkcs11js.CKA_DECRYPT,
  SIGN: pkcs11js.CKA_SIGN,
  UNWRAP: pkcs11js.CKA_UNWRAP,
};

/** What may be true of an object of each class: names without the prefix CKA_. */
const attributesByClass: Readonly<Record<TokenObject['objectClass'], Readonly<Record<string, number>>>> = {
  'private-key': ofHiddenKeys,
  'public-key': ofPublicKeys,
  'secret-key': { ...ofHiddenKeys, ENCRYPT: pkcs11js.CKA_ENCRYPT, WRAP: pkcs11js.CKA_WRAP },
  certificate: { ...always, TRUSTED: pkcs11js.CKA_TRUSTED },
  data: always,
  other: always,
};

interface Reader {
  readonly module: TokenModule;
  readonly session: Handle;
  readonly object: Handle;
}

function trueAttributes({ module, session, object }: Reader, objectClass: TokenObject['objectClass']): string[] {
  return Object.entries(attributesByClass[objectClass])
    .filter(([, type]) => readBoolean(module.cryptoki, session, object, type) === true)
    .map(([name]) => name);
}

/** Subject and end as the certificate says them; empty where it cannot be read. */
function describeCertificate(certificate: Buffer): { readonly subject: string; readonly notAfter: string } {
  try {
    const { subject, validTo } = new X509Certificate(certificate);
    const end = new Date(validTo);
    return {
      subject: subject.replaceAll('\n', ', '),
      notAfter: Number.isNaN(end.getTime()) ? '' : end.toISOString(),
    };
  } catch {
    // No X.509, or damaged: it is listed all the same, so that it can be deleted.
    return { subject: '', notAfter: '' };
  }
}

function keyFacts(publicKey: PublicKeyValue | undefined): Partial<TokenObject> {
  if (publicKey === undefined) return {};
  return { bits: publicKey.bits, curve: publicKey.curve, sha256: publicKey.sha256 };
}

function describeByClass(reader: Reader, objectClass: TokenObject['objectClass']): Partial<TokenObject> {
  const { module, session, object } = reader;
  const { cryptoki } = module;
  const value = (): Buffer | undefined => readValueIfKept(cryptoki, session, object);
  switch (objectClass) {
    case 'private-key':
    case 'public-key':
    case 'secret-key': {
      const keyType = readNumber(cryptoki, session, object, pkcs11js.CKA_KEY_TYPE);
      const kind = keyType === undefined ? '' : (keyKinds.get(keyType) ?? `0x${keyType.toString(16)}`);
      if (objectClass !== 'secret-key') return { kind, ...keyFacts(readPublicKey(cryptoki, session, object)) };
      return { kind, bits: (readNumber(cryptoki, session, object, pkcs11js.CKA_VALUE_LEN) ?? 0) * 8 };
    }
    case 'certificate': {
      const certificate = value() ?? Buffer.alloc(0);
      const { bits = 0, curve = '' } = publicKeyOfCertificate(certificate) ?? {};
      const isX509 = readNumber(cryptoki, session, object, pkcs11js.CKA_CERTIFICATE_TYPE) === pkcs11js.CKC_X_509;
      return {
        kind: isX509 ? 'X.509' : '',
        bits,
        curve,
        size: certificate.length,
        ...describeCertificate(certificate),
        sha256: certificate.length === 0 ? '' : sha256Hex(certificate),
      };
    }
    case 'data': {
      const bytes = value();
      return bytes === undefined ? {} : { size: bytes.length, sha256: sha256Hex(bytes) };
    }
    case 'other':
      return {};
  }
}

function describe(reader: Reader): TokenObject {
  const { module, session, object } = reader;
  const { cryptoki } = module;
  const classNumber = readNumber(cryptoki, session, object, pkcs11js.CKA_CLASS);
  const objectClass = (classNumber === undefined ? undefined : classes.get(classNumber)) ?? 'other';
  return {
    objectClass,
    label: readText(cryptoki, session, object, pkcs11js.CKA_LABEL),
    id: readAttribute(cryptoki, session, object, pkcs11js.CKA_ID)?.toString('hex') ?? '',
    kind: '',
    bits: 0,
    curve: '',
    size: 0,
    attributes: trueAttributes(reader, objectClass),
    subject: '',
    notAfter: '',
    sha256: '',
    ...describeByClass(reader, objectClass),
  };
}

/** A private key that does not show its public half takes that of the public key with its id. */
function withPublicHalf(object: TokenObject, all: readonly TokenObject[]): TokenObject {
  if (object.objectClass !== 'private-key' || object.sha256 !== '' || object.id === '') return object;
  const half = all.find(({ objectClass, id }) => objectClass === 'public-key' && id === object.id);
  return half === undefined ? object : { ...object, bits: half.bits, curve: half.curve, sha256: half.sha256 };
}

function isUnreadable({ objectClass, sha256 }: TokenObject): boolean {
  return sha256 === '' && (objectClass === 'data' || objectClass === 'certificate');
}

/** CK_UNAVAILABLE_INFORMATION is the largest CK_ULONG, of 32 or 64 bits (PKCS#11 v2.40 section 3.2). */
function bytesOrUnknown(bytes: number): number {
  return bytes >= 0xff_ff_ff_ff ? -1 : bytes;
}

/**
 * Every object that is seen now, private ones where this host is logged in, and the token's memory in bytes.
 * Objects of the module's own kinds (hardware features, mechanisms, profiles) are left out.
 */
export function listAllObjects(module: TokenModule, serial: string): TokenResult<ObjectList> {
  const objects = withSession(module, serial, (session) => {
    const described = [...classes.keys()]
      .flatMap((type) => findObjects(module.cryptoki, session, [{ type: pkcs11js.CKA_CLASS, value: type }]))
      .map((object) => describe({ module, session, object }));
    // A value that could not be read may be missing on the card, or the card has gone: only the latter is said here.
    if (described.some(isUnreadable)) mustBeAlive(module, session);
    return success(described);
  });
  if (!objects.ok) return objects;
  const token = findToken(module, serial);
  if (!token.ok) return token;
  const memory = attempt(() => module.cryptoki.C_GetTokenInfo(token.value.slot));
  if (!memory.ok) return failureOfReturnValue(memory.returnValue);
  return success({
    objects: objects.value.map((object) => withPublicHalf(object, objects.value)),
    freePublicMemory: bytesOrUnknown(memory.value.freePublicMemory),
    totalPublicMemory: bytesOrUnknown(memory.value.totalPublicMemory),
  });
}
