import pkcs11js, { type Handle, type Template } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { returnValueOf, type TokenResult } from './return-values.ts';
import { isSessionAlive } from './sessions.ts';

/**
 * C_CreateObject for what has a size. Throws what the library throws, but for a token that is full.
 *
 * OpenSC 0.23 answers CKR_GENERAL_ERROR where a SmartCard-HSM runs out of memory in the middle of a file (status word
 * 6A84); a card that still answers afterwards has no other known reason to refuse. What it wrote of the file is
 * written over by the next object.
 * Failures: Token_MemoryFull.
 */
export function createObject(
  module: TokenModule,
  session: Handle,
  template: Template,
): TokenResult<Record<string, never>> {
  try {
    module.cryptoki.C_CreateObject(session, template);
    return success({});
  } catch (thrown) {
    const returnValue = returnValueOf(thrown);
    const isUnexplained = module.manufacturer === 'OpenSC Project' && returnValue?.code === pkcs11js.CKR_GENERAL_ERROR;
    if (!isUnexplained || !isSessionAlive(module, session)) throw thrown;
    return failure(
      'Token_MemoryFull',
      'The token did not take the object, most likely because it has no room left for one of this size.',
      'Delete objects that are no longer needed, or use another token.',
      { returnValue: returnValue.name, returnValueNumber: returnValue.code },
    );
  }
}
