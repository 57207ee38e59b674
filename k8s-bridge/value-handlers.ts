/**
 * bank-vaults' values in a Secret (its mode hsm-k8s, pkg/kv/k8s): `data` has the raw RSA-OAEP ciphertexts under
 * bank-vaults' names. What else lies in that Secret stays as it is and never leaves this process.
 */
import { failure, success } from '../electron/workflows/failures.ts';
import type { ValueSecret } from '../electron/workflows/cluster-ports.ts';
import { handle, type ClusterHostParts, type Handlers } from './handler.ts';
import type { KubectlResult } from './kubectl/kubectl.ts';
import { clusterHostRequests, type ClusterHostReply, type ClusterHostRequest } from './protocol.ts';
import { createSecretDoor, type OnCluster, type SecretObject } from './secret-object.ts';

type ValueMethod = 'values.read' | 'values.write' | 'values.remove';

const requests = clusterHostRequests;

/** Somebody else may write at the same moment; so often in a row they do not. */
const mostAttempts = 6;

/** Kubernetes' own bound on the sum of a Secret's values (MaxSecretSize, pkg/apis/core/types.go). */
const largestSecretBytes = 1024 * 1024;

/** Names under which bank-vaults, and this program for its trial, keep values. */
const valueName =
  /^(vault-unseal-(0|[1-9][0-9]{0,3})|vault-recovery-(0|[1-9][0-9]{0,3})|vault-root|vault-test|key-custodian-trial)$/u;

/** Lengths of RSA ciphertexts: keys of 2048, 3072 and 4096 bits. */
const ciphertextBytes: ReadonlySet<number> = new Set([256, 384, 512]);

const lengthOf = (base64: string): number => Buffer.byteLength(base64, 'base64');

function named({ namespace, name }: ValueSecret): string {
  return `the Secret “${name}” in namespace “${namespace}”`;
}

function valueExists(secret: ValueSecret, name: string): KubectlResult<never> {
  return failure(
    'Cluster_ValueExists',
    `“${name}” is in ${named(secret)} already, with another value. Nothing was replaced.`,
    'Choose another Secret. To replace the value, keep the old one somewhere first and remove it there.',
    { namespace: secret.namespace, name: secret.name, value: name },
  );
}

function keptChanging(secret: ValueSecret): KubectlResult<never> {
  return failure(
    'Cluster_Conflict',
    `Somebody else keeps changing ${named(secret)}.`,
    'Wait until they are done, then begin the step again; it looks first at what is there.',
    { namespace: secret.namespace, name: secret.name },
  );
}

/** Values by bank-vaults' names that are no ciphertexts are not passed on: they may be shares in the clear (mode k8s). */
function readCiphertexts(secret: ValueSecret, object: SecretObject): KubectlResult<Readonly<Record<string, string>>> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(object.data)) {
    if (!valueName.test(name)) continue;
    if (!ciphertextBytes.has(lengthOf(value)))
      return failure(
        'Cluster_ValueInvalid',
        `“${name}” in ${named(secret)} is no RSA ciphertext. It may have been written without an HSM, in the clear.`,
        'Check which program wrote this Secret, and in which mode. If it has shares in the clear, treat them as known to everybody who may read it.',
        { namespace: secret.namespace, name: secret.name, value: name, bytes: lengthOf(value) },
      );
    values[name] = value;
  }
  return success(values);
}

function checkValues(secret: ValueSecret, values: Readonly<Record<string, string>>): KubectlResult<undefined> {
  for (const [name, value] of Object.entries(values)) {
    if (!valueName.test(name) || !ciphertextBytes.has(lengthOf(value)))
      return failure(
        'Cluster_ValueInvalid',
        `“${name}” is not one of bank-vaults’ values, or no RSA ciphertext. Nothing was written.`,
        'Choose values that bank-vaults knows: vault-unseal-0 and so on, vault-root.',
        { namespace: secret.namespace, name: secret.name, value: name, bytes: lengthOf(value) },
      );
  }
  return success(undefined);
}

/** Refuses what the server would refuse, before anything is sent. */
function checkSize(secret: ValueSecret, data: Readonly<Record<string, string>>): KubectlResult<undefined> {
  const bytes = Object.values(data).reduce((sum, value) => sum + lengthOf(value), 0);
  return bytes <= largestSecretBytes
    ? success(undefined)
    : failure(
        'Cluster_ObjectTooLarge',
        `With these values ${named(secret)} would be larger than 1 MiB, which Kubernetes does not take. Nothing was sent.`,
        'Choose another Secret for them.',
        { namespace: secret.namespace, name: secret.name, bytes },
      );
}

