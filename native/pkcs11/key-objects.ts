/** Keys of any kind, by id and label as they are listed, and the public key that goes with each. */
import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { findObjects, readAttribute, readText } from './objects.ts';
import { publicKeyOfCertificate, readPublicKey, type PublicKeyValue } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';

/** CKA_ID in hex and CKA_LABEL, either of which may be ''. */
export interface KeyName {
  readonly id: string;
  readonly label: string;
}

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

/** How a person is told which key is meant. */
export function nameOf({ id, label }: KeyName): string {
  return label === '' ? `with id ${id === '' ? '(none)' : id}` : `“${label}”`;
}

export function keyAbsent(name: KeyName): Refused {
  return failure(
    'Token_KeyMissing',
    `There is no key ${nameOf(name)} on the token.`,
    'List the token’s objects again and choose one of them.',
    { label: name.label, id: name.id },
  );
}

/** Objects of a class with exactly this id and label. */
export function findNamed(module: TokenModule, session: Handle, objectClass: number, name: KeyName): Handle[] {
  const { cryptoki } = module;
  // Compared here: modules differ in whether an empty value in a template finds objects without one.
  return findObjects(cryptoki, session, [{ type: pkcs11js.CKA_CLASS, value: objectClass }]).filter(
    (object) =>
      readText(cryptoki, session, object, pkcs11js.CKA_LABEL) === name.label &&
      (readAttribute(cryptoki, session, object, pkcs11js.CKA_ID)?.toString('hex') ?? '') === name.id,
  );
}

/** The same by id alone, where there is one: a certificate and a public half may bear a label of their own. */
function findWithId(module: TokenModule, session: Handle, objectClass: number, id: string): Handle[] {
  if (id === '') return [];
  return findObjects(module.cryptoki, session, [
    { type: pkcs11js.CKA_CLASS, value: objectClass },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') },
  ]);
}

function distinct(keys: readonly (PublicKeyValue | undefined)[]): PublicKeyValue[] {
  const byHash = new Map<string, PublicKeyValue>();
  for (const key of keys) if (key !== undefined) byHash.set(key.sha256, key);
  return [...byHash.values()];
}

/**
 * The public key under an id and label: from its public key object, else from the private one where that shows it,
 * else from a certificate with its id. Failures: Token_KeyMissing, Token_KeyLabelDoubled (several keys of one name),
 * Token_KeyUnsuitable (it is there, but shows no public key).
 */
export function findPublicKey(module: TokenModule, session: Handle, name: KeyName): TokenResult<PublicKeyValue> {
  const { cryptoki } = module;
  const publicObjects = findNamed(module, session, pkcs11js.CKO_PUBLIC_KEY, name);
  const privateObjects = findNamed(module, session, pkcs11js.CKO_PRIVATE_KEY, name);
  const namedCertificates = findNamed(module, session, pkcs11js.CKO_CERTIFICATE, name);
  if (publicObjects.length + privateObjects.length + namedCertificates.length === 0) return keyAbsent(name);
  const certificates = [...namedCertificates, ...findWithId(module, session, pkcs11js.CKO_CERTIFICATE, name.id)];
  const sources: readonly (() => (PublicKeyValue | undefined)[])[] = [
    () => [...publicObjects, ...privateObjects].map((object) => readPublicKey(cryptoki, session, object)),
    () =>
      findWithId(module, session, pkcs11js.CKO_PUBLIC_KEY, name.id).map((object) =>
        readPublicKey(cryptoki, session, object),
      ),
    () =>
      certificates.map((object) => {
        const certificate = readAttribute(cryptoki, session, object, pkcs11js.CKA_VALUE);
        return certificate === undefined ? undefined : publicKeyOfCertificate(certificate);
      }),
  ];
  for (const source of sources) {
    const [key, another] = distinct(source());
    if (another !== undefined) return severalKeys(name);
    if (key !== undefined) return success(key);
  }
  return failure(
    'Token_KeyUnsuitable',
    `The key ${nameOf(name)} does not show its public half, and there is no certificate with its id.`,
    'Store the key’s certificate on the token, or export the public key where the pair was made.',
    { label: name.label, id: name.id },
  );
}

export function severalKeys(name: KeyName): Refused {
  return failure(
    'Token_KeyLabelDoubled',
    `There are several different keys ${nameOf(name)} on the token, so it is not clear which one is meant.`,
    'Find out which one is right and delete the other.',
    { label: name.label, id: name.id },
  );
}

/** The one private key under an id and label. Failures: Token_KeyMissing, Token_KeyLabelDoubled. */
export function findPrivateKeyObject(module: TokenModule, session: Handle, name: KeyName): TokenResult<Handle> {
  const [key, another] = findNamed(module, session, pkcs11js.CKO_PRIVATE_KEY, name);
  if (key === undefined) return keyAbsent(name);
  return another === undefined ? success(key) : severalKeys(name);
}
