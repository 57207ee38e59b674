/** One Secret, read and written whole. Everything goes through kubectl's stdin and stdout. */
import { z } from 'zod';
import type { Allowance, ClusterPin, ValueSecret } from '../electron/workflows/cluster-ports.ts';
import { failure, success } from '../electron/workflows/failures.ts';
import type { Kubectl, KubectlOutput, KubectlResult } from './kubectl/kubectl.ts';
import { readJson } from './kubectl/read-json.ts';
import { describeRefusal } from './kubectl/refusals.ts';
import { fieldManager } from './protocol.ts';

const deadline = 60_000;

const secretSchema = z.looseObject({
  kind: z.literal('Secret'),
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), resourceVersion: z.string(), uid: z.string() }),
  data: z.record(z.string(), z.string()).nullish(),
  immutable: z.boolean().nullish(),
});

export interface OnCluster {
  readonly pin: ClusterPin;
  readonly allowed: readonly Allowance[];
}

export interface SecretObject {
  readonly resourceVersion: string;
  readonly immutable: boolean;
  /** Values as they stand in the object: base64 with padding. */
  readonly data: Readonly<Record<string, string>>;
  /** The object as the server gave it, to be sent back whole. */
  readonly whole: Readonly<Record<string, unknown>>;
}

export interface SecretDoor {
  /** undefined where there is no such Secret. */
  find(where: OnCluster, secret: ValueSecret): Promise<KubectlResult<SecretObject | undefined>>;
  /** @returns false where somebody else made it meanwhile */
  create(
    where: OnCluster,
    secret: ValueSecret,
    data: Readonly<Record<string, string>>,
    labels: Readonly<Record<string, string>>,
  ): Promise<KubectlResult<boolean>>;
  /** Puts `data` in the place of the object's. @returns false where the object is no longer the one that was read */
  replace(
    where: OnCluster,
    object: SecretObject,
    data: Readonly<Record<string, string>>,
  ): Promise<KubectlResult<boolean>>;
}

export function createSecretDoor(kubectl: Kubectl): SecretDoor {
  async function send(
    where: OnCluster,
    argumentList: readonly string[],
    manifest: object,
  ): Promise<KubectlResult<KubectlOutput>> {
    const input = Buffer.from(JSON.stringify(manifest), 'utf8');
    try {
      return await kubectl.run({ ...where, argumentList, input, deadlineMilliseconds: deadline });
    } finally {
      input.fill(0);
    }
  }

  return {
    async find(where, { namespace, name }) {
      const answered = await kubectl.run({
        ...where,
        onlyReads: true,
        argumentList: ['get', `secret/${name}`, `--namespace=${namespace}`, '--output=json', '--ignore-not-found'],
        deadlineMilliseconds: deadline,
      });
      if (!answered.ok) return answered;
      const { exitCode, output, errors } = answered.value;
      if (exitCode !== 0) return { ok: false, error: describeRefusal(errors, where.pin) };
      if (output.length === 0) return success(undefined);
      const read = readJson(secretSchema, output);
      output.fill(0);
      return read === undefined
        ? failure(
            'Cluster_UnexpectedReply',
            `The cluster’s answer about the Secret “${name}” in namespace “${namespace}” is no Secret.`,
            'Show this to whoever looks after the cluster.',
            { namespace, name },
          )
        : success({
            resourceVersion: read.metadata.resourceVersion,
            immutable: read.immutable === true,
            data: read.data ?? {},
            whole: read,
          });
    },

    async create(where, { namespace, name }, data, labels) {
      const answered = await send(
        where,
        [
          'create',
          `--namespace=${namespace}`,
          '--filename=-',
          '--output=name',
          `--field-manager=${fieldManager}`,
          '--validate=false',
        ],
        { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { namespace, name, labels }, data },
      );
      if (!answered.ok) return answered;
      if (answered.value.exitCode === 0) return success(true);
      if (answered.value.errors.includes('(AlreadyExists)')) return success(false);
      return { ok: false, error: describeRefusal(answered.value.errors, where.pin) };
    },

    async replace(where, object, data) {
      const { namespace, name } = secretSchema.parse(object.whole).metadata;
      // The object's resourceVersion and uid go along, so the server refuses it if anything changed since it was read.
      const answered = await send(
        where,
        [
          'replace',
          `--namespace=${namespace}`,
          '--filename=-',
          '--output=name',
          `--field-manager=${fieldManager}`,
          '--validate=false',
        ],
        { ...object.whole, data },
      );
      if (!answered.ok) return answered;
      if (answered.value.exitCode === 0) return success(true);
      const refusal = describeRefusal(answered.value.errors, where.pin);
      const isAnotherNow =
        refusal.code === 'Cluster_Conflict' || answered.value.errors.includes(`secrets "${name}" not found`);
      return isAnotherNow ? success(false) : { ok: false, error: refusal };
    },
  };
}