function checkChangeable(secret: ValueSecret, object: SecretObject): KubectlResult<undefined> {
  return object.immutable
    ? failure(
        'Cluster_ObjectInvalid',
        `Whoever made ${named(secret)} has said that it never changes (immutable).`,
        'Choose another Secret.',
        { namespace: secret.namespace, name: secret.name },
      )
    : success(undefined);
}

export function createValueHandlers({ kubectl }: ClusterHostParts): Handlers<ValueMethod> {
  const secrets = createSecretDoor(kubectl);

  async function read(
    request: ClusterHostRequest<'values.read'>,
  ): Promise<KubectlResult<ClusterHostReply<'values.read'>>> {
    const found = await secrets.find(request, request.secret);
    if (!found.ok) return found;
    if (found.value === undefined) return success({ found: false, resourceVersion: '', values: {} });
    const values = readCiphertexts(request.secret, found.value);
    return values.ok
      ? success({ found: true, resourceVersion: found.value.resourceVersion, values: { ...values.value } })
      : values;
  }

  /** One attempt; undefined where somebody else was faster. */
  async function attempt(
    where: OnCluster,
    { secret, values, labels }: ClusterHostRequest<'values.write'>,
  ): Promise<KubectlResult<{ readonly created: boolean; readonly written: readonly string[] } | undefined>> {
    const found = await secrets.find(where, secret);
    if (!found.ok) return found;
    const there = found.value?.data ?? {};
    const differing = Object.keys(values).find((name) => there[name] !== undefined && there[name] !== values[name]);
    if (differing !== undefined) return valueExists(secret, differing);
    const written = Object.keys(values).filter((name) => there[name] === undefined);
    const data = { ...there, ...values };
    const size = checkSize(secret, data);
    if (!size.ok) return size;
    if (found.value === undefined) {
      const created = await secrets.create(where, secret, data, labels);
      return created.ok ? success(created.value ? { created: true, written } : undefined) : created;
    }
    if (written.length === 0) return success({ created: false, written });
    const changeable = checkChangeable(secret, found.value);
    if (!changeable.ok) return changeable;
    const replaced = await secrets.replace(where, found.value, data);
    return replaced.ok ? success(replaced.value ? { created: false, written } : undefined) : replaced;
  }

  async function confirm(
    where: OnCluster,
    secret: ValueSecret,
    values: Readonly<Record<string, string>>,
  ): Promise<KubectlResult<undefined>> {
    const found = await secrets.find(where, secret);
    if (!found.ok) return found;
    const lost = Object.entries(values).find(([name, value]) => found.value?.data[name] !== value);
    return lost === undefined
      ? success(undefined)
      : failure(
          'Cluster_ValueMissing',
          `“${lost[0]}” was written to ${named(secret)} and does not read back as it was written.`,
          'Find out what else changes this Secret, then begin the step again.',
          { namespace: secret.namespace, name: secret.name, value: lost[0] },
        );
  }

  async function write(
    request: ClusterHostRequest<'values.write'>,
  ): Promise<KubectlResult<ClusterHostReply<'values.write'>>> {
    const { secret, values } = request;
    const valid = checkValues(secret, values);
    if (!valid.ok) return valid;
    for (let count = 0; count < mostAttempts; count += 1) {
      const outcome = await attempt(request, request);
      if (!outcome.ok) return outcome;
      if (outcome.value === undefined) continue;
      const confirmed = await confirm(request, secret, values);
      return confirmed.ok
        ? success({ created: outcome.value.created, written: [...outcome.value.written] })
        : confirmed;
    }
    return keptChanging(secret);
  }

  async function remove(request: ClusterHostRequest<'values.remove'>): Promise<KubectlResult<Record<string, never>>> {
    const { secret, keys } = request;
    const unknown = keys.find((key) => !valueName.test(key));
    if (unknown !== undefined)
      return failure(
        'Cluster_ValueInvalid',
        `“${unknown}” is not one of bank-vaults’ values. Nothing was removed.`,
        'Remove it by hand if it is yours.',
        { namespace: secret.namespace, name: secret.name, value: unknown },
      );
    for (let count = 0; count < mostAttempts; count += 1) {
      const found = await secrets.find(request, secret);
      if (!found.ok) return found;
      const object = found.value;
      if (object === undefined || !keys.some((key) => object.data[key] !== undefined)) return success({});
      const changeable = checkChangeable(secret, object);
      if (!changeable.ok) return changeable;
      const data = Object.fromEntries(Object.entries(object.data).filter(([name]) => !keys.includes(name)));
      const replaced = await secrets.replace(request, object, data);
      if (!replaced.ok) return replaced;
    }
    return keptChanging(secret);
  }

  return {
    'values.read': handle<'values.read'>(requests['values.read'].request, read),
    'values.write': handle<'values.write'>(requests['values.write'].request, write),
    'values.remove': handle<'values.remove'>(requests['values.remove'].request, remove),
  };
}
