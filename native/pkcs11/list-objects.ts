import pkcs11js, { type Handle } from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import type { TokenModule } from './module.ts';
import { findObjects, readAttribute, readBoolean, readNumber, readText, readValueIfKept } from './objects.ts';
import { readPublicKey, type PublicKeyValue } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';
import { mustBeAlive, withSession } from './sessions.ts';
import { searchTemplate } from './templates.ts';

type ObjectList = TokenHostReply<'listObjects'>;
type KeyPair = ObjectList['keyPairs'][number];
type DataObject = ObjectList['dataObjects'][number];

interface HalfKey {
  readonly object: Handle;
  readonly label: string;
  readonly id: string;
  readonly keyType: number | undefined;
  readonly publicKey: PublicKeyValue | undefined;
}

const keyTypeNames: ReadonlyMap<number, string> = new Map([
  [pkcs11js.CKK_RSA, 'RSA'],
  [pkcs11js.CKK_EC, 'EC'],
  [pkcs11js.CKK_DSA, 'DSA'],
]);

function keyTypeName(keyType: number | undefined): string {
  if (keyType === undefined) return 'unknown';
  return keyTypeNames.get(keyType) ?? `0x${keyType.toString(16)}`;
}

function readHalves(module: TokenModule, session: Handle, objectClass: number): HalfKey[] {
  const { cryptoki } = module;
  return findObjects(cryptoki, session, searchTemplate(objectClass)).map((object) => ({
    object,
    label: readText(cryptoki, session, object, pkcs11js.CKA_LABEL),
    id: readAttribute(cryptoki, session, object, pkcs11js.CKA_ID)?.toString('hex') ?? '',
    keyType: readNumber(cryptoki, session, object, pkcs11js.CKA_KEY_TYPE),
    publicKey: readPublicKey(cryptoki, session, object),
  }));
}

/** Halves belong together by label, id and, where both show it, public key: pairs made by bank-vaults have no id. */
function belongTogether(one: HalfKey, other: HalfKey): boolean {
  if (one.label !== other.label || one.id !== other.id) return false;
  if (one.publicKey === undefined || other.publicKey === undefined) return true;
  return one.publicKey.sha256 === other.publicKey.sha256;
}

function describePair(
  module: TokenModule,
  session: Handle,
  publicKey: HalfKey | undefined,
  privateKey: HalfKey | undefined,
): KeyPair {
  const { cryptoki } = module;
  const either = publicKey ?? privateKey;
  const secret = (type: number): boolean | null =>
    privateKey === undefined ? null : readBoolean(cryptoki, session, privateKey.object, type);
  return {
    label: either?.label ?? '',
    id: either?.id ?? '',
    keyType: keyTypeName(either?.keyType),
    modulusBits: either?.publicKey?.kind === 'RSA' ? either.publicKey.bits : 0,
    curve: either?.publicKey?.kind === 'EC' ? either.publicKey.curve : '',
    hasPublic: publicKey !== undefined,
    hasPrivate: privateKey !== undefined,
    sensitive: secret(pkcs11js.CKA_SENSITIVE),
    extractable: secret(pkcs11js.CKA_EXTRACTABLE),
    publicKeySha256: publicKey?.publicKey?.sha256 ?? '',
  };
}

function listKeyPairs(module: TokenModule, session: Handle): KeyPair[] {
  const privateKeys = readHalves(module, session, pkcs11js.CKO_PRIVATE_KEY);
  const pairs = readHalves(module, session, pkcs11js.CKO_PUBLIC_KEY).map((publicKey) => {
    const index = privateKeys.findIndex((privateKey) => belongTogether(publicKey, privateKey));
    const privateKey = index < 0 ? undefined : privateKeys.splice(index, 1)[0];
    return describePair(module, session, publicKey, privateKey);
  });
  return [...pairs, ...privateKeys.map((privateKey) => describePair(module, session, undefined, privateKey))];
}

function listDataObjects(module: TokenModule, session: Handle): DataObject[] {
  const { cryptoki } = module;
  return findObjects(cryptoki, session, searchTemplate(pkcs11js.CKO_DATA)).map((object) => ({
    label: readText(cryptoki, session, object, pkcs11js.CKA_LABEL),
    application: readText(cryptoki, session, object, pkcs11js.CKA_APPLICATION),
    size: readValueIfKept(cryptoki, session, object)?.length ?? 0,
    token: readBoolean(cryptoki, session, object, pkcs11js.CKA_TOKEN) === true,
    private: readBoolean(cryptoki, session, object, pkcs11js.CKA_PRIVATE) === true,
  }));
}

/** Keys and data objects that are seen now: private ones only where this host is logged in. */
export function listObjects(module: TokenModule, serial: string): TokenResult<ObjectList> {
  return withSession(module, serial, (session) => {
    const listed = { keyPairs: listKeyPairs(module, session), dataObjects: listDataObjects(module, session) };
    if (listed.dataObjects.some(({ size }) => size === 0)) mustBeAlive(module, session);
    return success(listed);
  });
}
