/** A KMS v2 client on @grpc/grpc-js, which shares no code with the provider. */
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protoPath = fileURLToPath(new URL('../../k8s-bridge/kms-provider/api.proto', import.meta.url));

export interface SealedSeed {
  readonly ciphertext: Buffer;
  readonly key_id: string;
  readonly annotations: Readonly<Record<string, Buffer>>;
}
/** A value, or the status that the server answered. */
export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: number; readonly details: string };

/** Throws where it is none. */
export function valueOf<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${String(answer.code)}: ${answer.details}`);
  return answer.value;
}
/** 0 for a value. */
export const codeOf = (answer: Answer<unknown>): number => (answer.ok ? 0 : answer.code);

export interface KmsClient {
  status(): Promise<Answer<{ readonly version: string; readonly healthz: string; readonly key_id: string }>>;
  encrypt(plaintext: Buffer): Promise<Answer<SealedSeed>>;
  decrypt(sealed: SealedSeed): Promise<Answer<{ readonly plaintext: Buffer }>>;
  close(): void;
}

type Method = (request: object, options: object, done: (error: ServiceError | null, value?: unknown) => void) => void;

const longPatience = 30_000;

/** @param patience for each call, in milliseconds */
export function connectKms(socketPath: string, patience = longPatience): KmsClient {
  const loaded = loadPackageDefinition(loadSync(protoPath, { keepCase: true, defaults: true }));
  const version = loaded['v2'];
  if (version === undefined || typeof version === 'function' || !('KeyManagementService' in version))
    throw new Error('api.proto has no KeyManagementService.');
  const Client = version['KeyManagementService'];
  if (typeof Client !== 'function' || !('service' in Client)) throw new Error('KeyManagementService is no service.');
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure());
  const call = <Value>(name: string, request: object): Promise<Answer<Value>> =>
    new Promise((resolve) => {
      const method = client[name] as unknown as Method;
      method.call(client, request, { deadline: Date.now() + patience }, (error, value) => {
        if (error === null) resolve({ ok: true, value: value as Value });
        else resolve({ ok: false, code: error.code, details: error.details });
      });
    });
  return {
    status: () => call('Status', {}),
    encrypt: (plaintext) => call('Encrypt', { plaintext, uid: 'test' }),
    decrypt: (sealed) => call('Decrypt', { ...sealed, uid: 'test' }),
    close: () => client.close(),
  };
}
