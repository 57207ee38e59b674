/**
 * A local key under a key pair on the token: RSA-OAEP (RFC 8017 section 7.1), or ephemeral-static ECDH with
 * HKDF-SHA-256 and AES-256-GCM (docs/formats.md, the envelope of values). Never PKCS #1 v1.5.
 */
import { constants, createPublicKey, publicEncrypt, timingSafeEqual } from 'node:crypto';
import pkcs11js, { type Handle } from 'pkcs11js';
import { openValueEnvelope, readValueEnvelope, wrapValue } from '../../../electron/hosts/value-wrapping.ts';
import { ecdhMechanism, oaepMechanisms, sharedSecretTemplate } from '../../../native/pkcs11/templates.ts';
import { assertWrongCiphertext, attributeOf } from './key-attributes.ts';
import type { TokenConnection } from './token-connection.ts';
import { returnValueOf } from './token-failure.ts';
import type { PublicHalf } from './token-public-key.ts';

export const localKeyLength = 32;

/** The first byte of a wrapped key: how the rest was made. */
export const wrappings = { 'RSA-OAEP-SHA-256': 1, 'RSA-OAEP-SHA-1': 2, ECDH: 3 } as const;
export type WrappingName = keyof typeof wrappings;

/** The best first. SHA-1 in OAEP is no weakness that is known, but it is a downgrade, and is said. */
export function wrappingsFor(kind: PublicHalf['kind']): readonly WrappingName[] {
  return kind === 'RSA' ? ['RSA-OAEP-SHA-256', 'RSA-OAEP-SHA-1'] : ['ECDH'];
}

/** What the envelope is called; it takes no value of another purpose for a key. */
const purpose = 'key-custodian/kms/v1 local key';

export function wrapLocalKey(publicHalf: PublicHalf, name: WrappingName, secret: Buffer): Buffer {
  const form = Buffer.of(wrappings[name]);
  if (name === 'ECDH') return Buffer.concat([form, wrapValue(publicHalf.spki, purpose, secret)]);
  const key = createPublicKey({ key: publicHalf.spki, format: 'der', type: 'spki' });
  const oaepHash = name === 'RSA-OAEP-SHA-256' ? 'sha256' : 'sha1';
  return Buffer.concat([form, publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, secret)]);
}

/** Answers of libraries that have OAEP, but not with this hash. */
const notOffered: ReadonlySet<string> = new Set([
  'CKR_ARGUMENTS_BAD',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_FUNCTION_NOT_SUPPORTED',
]);

function decryptOaep(
  token: TokenConnection,
  key: Handle,
  publicHalf: PublicHalf,
  hash: 'sha1' | 'sha256',
  bytes: Buffer,
): Buffer | undefined {
  const { cryptoki, session } = token;
  // What cannot be its ciphertext costs no private operation.
  if (bytes.length !== Math.ceil(publicHalf.bits / 8)) return undefined;
  const output = Buffer.from(new ArrayBuffer(bytes.length));
  try {
    cryptoki.C_DecryptInit(session, oaepMechanisms[hash], key);
    return own(cryptoki.C_Decrypt(session, bytes, output));
  } catch (thrown) {
    if (!notOffered.has(returnValueOf(thrown) ?? '')) assertWrongCiphertext(token, thrown);
    return undefined;
  } finally {
    output.fill(0);
  }
}

function decryptEnvelope(
  token: TokenConnection,
  key: Handle,
  publicHalf: PublicHalf,
  bytes: Buffer,
): Buffer | undefined {
  const { cryptoki, session } = token;
  const envelope = readValueEnvelope(bytes);
  if (envelope?.label !== purpose || envelope.publicKeySha256 !== publicHalf.sha256) return undefined;
  let secret: Buffer;
  try {
    const template = sharedSecretTemplate(envelope.secretBytes);
    const derived = cryptoki.C_DeriveKey(session, ecdhMechanism(envelope.ephemeralPoint), key, template);
    secret = attributeOf(token, derived, pkcs11js.CKA_VALUE) ?? Buffer.alloc(0);
    token.discard(derived);
  } catch (thrown) {
    assertWrongCiphertext(token, thrown);
    return undefined;
  }
  const value = openValueEnvelope(envelope, secret);
  secret.fill(0);
  return value;
}

/** In memory of its own, so that wiping it wipes every copy. */
function own(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
}

/** One private operation on the token. Undefined where the wrapped key is not of this key, or was changed. */
export function unwrapLocalKey(
  token: TokenConnection,
  key: Handle,
  publicHalf: PublicHalf,
  wrapped: Buffer,
): Buffer | undefined {
  const name = wrappingsFor(publicHalf.kind).find((each) => wrappings[each] === wrapped[0]);
  const bytes = wrapped.subarray(1);
  if (name === undefined) return undefined;
  const secret =
    name === 'ECDH'
      ? decryptEnvelope(token, key, publicHalf, bytes)
      : decryptOaep(token, key, publicHalf, name === 'RSA-OAEP-SHA-256' ? 'sha256' : 'sha1', bytes);
  if (secret === undefined || secret.length === localKeyLength) return secret;
  secret.fill(0);
  return undefined;
}

/** Whether the token unwraps just what was wrapped: a public key of another pair is told from it here. */
export function canUnwrap(
  token: TokenConnection,
  key: Handle,
  publicHalf: PublicHalf,
  wrapped: Buffer,
  secret: Buffer,
): boolean {
  const unwrapped = unwrapLocalKey(token, key, publicHalf, wrapped);
  if (unwrapped === undefined) return false;
  const isSame = timingSafeEqual(unwrapped, secret);
  unwrapped.fill(0);
  return isSame;
}
