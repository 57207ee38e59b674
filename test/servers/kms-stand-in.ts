/**
 * A KMS v2 plugin that keeps no secret: it turns bytes over. Enough for a kube-apiserver to start with a rendered
 * EncryptionConfiguration and to write and read through it (k8s.io/kms, apis/v2/api.proto; gRPC over HTTP/2).
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';

export interface KmsStandIn {
  /** Methods in the order in which they were called. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

const keyId = Buffer.from('stand-in-key');

/** A field of protobuf's wire type 2. Lengths under 16 KiB. */
function field(number: number, value: Uint8Array): Buffer {
  const length = value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value]);
}

/** The first field of a message where it is of wire type 2: plaintext of Encrypt, ciphertext of Decrypt. */
function firstField(message: Buffer): Buffer {
  const low = message[1] ?? 0;
  const isLong = low > 127;
  const length = isLong ? (low & 127) | ((message[2] ?? 0) << 7) : low;
  const start = isLong ? 3 : 2;
  return message.subarray(start, start + length);
}

const turnedOver = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff));

function replyTo(method: string, message: Buffer): Buffer {
  switch (method) {
    case 'Status':
      return Buffer.concat([field(1, Buffer.from('v2')), field(2, Buffer.from('ok')), field(3, keyId)]);
    case 'Encrypt':
      return Buffer.concat([field(1, turnedOver(firstField(message))), field(2, keyId)]);
    default:
      return field(1, turnedOver(firstField(message)));
  }
}

/** A gRPC message: one byte for compression, four for the length. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export async function startKmsStandIn(socketPath: string): Promise<KmsStandIn> {
  const calls: string[] = [];
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const parts: Buffer[] = [];
    stream.on('error', () => stream.close());
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      calls.push(method);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(framed(replyTo(method, Buffer.concat(parts).subarray(5))));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    calls,
    stop: async () => {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
