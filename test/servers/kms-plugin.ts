/**
 * A KMS v2 plugin with its keys in memory, for what the API server does with one; not the product's provider.
 * Its key can be changed as a rotation does.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, status, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protoPath = fileURLToPath(new URL('../../k8s-bridge/kms-provider/api.proto', import.meta.url));

export interface KmsPlugin {
  readonly socketPath: string;
  readonly encrypts: number;
  /** From now on another key, which Status tells; the old ones still decrypt. @returns its id */
  rotate(): string;
  /** The plugin of another node, on the same keys; it rotates by itself. */
  startOnAnotherNode(socketPath: string): Promise<KmsPlugin>;
  /** From now on the newest key that a plugin on these keys has made. */
  catchUp(): void;
  /** Of Status, from now on, in milliseconds. */
  delayStatus(milliseconds: number): void;
  stop(): Promise<void>;
}

function findService(): ServiceDefinition {
  const loaded = loadPackageDefinition(loadSync(protoPath, { keepCase: true }));
  const version = loaded['v2'];
  if (version === undefined || typeof version === 'function' || !('KeyManagementService' in version))
    throw new Error('api.proto has no KeyManagementService.');
  const client = version['KeyManagementService'];
  if (typeof client !== 'function' || !('service' in client)) throw new Error('KeyManagementService is no service.');
  return client.service;
}

interface Call {
  readonly request: { readonly plaintext?: Buffer; readonly ciphertext?: Buffer; readonly key_id?: string };
}
type Reply = (error: { readonly code: status; readonly details: string } | null, value?: unknown) => void;

const kleidi = 'kleidi-kms-plugin';

/** As kleidi does on SoftHSM (FORMATS 2.2): 16 bytes of nonce, its name as additional data and as key id, one annotation. */
function encryptAsKleidi(key: Buffer, plaintext: Buffer): object {
  const nonce = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(kleidi));
  const ciphertext = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { ciphertext, key_id: kleidi, annotations: { 'v2.kleidi.beezy.dev': Buffer.from('1') } };
}

/**
 * @param socketPath a Unix socket, at most 100 characters long
 * @param kleidiKey writes in kleidi's format, with this key of 32 bytes; it does not decrypt then
 */
export function startKmsPlugin(socketPath: string, kleidiKey?: Buffer): Promise<KmsPlugin> {
  return startOn(new Map(), socketPath, kleidiKey);
}

async function startOn(keys: Map<string, Buffer>, socketPath: string, kleidiKey?: Buffer): Promise<KmsPlugin> {
  let current = '';
  let encrypts = 0;
  let statusDelay = 0;
  const rotate = (): string => {
    current = `test-key-${(keys.size + 1).toString()}`;
    keys.set(current, randomBytes(32));
    return current;
  };
  const catchUp = (): void => {
    current = [...keys.keys()].at(-1) ?? rotate();
  };
  catchUp();
  if (kleidiKey !== undefined) current = kleidi;
  const server = new Server();
  server.addService(findService(), {
    Status: (_: Call, reply: Reply) => {
      setTimeout(() => reply(null, { version: 'v2', healthz: 'ok', key_id: current }), statusDelay);
    },
    Encrypt: ({ request: { plaintext } }: Call, reply: Reply) => {
      if (kleidiKey !== undefined && plaintext !== undefined) return reply(null, encryptAsKleidi(kleidiKey, plaintext));
      const key = keys.get(current);
      if (key === undefined || plaintext === undefined) return reply({ code: status.INTERNAL, details: 'no key' });
      encrypts += 1;
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const ciphertext = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      reply(null, { ciphertext, key_id: current, annotations: {} });
    },
    Decrypt: ({ request: { ciphertext, key_id: keyId } }: Call, reply: Reply) => {
      const key = keys.get(keyId ?? '');
      if (key === undefined || ciphertext === undefined)
        return reply({ code: status.FAILED_PRECONDITION, details: 'unknown key' });
      const decipher = createDecipheriv('aes-256-gcm', key, ciphertext.subarray(0, 12));
      decipher.setAuthTag(ciphertext.subarray(-16));
      reply(null, { plaintext: Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]) });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  await chmod(socketPath, 0o600);
  return {
    socketPath,
    get encrypts() {
      return encrypts;
    },
    rotate,
    startOnAnotherNode: (path) => startOn(keys, path),
    catchUp,
    delayStatus: (milliseconds) => {
      statusDelay = milliseconds;
    },
    async stop() {
      server.forceShutdown();
      await rm(socketPath, { force: true });
    },
  };
}
