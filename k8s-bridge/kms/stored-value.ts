/**
 * What a value in etcd says of its own encryption (k8s.io/apiserver, storage/value/encrypt): a prefix names the
 * provider; behind KMS v2's comes a protobuf message, EncryptedObject, whose second field is the plugin's key id.
 */

export interface StoredUnder {
  readonly provider: string;
  readonly keyId: string;
}

const encryptedPrefix = 'k8s:enc:';
/** kms:v2:NAME, aescbc:v1:KEY, …: type, version and name, each up to a colon. */
const providerPattern = /^k8s:enc:([a-z0-9]+:v[0-9]+:[^:]{1,253}):/u;
const longestPrefix = 300;

/** Reads a base-128 varint (protobuf, encoding). undefined where the bytes end in it or it is longer than 32 bits. */
function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: from + index + 1 };
  }
  return undefined;
}

/** The length-delimited field of this number, the first there is; undefined for none, or bytes that are no message. */
export function readBytesField(message: Uint8Array, wanted: number): Uint8Array | undefined {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    if (tag === undefined) return undefined;
    const payload = readVarint(message, tag.next);
    if (payload === undefined) return undefined;
    const wireType = tag.value & 7;
    if (wireType === 0) at = payload.next;
    else if (wireType === 2) {
      const end = payload.next + payload.value;
      if (end > message.length) return undefined;
      if (tag.value >>> 3 === wanted) return message.subarray(payload.next, end);
      at = end;
    } else return undefined;
  }
  return undefined;
}

/** How the value lies in etcd. Nothing of its content is kept. */
export function readStoredUnder(value: Buffer): StoredUnder {
  const beginning = value.subarray(0, longestPrefix).toString('latin1');
  if (!beginning.startsWith(encryptedPrefix)) return { provider: 'identity', keyId: '' };
  const named = providerPattern.exec(beginning);
  const provider = named?.[1];
  if (named === null || provider === undefined) return { provider: 'unknown', keyId: '' };
  if (!provider.startsWith('kms:v2:')) return { provider, keyId: '' };
  const keyId = readBytesField(value.subarray(named[0].length), 2);
  return { provider, keyId: keyId === undefined ? '' : Buffer.from(keyId).toString('utf8') };
}

/** What the value begins with, for a person: up to the end of the provider's name, else its first printable bytes. */
export function describeBeginning(value: Buffer): string {
  const beginning = value.subarray(0, longestPrefix).toString('latin1');
  return providerPattern.exec(beginning)?.[0] ?? /^[ -~]{1,24}/u.exec(beginning)?.[0] ?? '';
}
