/** Public-key side of the wrapping, and what is recorded of it. */
import { createHash } from 'node:crypto';
import { wrapValue } from '../../hosts/value-wrapping.ts';
import type { WrappingAbility, WrappingChoice } from '../../workflows/device-ports.ts';
import type { Result } from '../../workflows/failures.ts';
import { success } from '../../workflows/failures.ts';
import type { TokenReference } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import { wrappingWords } from '../../workflows/words-care.ts';
import type { StepContext } from './context.ts';
import { withLogin } from './log-in.ts';

/**
 * Encrypts under a wrapping key's public half.
 * @param spki DER SubjectPublicKeyInfo, base64
 * @param label what the value is called; '' for what is tried and not kept
 */
export function encryptToWrappingKey(spki: string, plaintext: Uint8Array, label = ''): Buffer {
  return wrapValue(Buffer.from(spki, 'base64'), label, plaintext);
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.from(left.buffer, left.byteOffset, left.byteLength).equals(right);
}

/** Of a key that was tried: the best that worked, and why it is not better. */
export function evidenceOfChoice(choice: WrappingChoice | null): Evidence {
  if (choice === null) return {};
  const bestWrapping = wrappingWords.mechanism[choice.mechanism];
  return choice.isDowngrade ? { bestWrapping, wrappingDowngrade: choice.reason } : { bestWrapping };
}

/** bank-vaults reads RSA-OAEP with SHA-1 and nothing else: weaker than what the token may be able to. */
function evidenceOfBankVaults({ oaepSha256, choice }: WrappingAbility): Evidence {
  if (choice?.mechanism === 'ecdh') return { wrapping: wrappingWords.ownForm };
  return {
    wrapping: wrappingWords.mechanism['rsa-oaep-sha1'],
    ...evidenceOfChoice(choice),
    wrappingDowngrade: oaepSha256 === 'works' ? wrappingWords.forBankVaults : (choice?.reason ?? ''),
  };
}

/**
 * What values in bank-vaults' form are wrapped with under a key, what would have been better, and why that is not
 * used: tried with the key before anything is relied on.
 */
export async function tryWrapping(
  context: StepContext,
  token: TokenReference,
  keyLabel: string,
): Promise<Result<Evidence>> {
  const ability = await withLogin(context, token, () => context.ports.objects.wrappingAbility(token, keyLabel));
  return ability.ok ? success(evidenceOfBankVaults(ability.value)) : ability;
}
