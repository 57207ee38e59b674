import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import { createObject } from './create-object.ts';
import { destroyObject } from './destroy-object.ts';
import type { TokenModule } from './module.ts';
import { findObjects, readAttribute, readBoolean } from './objects.ts';
import { sha256Hex } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';
import { withFreshSession, withSession } from './sessions.ts';
import { dataObjectTemplate, searchTemplate } from './templates.ts';

/** Names one data object. `sha256`, of its value in hex, tells objects of one label apart; '' where there is one only. */
export interface DataName {
  readonly label: string;
  readonly sha256: string;
}

/**
 * The one data object that is meant; of several with the very bytes that are meant, any. Failures:
 * Token_ObjectMissing, Token_ObjectDoubled.
 */
function findOne(module: TokenModule, session: Handle, { label, sha256 }: DataName): TokenResult<Handle> {
  const found = findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_DATA, label)).filter(
    (object) => sha256 === '' || sha256Hex(readValue(module, session, object)) === sha256,
  );
  const [object] = found;
  if (object === undefined) {
    return failure(
      'Token_ObjectMissing',
      `There is no object “${label}” on the token${sha256 === '' ? '' : ' with the value that is meant'}.`,
      'Check that this is the token it was stored on.',
      { label },
    );
  }
  if (found.length > 1 && sha256 === '') {
    return failure(
      'Token_ObjectDoubled',
      `There are ${found.length} objects “${label}” on the token, so it is not clear which one counts.`,
      'Find out which one is right, delete the other, then try again.',
      { label, count: found.length },
    );
  }
  return success(object);
}

function readValue(module: TokenModule, session: Handle, object: Handle): Buffer {
  return readAttribute(module.cryptoki, session, object, pkcs11js.CKA_VALUE) ?? Buffer.alloc(0);
}

/**
 * Writes one value in bank-vaults' form and reads it back in a session of its own.
 * Failures: Token_ObjectExists (also for the same bytes), Token_ObjectNotKept, Token_MemoryFull, Token_NotLoggedIn
 * where the token asks for the PIN.
 */
export function writeData(
  module: TokenModule,
  serial: string,
  label: string,
  value: Buffer,
): TokenResult<{ readonly label: string; readonly size: number }> {
  const written = withSession(module, serial, (session): TokenResult<Record<string, never>> => {
    const existing = findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_DATA, label));
    if (existing.length > 0) {
      return failure(
        'Token_ObjectExists',
        `There is an object “${label}” on the token already. It was left as it is.`,
        'Use another token, or delete the object deliberately if nothing needs it.',
        { label, count: existing.length },
      );
    }
    return createObject(module, session, dataObjectTemplate(label, value));
  });
  if (!written.ok) return written;
  return withFreshSession(module, serial, (session) => {
    const object = findOne(module, session, { label, sha256: '' });
    const kept =
      object.ok &&
      readBoolean(module.cryptoki, session, object.value, pkcs11js.CKA_TOKEN) === true &&
      readAttribute(module.cryptoki, session, object.value, pkcs11js.CKA_VALUE)?.equals(value) === true;
    if (kept) return success({ label, size: value.length });
    return failure(
      'Token_ObjectNotKept',
      `The token took the object “${label}”, but does not keep it as it was written.`,
      'Do not rely on this token or module version for storage; use another one.',
      { label },
    );
  });
}

/** Failures: Token_ObjectMissing, Token_ObjectDoubled. */
export function readData(
  module: TokenModule,
  serial: string,
  label: string,
): TokenResult<{ readonly label: string; readonly value: Buffer }> {
  return readDataOf(module, serial, { label, sha256: '' });
}

/** Like `readData`, of one among several of one label. */
export function readDataOf(
  module: TokenModule,
  serial: string,
  name: DataName,
): TokenResult<{ readonly label: string; readonly value: Buffer }> {
  return withSession(module, serial, (session) => {
    const object = findOne(module, session, name);
    return object.ok ? success({ label: name.label, value: readValue(module, session, object.value) }) : object;
  });
}

/** Failures: Token_ObjectMissing, Token_ObjectDoubled (nothing is deleted then), Token_NotLoggedIn. */
export function deleteData(module: TokenModule, serial: string, label: string): TokenResult<Record<string, never>> {
  const deleted = withSession(module, serial, (session): TokenResult<Record<string, never>> => {
    const object = findOne(module, session, { label, sha256: '' });
    if (!object.ok) return object;
    destroyObject(module, session, object.value);
    return success({});
  });
  if (!deleted.ok) return deleted;
  return withFreshSession(module, serial, (session): TokenResult<Record<string, never>> => {
    const left = findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_DATA, label));
    if (left.length === 0) return success({});
    return failure(
      'Token_GeneralError',
      `The token said that it deleted the object “${label}”, but still has it.`,
      'Unplug the token, plug it in again, and look once more.',
      { label },
    );
  });
}
