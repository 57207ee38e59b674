/**
 * A key pair on a token that has no AES: seeds are encrypted here, with local AES-256-GCM keys that this process draws
 * and that travel with each ciphertext, wrapped under the pair. The token unwraps each of them once.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, randomFillSync } from 'node:crypto';
import pkcs11js, { type Handle } from 'pkcs11js';
import { additionalData } from '../ciphertext-marks.ts';
import type { Sealed } from '../grpc/messages.ts';
import type { Log } from '../log.ts';
import { nonceLength, tagLength } from './aes-gcm.ts';
import { attributeOf, idOf } from './key-attributes.ts';
import {
  canUnwrap,
  localKeyLength,
  unwrapLocalKey,
  wrapLocalKey,
  wrappingsFor,
  type WrappingName,
} from './key-wrapping.ts';
import type { TokenConnection } from './token-connection.ts';
import { TokenUnusable } from './token-failure.ts';
import type { TokenKey } from './token-key.ts';
import type { PublicHalf } from './token-public-key.ts';

/** The first byte of a ciphertext: how the rest is to be read. */
const form = 2;
/** Where the wrapped key travels: kube-apiserver takes names of two parts or more, and keeps them with the ciphertext. */
const annotation = 'wrapped-key.kms-v1.key-custodian';

export interface HybridLimits {
  /** Encryptions under one local key: far below the 2^32 that random nonces allow (NIST SP 800-38D section 8.3). */
  readonly uses: number;
  /** Age of a local key, in milliseconds. */
  readonly age: number;
  /** Between two private operations that only prove that the key still works, in milliseconds. */
  readonly proofPause: number;
  /** Unwrapped keys that are kept; the one that was not asked for longest goes first. */
  readonly kept: number;
}
export const usualLimits: HybridLimits = { uses: 1_000_000, age: 7 * 86_400_000, proofPause: 300_000, kept: 1000 };

interface LocalKey {
  readonly secret: Buffer;
  readonly wrapped: Buffer;
  readonly digest: string;
  /** Additional data of what it encrypts: purpose, key id, form and the wrapped key. */
  readonly aad: Buffer;
}

const digestOf = (wrapped: Buffer): string => createHash('sha256').update(wrapped).digest('hex');

/** Follows from the public key alone, so that each node, and each token with a copy of the pair, tells the same. */
function keyIdOf({ kind, spki }: PublicHalf): string {
  const digest = createHash('sha256').update('key-custodian/kms/v1 key id\0').update(spki).digest('hex');
  return `kc1-${kind.toLowerCase()}-${digest.slice(0, 32)}`;
}

