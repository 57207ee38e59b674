/** The messages of KMS v2 (api.proto beside this folder) and their bytes. */
import { isUtf8 } from 'node:buffer';
import { fieldParts, readFields } from './fields.ts';

export type Annotations = ReadonlyMap<string, Buffer>;

export interface StatusReply {
  readonly version: string;
  readonly healthz: string;
  readonly keyId: string;
}
export interface EncryptRequest {
  readonly plaintext: Buffer;
  readonly uid: string;
}
/** What Encrypt answers and what Decrypt is asked with. */
export interface Sealed {
  readonly ciphertext: Buffer;
  readonly keyId: string;
  readonly annotations: Annotations;
}
export interface DecryptRequest extends Sealed {
  readonly uid: string;
}

/** The methods' full names. */
export const methods = {
  status: '/v2.KeyManagementService/Status',
  encrypt: '/v2.KeyManagementService/Encrypt',
  decrypt: '/v2.KeyManagementService/Decrypt',
} as const;

const none: Buffer = Buffer.alloc(0);

interface Gathered {
  readonly bytes: ReadonlyMap<number, Buffer>;
  readonly annotations: Annotations;
}

/** Undefined where the message, or a text in it, is malformed. The last of a field that is there twice counts. */
function gather(message: Buffer, texts: readonly number[], annotationField?: number): Gathered | undefined {
  const bytes = new Map<number, Buffer>();
  const annotations = new Map<string, Buffer>();
  const readAnnotation = (entry: Buffer): boolean => {
    let name: Buffer = none;
    let value: Buffer = none;
    const wellFormed = readFields(entry, (field, content) => {
      if (field === 1) name = content;
      if (field === 2) value = content;
      return true;
    });
    if (!wellFormed || !isUtf8(name)) return false;
    annotations.set(name.toString('utf8'), value);
    return true;
  };
  const wellFormed = readFields(message, (field, content) => {
    if (field === annotationField) return readAnnotation(content);
    bytes.set(field, content);
    return !texts.includes(field) || isUtf8(content);
  });
  return wellFormed ? { bytes, annotations } : undefined;
}

const bytesOf = (gathered: Gathered, field: number): Buffer => gathered.bytes.get(field) ?? none;
const textOf = (gathered: Gathered, field: number): string => gathered.bytes.get(field)?.toString('utf8') ?? '';

export function readEncryptRequest(message: Buffer): EncryptRequest | undefined {
  const read = gather(message, [2]);
  return read && { plaintext: bytesOf(read, 1), uid: textOf(read, 2) };
}

export function readDecryptRequest(message: Buffer): DecryptRequest | undefined {
  const read = gather(message, [2, 3], 4);
  return (
    read && {
      ciphertext: bytesOf(read, 1),
      uid: textOf(read, 2),
      keyId: textOf(read, 3),
      annotations: read.annotations,
    }
  );
}

export function readStatusReply(message: Buffer): StatusReply | undefined {
  const read = gather(message, [1, 2, 3]);
  return read && { version: textOf(read, 1), healthz: textOf(read, 2), keyId: textOf(read, 3) };
}

export function readEncryptReply(message: Buffer): Sealed | undefined {
  const read = gather(message, [2], 3);
  return read && { ciphertext: bytesOf(read, 1), keyId: textOf(read, 2), annotations: read.annotations };
}

export function readDecryptReply(message: Buffer): Buffer | undefined {
  const read = gather(message, []);
  return read && bytesOf(read, 1);
}

const text = (field: number, content: string): readonly Uint8Array[] => fieldParts(field, Buffer.from(content, 'utf8'));

function annotationParts(field: number, annotations: Annotations): readonly Uint8Array[] {
  return [...annotations].flatMap(([name, value]) =>
    fieldParts(field, Buffer.concat([...text(1, name), ...fieldParts(2, value)])),
  );
}

export function statusReply({ version, healthz, keyId }: StatusReply): Buffer {
  return Buffer.concat([...text(1, version), ...text(2, healthz), ...text(3, keyId)]);
}

export function encryptRequest({ plaintext, uid }: EncryptRequest): Buffer {
  return Buffer.concat([...fieldParts(1, plaintext), ...text(2, uid)]);
}

export function encryptReply({ ciphertext, keyId, annotations }: Sealed): Buffer {
  return Buffer.concat([...fieldParts(1, ciphertext), ...text(2, keyId), ...annotationParts(3, annotations)]);
}

export function decryptRequest({ ciphertext, uid, keyId, annotations }: DecryptRequest): Buffer {
  return Buffer.concat([
    ...fieldParts(1, ciphertext),
    ...text(2, uid),
    ...text(3, keyId),
    ...annotationParts(4, annotations),
  ]);
}

export function decryptReply(plaintext: Buffer): Buffer {
  return Buffer.concat(fieldParts(1, plaintext));
}
