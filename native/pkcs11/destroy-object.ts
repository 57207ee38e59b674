import pkcs11js, { type Handle } from 'pkcs11js';
import type { TokenModule } from './module.ts';
import { readValueIfKept } from './objects.ts';
import { mayMeanGone, returnValueOf } from './return-values.ts';
import { isSessionAlive } from './sessions.ts';

/** What is left of an object whose file is gone is called this: nobody looks for a value under it. */
const labelOfRemains = '(deleted)';

/**
 * C_DestroyObject. Throws what the library throws.
 *
 * On a SmartCard-HSM OpenSC deletes a data object's file first and its description afterwards. Where the card was
 * pulled out in between, the description stays, and C_DestroyObject fails for good at the missing file
 * (CKR_GENERAL_ERROR). Such remains are renamed, so that the label is free again for this program and bank-vaults.
 * @returns false where it was gone already: OpenSC's public keys go along with their private halves
 */
export function destroyObject(module: TokenModule, session: Handle, object: Handle): boolean {
  const { cryptoki } = module;
  try {
    cryptoki.C_DestroyObject(session, object);
    return true;
  } catch (thrown) {
    const returnValue = returnValueOf(thrown);
    if (returnValue?.code === pkcs11js.CKR_OBJECT_HANDLE_INVALID) return false;
    if (returnValue === undefined || !mayMeanGone(returnValue)) throw thrown;
    if (!isSessionAlive(module, session) || readValueIfKept(cryptoki, session, object) !== undefined) throw thrown;
    cryptoki.C_SetAttributeValue(session, object, [{ type: pkcs11js.CKA_LABEL, value: labelOfRemains }]);
    return true;
  }
}
