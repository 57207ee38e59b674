import pkcs11js, { type Handle, type PKCS11, type Template } from 'pkcs11js';
import { attempt, mayMeanGone, returnValueOf } from './return-values.ts';

/** How many handles one C_FindObjects asks for. */
const batch = 64;

/** Every object that a template matches. Throws what the library throws. */
export function findObjects(cryptoki: PKCS11, session: Handle, template: Template): Handle[] {
  cryptoki.C_FindObjectsInit(session, template);
  try {
    const found: Handle[] = [];
    for (;;) {
      const some = cryptoki.C_FindObjects(session, batch);
      found.push(...some);
      if (some.length < batch) return found;
    }
  } finally {
    // The search's own failure, if there was one, is the one that counts.
    attempt(() => cryptoki.C_FindObjectsFinal(session));
  }
}

/**
 * One attribute, or undefined where the object has none or does not show it. Attributes are read one by
 * one, since one that is missing makes pkcs11js give up on all.
 */
export function readAttribute(cryptoki: PKCS11, session: Handle, object: Handle, type: number): Buffer | undefined {
  try {
    return cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
  } catch (thrown) {
    const code = returnValueOf(thrown)?.code;
    if (code === pkcs11js.CKR_ATTRIBUTE_TYPE_INVALID || code === pkcs11js.CKR_ATTRIBUTE_SENSITIVE) return undefined;
    throw thrown;
  }
}

/**
 * CKA_VALUE, or undefined where the token cannot give it: on a card whose file was deleted, but not yet the entry that
 * describes it, OpenSC answers CKR_GENERAL_ERROR. Whether the token is still there is for the caller to see by its
 * next call.
 */
export function readValueIfKept(cryptoki: PKCS11, session: Handle, object: Handle): Buffer | undefined {
  try {
    return readAttribute(cryptoki, session, object, pkcs11js.CKA_VALUE);
  } catch (thrown) {
    const returnValue = returnValueOf(thrown);
    if (returnValue === undefined || !mayMeanGone(returnValue)) throw thrown;
    return undefined;
  }
}

export function readText(cryptoki: PKCS11, session: Handle, object: Handle, type: number): string {
  return readAttribute(cryptoki, session, object, type)?.toString('utf8') ?? '';
}

/** CK_BBOOL: one byte. null where the object does not say. */
export function readBoolean(cryptoki: PKCS11, session: Handle, object: Handle, type: number): boolean | null {
  const value = readAttribute(cryptoki, session, object, type);
  return value === undefined || value.length === 0 ? null : value[0] !== 0;
}

/** CK_ULONG in the machine's byte order; undefined where the object does not say. */
export function readNumber(cryptoki: PKCS11, session: Handle, object: Handle, type: number): number | undefined {
  const value = readAttribute(cryptoki, session, object, type);
  if (value?.length === 8) return Number(value.readBigUInt64LE());
  return value?.length === 4 ? value.readUInt32LE() : undefined;
}
