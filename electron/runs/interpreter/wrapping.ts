/** Public-key side of the wrapping: what bank-vaults calls RSA-OAEP with SHA-1 (RFC 8017, section 7.1; label empty). */
import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto';
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
 */
export function encryptToWrappingKey(spki: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
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
