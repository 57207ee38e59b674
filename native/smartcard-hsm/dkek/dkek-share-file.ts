/**
 * OpenSC's DKEK share file, as sc-hsm-tool makes and reads it (src/tools/sc-hsm-tool.c): 64 bytes, namely
 * "Salted__", 8 bytes of salt, and 48 bytes of AES-256-CBC over the 32-byte share and its PKCS#7 padding.
 * Key and IV come from OpenSSL's EVP_BytesToKey with MD5 and ten million rounds for each of three digests.
 *
 * Everything here runs where the secret already is, the token host. It takes some seconds by design, in
 * slices that let that process answer others in between.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { failure, success, type Result } from '../../../electron/workflows/failures.ts';
import { repeatMd5 } from './repeat-md5.ts';

export const dkekShareLength = 32;
export const dkekShareFileLength = 64;

const magic = Buffer.from('Salted__', 'latin1');
const saltLength = 8;
const saltEnd = magic.length + saltLength;
const digestLength = 16;
const blockLength = 16;
/** AES-256 takes 32 bytes of key and 16 of IV: three digests. */
const digestCount = 3;
const keyLength = 32;
/** What sc-hsm-tool passes to EVP_BytesToKey. */
const roundsPerDigest = 10_000_000;
/** Rounds between two looks at the clock: few, since the first ones, not yet compiled by V8, take fifty times as long. */
const roundsPerLook = 512;
/** Milliseconds of work before others have their turn. */
const sliceMilliseconds = 10;

export interface DerivationOptions {
  /** Gives the work up between two slices; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after each slice what part of the work is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

/** Words of an array are in the machine's order; every machine this runs on is little-endian, as MD5 is. */
function wordsOf(digest: Uint8Array): Int32Array {
  const words = new Int32Array(digestLength / 4);
  const view = new DataView(digest.buffer, digest.byteOffset, digestLength);
  for (let index = 0; index < words.length; index++) words[index] = view.getInt32(4 * index, true);
  return words;
}

function writeWords(words: Int32Array, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, digestLength);
  for (let index = 0; index < words.length; index++) view.setInt32(4 * index, words[index] ?? 0, true);
}

/**
 * EVP_BytesToKey (OpenSSL) with MD5 for 48 bytes: each digest is over the one before, the password and the
 * salt, then over itself again and again. Every intermediate value is wiped; the caller wipes the result.
 */
async function deriveKeyAndIv(
  password: Uint8Array,
  salt: Uint8Array,
  { signal, onProgress }: DerivationOptions,
): Promise<Uint8Array> {
  const derived = new Uint8Array(digestCount * digestLength);
  const words = new Int32Array(digestLength / 4);
  let done = false;
  try {
    for (let index = 0; index < digestCount; index++) {
      const start = index * digestLength;
      const hash = createHash('md5');
      if (index > 0) hash.update(derived.subarray(start - digestLength, start));
      const first = hash.update(password).update(salt).digest();
      words.set(wordsOf(first));
      first.fill(0);
      let remaining = roundsPerDigest - 1;
      while (remaining > 0) {
        signal?.throwIfAborted();
        const end = performance.now() + sliceMilliseconds;
        while (remaining > 0 && performance.now() < end) {
          const rounds = Math.min(remaining, roundsPerLook);
          repeatMd5(words, rounds);
          remaining -= rounds;
        }
        onProgress?.((index + 1 - remaining / roundsPerDigest) / digestCount);
        await nextTurn();
      }
      writeWords(words, derived.subarray(start, start + digestLength));
    }
    signal?.throwIfAborted();
    done = true;
    return derived;
  } finally {
    words.fill(0);
    if (!done) derived.fill(0);
  }
}

/** One pass of AES-256-CBC over whole blocks, the chaining value and padding given. Answers a buffer of its own. */
function applyCipher(direction: 'encrypt' | 'decrypt', keyAndIv: Uint8Array, input: Uint8Array): Uint8Array {
  const key = keyAndIv.subarray(0, keyLength);
  const iv = keyAndIv.subarray(keyLength);
  const cipher =
    direction === 'encrypt' ? createCipheriv('aes-256-cbc', key, iv) : createDecipheriv('aes-256-cbc', key, iv);
  cipher.setAutoPadding(false);
  const output = cipher.update(input);
  cipher.final();
  const copy = new Uint8Array(output);
  output.fill(0);
  return copy;
}

export interface DkekShareFile {
  /** 64 bytes; no secret without the password. */
  readonly file: Uint8Array;
  /** The 32 bytes in it. A secret: the caller wipes it. */
  readonly share: Uint8Array;
}

/**
 * Draws a DKEK share and encrypts it. Takes seconds.
 * @param password as bytes, UTF-8 where it was typed; the caller wipes it
 */
export async function createDkekShareFile(
  password: Uint8Array,
  options: DerivationOptions = {},
): Promise<DkekShareFile> {
  const salt = randomBytes(saltLength);
  const keyAndIv = await deriveKeyAndIv(password, salt, options);
  // PKCS#7: a whole block, because the share is whole blocks itself.
  const padded = new Uint8Array(dkekShareLength + blockLength).fill(blockLength);
  try {
    const share = randomBytes(dkekShareLength);
    padded.set(share);
    const encrypted = applyCipher('encrypt', keyAndIv, padded);
    const file = new Uint8Array(dkekShareFileLength);
    file.set(magic);
    file.set(salt, magic.length);
    file.set(encrypted, saltEnd);
    return { file, share };
  } finally {
    keyAndIv.fill(0);
    padded.fill(0);
  }
}

/** Whether the bytes can be a DKEK share file: told before anybody is asked for its password. */
export function isDkekShareFile(file: Uint8Array): boolean {
  return file.length === dkekShareFileLength && magic.every((byte, index) => file[index] === byte);
}

/**
 * Decrypts a DKEK share file. Takes seconds. All sixteen bytes of padding are compared, so that a wrong
 * password passes once in 2^128, not once in 256 as where only the padding's own length is looked at.
 * @param password as bytes; the caller wipes it
 * @returns the 32 bytes of the share, which the caller wipes; Device_ShareFileInvalid, Device_SharePasswordWrong
 */
export async function openDkekShareFile(
  file: Uint8Array,
  password: Uint8Array,
  options: DerivationOptions = {},
): Promise<Result<Uint8Array, 'Device_ShareFileInvalid' | 'Device_SharePasswordWrong'>> {
  if (!isDkekShareFile(file)) {
    return failure(
      'Device_ShareFileInvalid',
      'The file is no DKEK share: one has 64 bytes and begins with "Salted__".',
      'Choose the file that sc-hsm-tool or this app saved as a DKEK share.',
    );
  }
  const keyAndIv = await deriveKeyAndIv(password, file.subarray(magic.length, saltEnd), options);
  const padded = applyCipher('decrypt', keyAndIv, file.subarray(saltEnd));
  try {
    const padding = new Uint8Array(blockLength).fill(blockLength);
    if (!timingSafeEqual(padded.subarray(dkekShareLength), padding)) {
      return failure(
        'Device_SharePasswordWrong',
        'The password does not open this DKEK share.',
        'Type it again; where it was split, see that all pieces belong to this share and that enough are there.',
      );
    }
    return success(padded.slice(0, dkekShareLength));
  } finally {
    keyAndIv.fill(0);
    padded.fill(0);
  }
}
