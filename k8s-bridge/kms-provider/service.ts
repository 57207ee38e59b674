/** KMS v2 (api.proto beside this file) over a backend: limits, health and what is counted. */
import type { Backend, Health } from './backend.ts';
import {
  decryptReply,
  encryptReply,
  methods,
  readDecryptRequest,
  readEncryptRequest,
  statusReply,
  type Annotations,
  type Sealed,
} from './grpc/messages.ts';
import { answered, grpcStatus, refused, type Outcome, type Refused, type Soon } from './grpc/outcome.ts';
import type { UnaryMethod } from './grpc/server.ts';
import type { Log } from './log.ts';
import type { MethodName, Metrics } from './metrics.ts';

/** Kubernetes' limits: each is what kube-apiserver still takes (apiserver, envelope/kmsv2: under 1 kB, under 32 kB). */
export const limits = { keyId: 1024, ciphertext: 1024, annotations: 32 * 1024 } as const;
/** Leaves room in the ciphertext for what a backend adds; kube-apiserver's seeds have 32 bytes. */
export const largestPlaintext = 512;

/** How long a check may take: kube-apiserver waits 3 s for Status by default. */
const checkMilliseconds = 2500;

const malformed: Refused = refused('invalidArgument', 'The request is no message of KMS v2.');

export function annotationSize(annotations: Annotations): number {
  let size = 0;
  for (const [name, value] of annotations) size += Buffer.byteLength(name) + value.length;
  return size;
}

/** What is wrong with what Decrypt is asked for, or with what Encrypt is about to answer. */
function beyondLimits({ ciphertext, keyId, annotations }: Sealed): string | undefined {
  if (keyId === '') return 'There is no key id.';
  if (Buffer.byteLength(keyId) > limits.keyId) return `A key id has at most ${limits.keyId} bytes.`;
  if (ciphertext.length === 0) return 'There is no ciphertext.';
  if (ciphertext.length > limits.ciphertext) return `A ciphertext has at most ${limits.ciphertext} bytes.`;
  return annotationSize(annotations) > limits.annotations
    ? `Annotations have at most ${limits.annotations} bytes.`
    : undefined;
}

function then<From, To>(soon: Soon<From>, next: (value: From) => To): Soon<To> {
  return soon instanceof Promise ? soon.then(next) : next(soon);
}

export interface KmsService {
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** Looks at the key now; what it finds is what /readyz and the metrics say. */
  check(): Soon<Health>;
  readonly health: Health;
}

export function createKmsService(backend: Backend, metrics: Metrics, log: Log): KmsService {
  let health: Health = { healthy: false, keyId: '', reason: 'The key was not looked at yet.' };
  const settle = (found: Health): Health => {
    if (found.healthy !== health.healthy || (!found.healthy && !health.healthy && found.reason !== health.reason))
      log(found.healthy ? 'info' : 'error', found.healthy ? 'Healthy.' : 'Unhealthy.', {
        keyId: found.keyId,
        ...(found.healthy ? {} : { reason: found.reason }),
      });
    health = found;
    metrics.setHealth(found.healthy, found.keyId);
    return found;
  };
  const check = (): Soon<Health> => then(backend.check(performance.now() + checkMilliseconds), settle);

  const counted =
    (name: MethodName, method: UnaryMethod): UnaryMethod =>
    (message, deadline) => {
      const started = performance.now();
      return then(method(message, deadline), (outcome) => {
        const status = outcome.ok ? grpcStatus.ok : outcome.status;
        metrics.count(name, status, (performance.now() - started) / 1000);
        if (!outcome.ok) log('warning', 'A call was refused.', { method: name, status, words: outcome.words });
        return outcome;
      });
    };

  const status: UnaryMethod = () =>
    then(check(), (found) => {
      // kube-apiserver reads nothing else while a plugin is unhealthy, so an empty key id does no harm then.
      const healthz = found.healthy ? 'ok' : found.reason;
      return answered(statusReply({ version: 'v2', healthz, keyId: found.keyId }));
    });

  const encrypt: UnaryMethod = (message, deadline) => {
    const request = readEncryptRequest(message);
    if (request === undefined) return malformed;
    // kube-apiserver never asks for it, and tokens do not take it.
    if (request.plaintext.length === 0) return refused('invalidArgument', 'There is no plaintext.');
    if (request.plaintext.length > largestPlaintext)
      return refused('invalidArgument', `A plaintext has at most ${largestPlaintext} bytes: it is a seed, no Secret.`);
    log('debug', 'Encrypt.', { uid: request.uid, bytes: request.plaintext.length });
    return then(backend.encrypt(request.plaintext, deadline), (outcome): Outcome<Buffer> => {
      if (!outcome.ok) return outcome;
      const problem = beyondLimits(outcome.value);
      return problem === undefined ? answered(encryptReply(outcome.value)) : refused('internal', problem);
    });
  };

  const decrypt: UnaryMethod = (message, deadline) => {
    const request = readDecryptRequest(message);
    if (request === undefined) return malformed;
    const problem = beyondLimits(request);
    if (problem !== undefined) return refused('invalidArgument', problem);
    log('debug', 'Decrypt.', { uid: request.uid, keyId: request.keyId });
    return then(backend.decrypt(request, deadline), (outcome): Outcome<Buffer> => {
      if (!outcome.ok) return outcome;
      const reply = decryptReply(outcome.value);
      outcome.value.fill(0);
      return answered(reply);
    });
  };

  return {
    methods: new Map([
      [methods.status, counted('status', status)],
      [methods.encrypt, counted('encrypt', encrypt)],
      [methods.decrypt, counted('decrypt', decrypt)],
    ]),
    check,
    get health() {
      return health;
    },
  };
}
