/** What binds a ciphertext to its purpose and key, and how kleidi's are told. */
import type { Annotations } from './grpc/messages.ts';

/** Additional data of every ciphertext of this project's: what it is for, and under which key. */
export function additionalData(keyId: string): Buffer {
  return Buffer.from(`key-custodian/kms/v1\0${keyId}`, 'utf8');
}

/** What marks kleidi's ciphertexts, now and in its first version (FORMATS 2.1); the value is "1". */
const kleidiAnnotations: ReadonlySet<string> = new Set(['v2.kleidi.beezy.dev', 'version.encryption.remote.io']);

/** Whether the annotations are kleidi's: just one of its marks. */
export function hasKleidiMark(annotations: Annotations): boolean {
  const [only, another] = [...annotations];
  return only !== undefined && another === undefined && kleidiAnnotations.has(only[0]) && only[1].toString() === '1';
}
