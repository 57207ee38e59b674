/**
 * Round trips with one private key on the token: what was encrypted to its public half is decrypted, what it signs is
 * verified, a secret is derived on both sides. What is compared is random and worth nothing.
 */
import {
  constants,
  createECDH,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
  verify,
  type ECDH,
  type KeyObject,
} from 'node:crypto';
import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import { namedCurveByName } from './curves.ts';
import { findNamed, findPrivateKeyObject, findPublicKey, type KeyName } from './key-objects.ts';
import type { Login, TokenModule } from './module.ts';
import { readAttribute } from './objects.ts';
import type { PublicKeyValue } from './public-keys.ts';
import { returnValueOf, type TokenResult } from './return-values.ts';
import { findCause } from './sessions.ts';
import { ecdhMechanism, oaepMechanisms, sharedSecretTemplate, type OaepHash } from './templates.ts';

/** One private key in a logged-in session, and the public key that it goes with. */
export interface TrialKey {
  readonly module: TokenModule;
  readonly slot: Handle;
  readonly session: Handle;
  readonly privateKey: Handle;
  readonly publicKey: PublicKeyValue;
  /** Its object, where there is one. */
  readonly publicObject: Handle | undefined;
}

/** Failures: Token_KeyMissing, Token_KeyLabelDoubled, Token_KeyUnsuitable (its public half is nowhere). */
export function findTrialKey(
  module: TokenModule,
  { slot, session }: Pick<Login, 'slot' | 'session'>,
  name: KeyName,
): TokenResult<TrialKey> {
  const privateKey = findPrivateKeyObject(module, session, name);
  if (!privateKey.ok) return privateKey;
  const publicKey = findPublicKey(module, session, name);
  if (!publicKey.ok) return publicKey;
  const [publicObject] = findNamed(module, session, pkcs11js.CKO_PUBLIC_KEY, name);
  return success({ module, slot, session, privateKey: privateKey.value, publicKey: publicKey.value, publicObject });
}

/** '' where it came out right; else what did not, in words. */
export type TrialProblem = string;

/**
 * What the token answered to a trial. A token that is gone, or a lost session, is not the key's fault: those go on to
 * the caller as they are.
 */
function tried({ module, slot, session }: TrialKey, what: string, trial: () => boolean): TrialProblem {
  try {
    return trial() ? '' : `${what}: the result is wrong.`;
  } catch (thrown) {
    const returnValue = returnValueOf(thrown);
    if (returnValue === undefined || returnValue.code === pkcs11js.CKR_USER_NOT_LOGGED_IN) throw thrown;
    const cause = findCause(module, slot, session, returnValue);
    if (cause.isSessionLost || cause.isTokenGone) throw thrown;
    return `${what}: the token answered ${returnValue.name}.`;
  }
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The public key for this process's crypto; undefined where it does not know the curve. */
function keyObjectOf({ spki }: PublicKeyValue): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    // Electron's crypto has neither brainpool curves nor secp256k1.
    return undefined;
  }
}

const trialBytes = 32;

const ecdsaMechanism: Mechanism = { mechanism: pkcs11js.CKM_ECDSA };

/** RSA-OAEP with one hash: encrypted here, decrypted by the token. */
export function tryOaep(key: TrialKey, hash: OaepHash): TrialProblem {
  const { module, session, privateKey, publicKey } = key;
  const plaintext = randomBytes(trialBytes);
  const ciphertext = publicEncrypt(
    {
      key: createPublicKey({ key: publicKey.spki, format: 'der', type: 'spki' }),
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: hash,
    },
    plaintext,
  );
  return tried(key, `decrypting with RSA-OAEP and ${hash.toUpperCase()}`, () => {
    module.cryptoki.C_DecryptInit(session, oaepMechanisms[hash], privateKey);
    return isEqual(module.cryptoki.C_Decrypt(session, ciphertext, Buffer.alloc(ciphertext.length)), plaintext);
  });
}

/** PKCS #1 v1.5 with SHA-256 (RFC 8017 section 8.2): signed by the token, verified here. */
export function tryRsaSignature(trialKey: TrialKey): TrialProblem {
  const { module, session, privateKey, publicKey } = trialKey;
  const message = randomBytes(trialBytes);
  return tried(trialKey, 'signing with RSA and SHA-256', () => {
    const { cryptoki } = module;
    cryptoki.C_SignInit(session, { mechanism: pkcs11js.CKM_SHA256_RSA_PKCS }, privateKey);
    const signature = cryptoki.C_Sign(session, message, Buffer.alloc(Math.ceil(publicKey.bits / 8)));
    const key = createPublicKey({ key: publicKey.spki, format: 'der', type: 'spki' });
    return verify('sha256', message, key, signature);
  });
}

/**
 * ECDSA over a SHA-256 (PKCS#11 v2.40 section 2.3.1: r and s side by side): signed by the token, verified here, or by
 * the token's module where this process's crypto does not know the curve. Undefined where neither can verify.
 */
export function tryEcSignature(trialKey: TrialKey): TrialProblem | undefined {
  const { module, session, privateKey, publicKey, publicObject } = trialKey;
  const key = keyObjectOf(publicKey);
  if (key === undefined && publicObject === undefined) return undefined;
  const message = randomBytes(trialBytes);
  return tried(trialKey, 'signing with ECDSA', () => {
    const { cryptoki } = module;
    const digest = createHash('sha256').update(message).digest();
    cryptoki.C_SignInit(session, ecdsaMechanism, privateKey);
    const signature = cryptoki.C_Sign(session, digest, Buffer.alloc(2 * Math.ceil(publicKey.bits / 8)));
    if (key !== undefined) return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
    if (publicObject === undefined) return false;
    cryptoki.C_VerifyInit(session, ecdsaMechanism, publicObject);
    return cryptoki.C_Verify(session, digest, signature);
  });
}

/** A fresh key on the curve; undefined where this process's crypto does not know it. */
function otherSide({ curve }: PublicKeyValue): ECDH | undefined {
  const opensslName = namedCurveByName(curve)?.opensslName;
  if (opensslName === undefined) return undefined;
  try {
    return createECDH(opensslName);
  } catch {
    // Electron's crypto has neither brainpool curves nor secp256k1.
    return undefined;
  }
}

/** The point at the end of an EC SubjectPublicKeyInfo: 04, x, y. */
function pointOf({ spki, bits }: PublicKeyValue): Buffer {
  return spki.subarray(spki.length - 2 * Math.ceil(bits / 8) - 1);
}

/** ECDH without a key derivation function: derived by the token and here. Undefined where it cannot be tried here. */
export function tryDerivation(key: TrialKey): TrialProblem | undefined {
  const { module, session, privateKey, publicKey } = key;
  const other = otherSide(publicKey);
  if (other === undefined) return undefined;
  const otherPoint = other.generateKeys();
  const expected = other.computeSecret(pointOf(publicKey));
  return tried(key, 'deriving a shared secret with ECDH', () => {
    const { cryptoki } = module;
    const secret = cryptoki.C_DeriveKey(
      session,
      ecdhMechanism(otherPoint),
      privateKey,
      sharedSecretTemplate(expected.length),
    );
    const value = readAttribute(cryptoki, session, secret, pkcs11js.CKA_VALUE) ?? Buffer.alloc(0);
    cryptoki.C_DestroyObject(session, secret);
    return isEqual(value, expected);
  });
}
