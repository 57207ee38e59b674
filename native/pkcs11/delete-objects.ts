import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenHostRequest } from '../protocol.ts';
import { destroyObject } from './destroy-object.ts';
import { findNamed, nameOf, type KeyName } from './key-objects.ts';
import type { TokenModule } from './module.ts';
import { readValueIfKept } from './objects.ts';
import { readPublicKey, sha256Hex } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';
import { withFreshSession, withLogin } from './sessions.ts';

type DeleteRequest = Omit<TokenHostRequest<'objects.delete'>, 'serial'>;

/** The classes that go together, the one that holds the secret first: what is left after an unplugging is harmless. */
const classesOf: Readonly<Record<DeleteRequest['objectClass'], readonly number[]>> = {
  'key-pair': [pkcs11js.CKO_PRIVATE_KEY, pkcs11js.CKO_PUBLIC_KEY],
  'secret-key': [pkcs11js.CKO_SECRET_KEY],
  certificate: [pkcs11js.CKO_CERTIFICATE],
  data: [pkcs11js.CKO_DATA],
};

/** As `objects.list` says it; '' where the object does not show it. */
function sha256Of(module: TokenModule, session: Handle, object: Handle, objectClass: number): string {
  if (objectClass === pkcs11js.CKO_PRIVATE_KEY || objectClass === pkcs11js.CKO_PUBLIC_KEY) {
    return readPublicKey(module.cryptoki, session, object)?.sha256 ?? '';
  }
  if (objectClass === pkcs11js.CKO_SECRET_KEY) return '';
  const value = readValueIfKept(module.cryptoki, session, object);
  return value === undefined ? '' : sha256Hex(value);
}

/** A private key that shows no public half is meant where the name alone says so. */
function isMeant(sha256: string, wanted: string): boolean {
  return wanted === '' || sha256 === '' || sha256 === wanted;
}

function findMeant(
  module: TokenModule,
  session: Handle,
  objectClass: number,
  name: KeyName,
  sha256: string,
): readonly Handle[] {
  const named = findNamed(module, session, objectClass, name);
  if (named.length < 2 && objectClass !== pkcs11js.CKO_DATA && objectClass !== pkcs11js.CKO_CERTIFICATE) {
    return named.filter((object) => isMeant(sha256Of(module, session, object, objectClass), sha256));
  }
  return named.filter((object) => sha256 === '' || sha256Of(module, session, object, objectClass) === sha256);
}

function several(name: KeyName, count: number): { readonly ok: false; readonly error: Failure<TokenFailureCode> } {
  return failure(
    'Token_ObjectDoubled',
    `There are ${count} objects ${nameOf(name)} on the token, so it is not clear which one is meant. Nothing was deleted.`,
    'Choose one of them from the list of objects, where each has its own fingerprint.',
    { label: name.label, id: name.id, count },
  );
}

/**
 * Deletes the one object that is meant, or both halves of a key pair, and looks in a session of its own whether it
 * is gone. Of data objects with the bytes that `sha256` names it deletes one. Needs login. Failures: Token_ObjectMissing, Token_ObjectDoubled (nothing is deleted then),
 * Token_NotLoggedIn, Token_ReadOnly, Token_GeneralError where the token still has it.
 */
export function deleteObject(
  module: TokenModule,
  serial: string,
  { objectClass, label, id, sha256 }: DeleteRequest,
): TokenResult<{ readonly deleted: number }> {
  const name = { id, label };
  const classes = classesOf[objectClass];
  const oneOfSame = objectClass === 'data' && sha256 !== '';
  let remaining = 0;
  const deleted = withLogin(module, serial, ({ session, privateKeys }): TokenResult<number> => {
    const meant = classes.map((type) => findMeant(module, session, type, name, sha256));
    const most = Math.max(...meant.map((objects) => objects.length));
    if (most > 1 && !oneOfSame) return several(name, most);
    if (most === 0) {
      return failure(
        'Token_ObjectMissing',
        `There is no such object ${nameOf(name)} on the token.`,
        'List the token’s objects again.',
        { label, id },
      );
    }
    // Handles of keys that were looked up before may come to mean another object.
    privateKeys.clear();
    // Data objects of the very same bytes are as good as each other: one is deleted, the others stay.
    remaining = oneOfSame ? most - 1 : 0;
    const chosen = oneOfSame ? meant.flat().slice(0, 1) : meant.flat();
    return success(chosen.filter((object) => destroyObject(module, session, object)).length);
  });
  if (!deleted.ok) return deleted;
  return withFreshSession(module, serial, (session): TokenResult<{ readonly deleted: number }> => {
    const left = classes.flatMap((type) => findMeant(module, session, type, name, sha256));
    if (left.length === remaining) return success({ deleted: deleted.value });
    return failure(
      'Token_GeneralError',
      `The token said that it deleted the object ${nameOf(name)}, but still has it.`,
      'Unplug the token, plug it in again, and look once more.',
      { label, id },
    );
  });
}
