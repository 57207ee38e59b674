/** What kube-apiserver expects of a KMS v2 plugin, tried on any plugin's socket point by point. */
import { randomBytes } from 'node:crypto';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';
import { connectUnary, type UnaryClient } from './grpc/client.ts';
import {
  decryptRequest,
  encryptRequest,
  methods,
  readDecryptReply,
  readEncryptReply,
  readStatusReply,
  type Sealed,
  type StatusReply,
} from './grpc/messages.ts';
import { annotationSize, limits } from './service.ts';

export interface CheckedPoint {
  readonly point: string;
  readonly holds: boolean;
  /** What was seen instead, or worth knowing; '' for nothing. */
  readonly seen: string;
}

const uid = 'custodian-kms-check';
/** As many bytes as kube-apiserver's own seeds. */
const seedLength = 32;
/** As an API server asks at its start, which has each of its seeds opened. */
const callsAtOnce = 100;
/** What kube-apiserver waits for an answer, unless its configuration says otherwise (EncryptionConfiguration, timeout). */
const patienceMilliseconds = 3000;
/** kubernetes/apiserver, envelope/kmsv2: keys of annotations are domain names with at least one dot. */
const domainName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+$/u;

interface Seen<Value> {
  readonly value: Value | undefined;
  readonly words: string;
}

async function ask<Value>(
  client: UnaryClient,
  method: string,
  message: Buffer,
  read: (reply: Buffer) => Value | undefined,
): Promise<Seen<Value>> {
  const reply = await client.call(method, message);
  if (!reply.ok) return { value: undefined, words: `status ${reply.status}: ${reply.words}` };
  const value = read(reply.value);
  return { value, words: value === undefined ? 'an answer that is no message of KMS v2' : '' };
}

const askStatus = (client: UnaryClient): Promise<Seen<StatusReply>> =>
  ask(client, methods.status, Buffer.alloc(0), readStatusReply);
const askEncrypt = (client: UnaryClient, plaintext: Buffer): Promise<Seen<Sealed>> =>
  ask(client, methods.encrypt, encryptRequest({ plaintext, uid }), readEncryptReply);
const askDecrypt = (client: UnaryClient, sealed: Sealed): Promise<Seen<Buffer>> =>
  ask(client, methods.decrypt, decryptRequest({ ...sealed, uid }), readDecryptReply);

function changed(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** Seals and opens many seeds at once; an answer that belongs to another call shows. */
async function checkManyAtOnce(client: UnaryClient): Promise<CheckedPoint> {
  const began = performance.now();
  const answered = await Promise.all(
    Array.from({ length: callsAtOnce }, async () => {
      const seed = randomBytes(seedLength);
      const sealed = await askEncrypt(client, seed);
      const opened = sealed.value === undefined ? undefined : await askDecrypt(client, sealed.value);
      return opened?.value?.equals(seed) === true;
    }),
  );
  const right = answered.filter((isRight) => isRight).length;
  return {
    point: `${callsAtOnce} calls at once are answered, each with its own`,
    holds: right === callsAtOnce,
    seen: right === callsAtOnce ? `${Math.round(performance.now() - began)} ms` : `${right} of ${callsAtOnce}`,
  };
}

/** Three places of a ciphertext in which a change must be noticed. */
function spoilt(sealed: Sealed): readonly Sealed[] {
  const { ciphertext } = sealed;
  const last = ciphertext.length - 1;
  return [
    { ...sealed, ciphertext: changed(ciphertext, Math.floor(last / 2)) },
    { ...sealed, ciphertext: changed(ciphertext, last) },
    { ...sealed, ciphertext: ciphertext.subarray(0, last) },
  ];
}

async function checkSealed(
  client: UnaryClient,
  status: StatusReply,
  seed: Buffer,
  sealed: Sealed,
): Promise<CheckedPoint[]> {
  const { ciphertext, keyId, annotations } = sealed;
  const opened = await askDecrypt(client, sealed);
  const refusals = await Promise.all(spoilt(sealed).map((wrong) => askDecrypt(client, wrong)));
  const unknown = await askDecrypt(client, { ...sealed, keyId: `${keyId}-unknown` });
  const again = await askEncrypt(client, seed);
  const names = [...annotations.keys()];
  const size = annotationSize(annotations);
  return [
    {
      point: 'Encrypt answers the key id that Status tells',
      holds: keyId !== '' && keyId === status.keyId,
      seen: keyId === status.keyId ? '' : `Status ${status.keyId}, Encrypt ${keyId}`,
    },
    {
      point: 'The ciphertext has 1 to 1024 bytes',
      holds: ciphertext.length > 0 && ciphertext.length <= limits.ciphertext,
      seen: `${ciphertext.length} bytes`,
    },
    {
      point: 'Annotations are named by domains and have less than 32 kB',
      holds: names.every((name) => domainName.test(name)) && size < limits.annotations,
      seen: names.join(', '),
    },
    {
      point: 'Decrypt gives the plaintext back',
      holds: opened.value?.equals(seed) === true,
      seen: opened.value === undefined ? opened.words : '',
    },
    {
      point: 'A changed or shortened ciphertext is refused',
      holds: refusals.every(({ value }) => value === undefined),
      seen: '',
    },
    { point: 'An unknown key id is refused', holds: unknown.value === undefined, seen: '' },
    {
      point: 'Two encryptions of one plaintext differ',
      holds: again.value !== undefined && !again.value.ciphertext.equals(ciphertext),
      seen: again.words,
    },
  ];
}

/**
 * Carries out the check. It encrypts and decrypts values of its own and changes nothing.
 * Failure: Kms_Unreachable where nobody answers.
 */
export async function checkPlugin(socketPath: string): Promise<Result<readonly CheckedPoint[], 'Kms_Unreachable'>> {
  const client = await connectUnary(socketPath);
  if (client === undefined) {
    return failure(
      'Kms_Unreachable',
      `No KMS v2 plugin answers at ${socketPath}.`,
      'Check the path, that the plugin runs, and that you may enter the socket’s directory.',
      { path: socketPath },
    );
  }
  try {
    const began = performance.now();
    const status = await askStatus(client);
    const took = Math.round(performance.now() - began);
    const { version = '', healthz = '', keyId = '' } = status.value ?? {};
    const seed = randomBytes(seedLength);
    const sealed = await askEncrypt(client, seed);
    const points: CheckedPoint[] = [
      {
        point: `Status answers within ${patienceMilliseconds / 1000} seconds`,
        holds: status.value !== undefined && took <= patienceMilliseconds,
        seen: status.value === undefined ? status.words : `${took} ms`,
      },
      { point: 'Its version is v2 or v2beta1', holds: ['v2', 'v2beta1'].includes(version), seen: version },
      { point: 'It is healthy', holds: healthz === 'ok', seen: healthz === 'ok' ? '' : healthz },
      {
        point: 'Its key id has 1 to 1024 bytes',
        holds: keyId !== '' && Buffer.byteLength(keyId) <= limits.keyId,
        seen: keyId,
      },
      { point: 'Encrypt answers', holds: sealed.value !== undefined, seen: sealed.words },
    ];
    if (sealed.value !== undefined) {
      points.push(...(await checkSealed(client, { version, healthz, keyId }, seed, sealed.value)));
      points.push(await checkManyAtOnce(client));
    }
    return success(points);
  } finally {
    client.close();
  }
}
