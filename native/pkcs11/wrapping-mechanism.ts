/**
 * Which mechanism values are wrapped with. What the token offers decides, and nothing is relied on before something
 * that was encrypted with it was decrypted on the token. Pure.
 */
import type { TokenHostReply } from '../protocol.ts';

export type WrappingMechanism = 'rsa-oaep-sha256' | 'rsa-oaep-sha1' | 'ecdh';

export interface WrappingChoice {
  readonly mechanism: WrappingMechanism;
  /** Weaker than what is asked for first, and why; to be recorded where it is used. */
  readonly isDowngrade: boolean;
  readonly reason: string;
}

type Ability = Omit<TokenHostReply<'token.wrapping-ability'>, 'choice'>;

/**
 * The mechanism for values of this program's own: RSA-OAEP with SHA-256, with SHA-1 where only that works, ECDH on a
 * key of a curve. Undefined where none was seen to work: what a token merely offers is not relied on, and PKCS #1
 * v1.5 is never chosen.
 */
export function chooseWrappingMechanism(ability: Ability): WrappingChoice | undefined {
  if (ability.oaepSha256 === 'works') return { mechanism: 'rsa-oaep-sha256', isDowngrade: false, reason: '' };
  if (ability.oaepSha1 === 'works') {
    return {
      mechanism: 'rsa-oaep-sha1',
      isDowngrade: true,
      reason:
        ability.oaepSha256 === 'absent'
          ? 'the token does not offer RSA-OAEP with SHA-256'
          : 'the token failed at RSA-OAEP with SHA-256',
    };
  }
  if (ability.ecdh === 'works') return { mechanism: 'ecdh', isDowngrade: false, reason: '' };
  return undefined;
}
