/** gRPC's frame around a message (grpc.io, "gRPC over HTTP2"): one byte for compression, four for the length. */

const headLength = 5;

export function framed(message: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(headLength + message.length);
  whole[0] = 0;
  whole.writeUInt32BE(message.length, 1);
  message.copy(whole, headLength);
  return whole;
}

/** The message of a body that holds just one, uncompressed; undefined for anything else. */
export function unframed(body: Buffer): Buffer | undefined {
  if (body.length < headLength || body[0] !== 0 || body.readUInt32BE(1) !== body.length - headLength) return undefined;
  return body.subarray(headLength);
}

/** grpc-message is percent-encoded; everything outside printable ASCII has to be. */
export function encodeWords(words: string): string {
  return encodeURIComponent(words).replaceAll('%20', ' ');
}

export function decodeWords(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    if (cause instanceof URIError) return encoded;
    throw cause;
  }
}

const unitMilliseconds: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** The header grpc-timeout in milliseconds; undefined where there is none that can be read. */
export function readTimeout(header: unknown): number | undefined {
  const [, count, unit] = /^(\d{1,8})([HMSmun])$/u.exec(typeof header === 'string' ? header : '') ?? [];
  const milliseconds = unitMilliseconds[unit ?? ''];
  return milliseconds === undefined ? undefined : Number(count) * milliseconds;
}
