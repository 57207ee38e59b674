/** HTTP/2's frames (RFC 9113, sections 4 and 6). */

export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'ascii');

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, acknowledged: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const settings = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Section 7. */
export const errorCodes = {
  noError: 0,
  protocolError: 1,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof errorCodes)[keyof typeof errorCodes];

export const headLength = 9;
/** What neither side may pass without having been told (SETTINGS_MAX_FRAME_SIZE). */
export const largestFrame = 16_384;
export const initialWindow = 65_535;
export const largestWindow = 2 ** 31 - 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** @returns where the payload begins */
export function writeHead(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flagBits: number,
  stream: number,
): number {
  into.writeUIntBE(length, at, 3);
  into[at + 3] = type;
  into[at + 4] = flagBits;
  into.writeUInt32BE(stream, at + 5);
  return at + headLength;
}

export function frame(type: number, flagBits: number, stream: number, payload: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(headLength + payload.length);
  payload.copy(whole, writeHead(whole, 0, payload.length, type, flagBits, stream));
  return whole;
}

/** A frame whose payload is 32-bit numbers. */
export function numbersFrame(type: number, stream: number, ...numbers: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(4 * numbers.length);
  numbers.forEach((number, index) => payload.writeUInt32BE(number, 4 * index));
  return frame(type, 0, stream, payload);
}

export function settingsFrame(values: readonly (readonly [identifier: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(6 * values.length);
  values.forEach(([identifier, value], index) => {
    payload.writeUInt16BE(identifier, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  });
  return frame(frameTypes.settings, 0, 0, payload);
}

/** Without padding and priority; undefined where they are longer than the frame. */
export function contentOf({ type, flags: bits, payload }: Frame): Buffer | undefined {
  const isPadded = (bits & flags.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (type === frameTypes.headers && (bits & flags.priority) !== 0 ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  return start > end ? undefined : payload.subarray(start, end);
}

export interface FrameReader {
  /**
   * Hands out every frame that is whole now, in order, until `take` answers false.
   * @returns false where a frame is longer than allowed
   */
  read(chunk: Buffer, take: (frame: Frame) => boolean): boolean;
}

export function createFrameReader(): FrameReader {
  let rest: Buffer | undefined;
  return {
    read: (chunk, take) => {
      const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      let position = 0;
      while (bytes.length - position >= headLength) {
        const length = bytes.readUIntBE(position, 3);
        if (length > largestFrame) return false;
        const end = position + headLength + length;
        if (bytes.length < end) break;
        const isGoingOn = take({
          type: bytes.readUInt8(position + 3),
          flags: bytes.readUInt8(position + 4),
          stream: bytes.readUInt32BE(position + 5) % 2 ** 31,
          payload: bytes.subarray(position + headLength, end),
        });
        position = end;
        if (!isGoingOn) return true;
      }
      rest = position === bytes.length ? undefined : bytes.subarray(position);
      return true;
    },
  };
}