function encryptLocally({ secret, aad }: LocalKey, plaintext: Buffer): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagLength });
  cipher.setAAD(aad);
  return Buffer.concat([Buffer.of(form), nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decryptLocally({ secret, aad }: LocalKey, ciphertext: Buffer): Buffer | undefined {
  const start = 1 + nonceLength;
  const end = ciphertext.length - tagLength;
  const decipher = createDecipheriv('aes-256-gcm', secret, ciphertext.subarray(1, start), { authTagLength: tagLength });
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(end));
  const plaintext = decipher.update(ciphertext.subarray(start, end));
  try {
    decipher.final();
    return plaintext;
  } catch (cause) {
    plaintext.fill(0);
    if (cause instanceof Error) return undefined;
    throw cause;
  }
}

/** Unwrapped keys, the one last used at the end. */
class LocalKeys {
  readonly #byDigest = new Map<string, LocalKey>();
  readonly #most: number;
  constructor(most: number) {
    this.#most = most;
  }
  get(digest: string): LocalKey | undefined {
    const found = this.#byDigest.get(digest);
    if (found !== undefined) {
      this.#byDigest.delete(digest);
      this.#byDigest.set(digest, found);
    }
    return found;
  }
  add(key: LocalKey, spared: LocalKey | undefined): void {
    this.#byDigest.set(key.digest, key);
    for (const [digest, oldest] of this.#byDigest) {
      if (this.#byDigest.size <= this.#most) return;
      if (oldest === key || oldest === spared) continue;
      oldest.secret.fill(0);
      this.#byDigest.delete(digest);
    }
  }
  wipe(): void {
    for (const { secret } of this.#byDigest.values()) secret.fill(0);
    this.#byDigest.clear();
  }
}

/** CKS_RO_USER_FUNCTIONS (PKCS#11 v2.40 section 3.3, CK_STATE), which pkcs11js does not name; the session is no other. */
const userFunctions = 1;

/** The cheap look: the token in its slot, this session logged in, the key's object there. No private operation. */
function isThere(token: TokenConnection, handle: Handle, id: string): boolean {
  if (!token.isInSlot()) throw new TokenUnusable('The token was removed.');
  // A card that another program has reset answers here that nobody is logged in.
  if (token.cryptoki.C_GetSessionInfo(token.session).state !== userFunctions)
    throw new TokenUnusable('The token has ended the log-in.');
  return attributeOf(token, handle, pkcs11js.CKA_CLASS) !== undefined && idOf(token, handle) === id;
}

export function openHybridKey(
  token: TokenConnection,
  handle: Handle,
  label: string,
  publicHalf: PublicHalf,
  log: Log,
  limits: HybridLimits = usualLimits,
): TokenKey {
  const keyId = keyIdOf(publicHalf);
  const id = idOf(token, handle);
  const unwrapped = new LocalKeys(limits.kept);
  let writing: { readonly key: LocalKey; readonly since: number; uses: number } | undefined;
  let provenAt = Number.NEGATIVE_INFINITY;
  let wrapping: WrappingName | undefined;

  const localKey = (secret: Buffer, wrapped: Buffer): LocalKey => {
    const digest = digestOf(wrapped);
    const aad = Buffer.concat([additionalData(keyId), Buffer.from(`\0hybrid ${form}\0`), Buffer.from(digest, 'hex')]);
    return { secret, wrapped, digest, aad };
  };
  const drawWith = (name: WrappingName): LocalKey | undefined => {
    const secret = Buffer.from(new ArrayBuffer(localKeyLength));
    randomFillSync(secret);
    const wrapped = wrapLocalKey(publicHalf, name, secret);
    if (canUnwrap(token, handle, publicHalf, wrapped, secret)) return localKey(secret, wrapped);
    secret.fill(0);
    return undefined;
  };
  /** A new key that writes, seen to be unwrapped by the token. */
  const renew = (): NonNullable<typeof writing> => {
    for (const name of wrapping === undefined ? wrappingsFor(publicHalf.kind) : [wrapping]) {
      const key = drawWith(name);
      if (key === undefined) continue;
      if (wrapping === undefined && name === 'RSA-OAEP-SHA-1')
        log('warning', 'The token unwraps RSA-OAEP with SHA-1 alone: a downgrade from SHA-256.', { keyId });
      wrapping = name;
      provenAt = performance.now();
      writing = { key, since: provenAt, uses: 0 };
      unwrapped.add(key, key);
      log('info', 'A new local key, which the token has unwrapped once.', { keyId, wrapping: name });
      return writing;
    }
    throw new TokenUnusable('The token does not unwrap what was wrapped under the public key of that label and id.');
  };
  const isWorn = ({ since, uses }: NonNullable<typeof writing>): boolean =>
    uses >= limits.uses || performance.now() - since > limits.age;
  const find = (wrapped: Buffer): LocalKey | undefined => {
    const known = unwrapped.get(digestOf(wrapped));
    if (known !== undefined) return known;
    const secret = unwrapLocalKey(token, handle, publicHalf, wrapped);
    if (secret === undefined) return undefined;
    provenAt = performance.now();
    const key = localKey(secret, Buffer.from(wrapped));
    unwrapped.add(key, writing?.key);
    return key;
  };
  return {
    kind: publicHalf.kind === 'RSA' ? 'rsa' : 'ec',
    handle,
    label,
    id,
    keyId,
    seal: (plaintext): Sealed => {
      const used = writing === undefined || isWorn(writing) ? renew() : writing;
      used.uses += 1;
      const { key } = used;
      return { ciphertext: encryptLocally(key, plaintext), keyId, annotations: new Map([[annotation, key.wrapped]]) };
    },
    open: ({ ciphertext, annotations }) => {
      const wrapped = annotations.get(annotation);
      if (wrapped === undefined || annotations.size !== 1 || ciphertext[0] !== form) return undefined;
      if (ciphertext.length < 1 + nonceLength + tagLength) return undefined;
      const key = find(wrapped);
      return key === undefined ? undefined : decryptLocally(key, ciphertext);
    },
    isUsable: () => {
      if (!isThere(token, handle, id)) return false;
      if (writing === undefined || isWorn(writing)) renew();
      else if (performance.now() - provenAt > limits.proofPause) {
        const { wrapped, secret } = writing.key;
        if (!canUnwrap(token, handle, publicHalf, wrapped, secret)) return false;
        provenAt = performance.now();
      }
      return true;
    },
    wipe: () => {
      unwrapped.wipe();
      writing?.key.secret.fill(0);
      writing = undefined;
    },
  };
}
