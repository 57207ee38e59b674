import { read } from 'node:fs';

/** Bytes that one secret may have: a share is 66, a PIN at most 255. */
export const secretCapacity = 1024;

/** Secrets from a file descriptor that the caller of the program opened, one a line. */
export interface SecretLines {
  readonly fileDescriptor: number;
  /**
   * The next line without its end (LF or CRLF), in memory that the caller wipes. Reads not one byte past
   * it, so that one descriptor can serve several asks.
   */
  next(): Promise<SecretLine>;
}

export type SecretLine =
  | { readonly kind: 'line'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'ended' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'unreadable'; readonly code: string };

type ByteRead =
  { readonly kind: 'byte' } | { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly code: string };

function readByte(fileDescriptor: number, into: Uint8Array): Promise<ByteRead> {
  return new Promise((resolve) => {
    read(fileDescriptor, into, 0, 1, null, (cause, bytesRead) => {
      if (cause === null) resolve(bytesRead === 1 ? { kind: 'byte' } : { kind: 'ended' });
      else resolve({ kind: 'failed', code: cause.code ?? 'unknown' });
    });
  });
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function readLine(fileDescriptor: number): Promise<SecretLine> {
  const buffer = new Uint8Array(secretCapacity);
  const byte = new Uint8Array(1);
  let length = 0;
  let tooLong = false;
  try {
    for (;;) {
      const outcome = await readByte(fileDescriptor, byte);
      if (outcome.kind === 'failed') {
        // A pipe that its other end made non-blocking has nothing yet.
        if (outcome.code === 'EAGAIN') {
          await pause(20);
          continue;
        }
        return { kind: 'unreadable', code: outcome.code };
      }
      if (outcome.kind === 'ended' && length === 0 && !tooLong) return { kind: 'ended' };
      const value = byte[0] ?? 0;
      if (outcome.kind === 'ended' || value === 0x0a) {
        if (tooLong) return { kind: 'too-long' };
        const end = length > 0 && buffer[length - 1] === 0x0d ? length - 1 : length;
        return { kind: 'line', bytes: buffer.slice(0, end) };
      }
      if (length < secretCapacity) {
        buffer[length] = value;
        length += 1;
      } else tooLong = true;
    }
  } finally {
    buffer.fill(0);
    byte.fill(0);
  }
}

/** Opens nothing: the descriptor is the caller's, and what follows the last line asked for stays in it. */
export function openSecretLines(fileDescriptor: number): SecretLines {
  let previous: Promise<unknown> = Promise.resolve();
  return {
    fileDescriptor,
    next: () => {
      const line = previous.then(() => readLine(fileDescriptor));
      previous = line;
      return line;
    },
  };
}
