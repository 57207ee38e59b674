/** bank-vaults' values in a Kubernetes Secret (mode hsm-k8s): raw ciphertexts under the token's key. */
import { randomBytes } from 'node:crypto';
import { secretPurpose } from '../../sealing/schema.ts';
import { bankVaultsTrialLabel, ownTrialLabel } from '../../workflows/bank-vaults.ts';
import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import type { ClusterPin, ValueSecret } from '../../workflows/cluster-ports.ts';
import type { Effect } from '../../workflows/effects.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { TokenReference } from '../../workflows/ports.ts';
import { secretInWords } from '../../workflows/secret-store.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done } from './context.ts';
import { getEntry } from './escrow.ts';
import { withLogin } from './log-in.ts';
import { encryptToWrappingKey, sameBytes, sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends ClusterEffect['kind']> = Extract<ClusterEffect, { kind: Kind }>;
type Values = Readonly<Record<string, Uint8Array>>;

interface InSecret {
  readonly cluster: ClusterPin;
  readonly secret: ValueSecret;
}

/** What the Secret holds now; nothing where there is no such Secret. */
async function valuesIn(context: StepContext, { cluster, secret }: InSecret): Promise<Result<Values>> {
  const read = await context.ports.clusters.readValues(cluster, secret);
  return read.ok ? success(read.value?.values ?? {}) : read;
}

const hashesOf = (values: Values): string =>
  Object.entries(values)
    .map(([label, ciphertext]) => `${label} ${sha256Hex(ciphertext)}`)
    .join(', ');

export async function checkSecretRoom(context: StepContext, effect: EffectOf<'secret.check-room'>): EffectResult {
  const values = await valuesIn(context, effect);
  if (!values.ok) return values;
  const taken = effect.labels.filter((label) => values.value[label] !== undefined);
  const secret = secretInWords(effect.secret);
  return taken.length === 0
    ? done({ secret })
    : failure(
        'Cluster_ValueExists',
        `The Secret ${secret} holds values of another Vault already: ${taken.join(', ')}.`,
        'Use another Secret, or remove these values first if that Vault is no more. bank-vaults finds values by these names alone, so one Secret serves one Vault.',
        { secret, labels: taken.join(', ') },
      );
}

/** The values on the token, as they lie there. */
async function valuesOnToken(
  context: StepContext,
  token: TokenReference,
  labels: readonly string[],
): Promise<Result<Values>> {
  const values: Record<string, Uint8Array> = {};
  for (const label of labels) {
    const read = await withLogin(context, token, () => context.ports.tokens.readData(token, label));
    if (!read.ok) return read;
    values[label] = read.value;
  }
  return success(values);
}

export async function compareWithSecret(context: StepContext, effect: EffectOf<'secret.compare'>): EffectResult {
  const onToken = await valuesOnToken(context, effect.token, effect.labels);
  if (!onToken.ok) return onToken;
  const inSecret = await valuesIn(context, effect);
  if (!inSecret.ok) return inSecret;
  const secret = secretInWords(effect.secret);
  const present = effect.labels.filter((label) => inSecret.value[label] !== undefined);
  const others = present.filter((label) => !isSame(inSecret.value[label], onToken.value[label]));
  return others.length === 0
    ? done({ secret, secretValues: present.length === 0 ? 'none yet' : present.join(', ') })
    : failure(
        'Cluster_ValueExists',
        `The Secret ${secret} holds other values than the token under these names: ${others.join(', ')}.`,
        'Use another Secret. A value in a Secret is never replaced: it may be the only one of another Vault.',
        { secret, labels: others.join(', ') },
      );
}

const isSame = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left !== undefined && right !== undefined && sameBytes(left, right);

/** Removes what an interrupted attempt of this run may have left, known by its content. */
async function removeEarlierTrial(
  context: StepContext,
  effect: EffectOf<'secret.trial-value'>,
  values: Values,
): Promise<Result<unknown>> {
  const key = context.noted['trialKey'];
  const left = typeof key === 'string' ? values[key] : undefined;
  if (typeof key !== 'string' || left === undefined || sha256Hex(left) !== context.noted['trialValueSha256'])
    return success({});
  return context.ports.clusters.removeValues(effect.cluster, effect.secret, [key]);
}

export async function storeTrialValue(context: StepContext, effect: EffectOf<'secret.trial-value'>): EffectResult {
  const { clusters, tokens } = context.ports;
  const { cluster, secret, token, keyLabel } = effect;
  const before = await valuesIn(context, effect);
  if (!before.ok) return before;
  const removedEarlier = await removeEarlierTrial(context, effect, before.value);
  if (!removedEarlier.ok) return removedEarlier;
  const key = await withLogin(context, token, () => tokens.findWrappingKey(token, keyLabel));
  if (!key.ok) return key;
  const isOthers =
    before.value[bankVaultsTrialLabel] !== undefined && context.noted['trialKey'] !== bankVaultsTrialLabel;
  const trialKey = isOthers ? ownTrialLabel : bankVaultsTrialLabel;
  const trial = randomBytes(32);
  const ciphertext = encryptToWrappingKey(key.value.publicKeySpki, trial, trialKey);
  const noted = await context.note({ trialKey, trialValueSha256: sha256Hex(ciphertext) });
  if (!noted.ok) return noted;
  const written = await clusters.writeValues(cluster, secret, { [trialKey]: ciphertext }, effect.secretLabels);
  if (!written.ok) return written;
  const readBack = await valuesIn(context, effect);
  if (!readBack.ok) return readBack;
  const kept = readBack.value[trialKey];
  const matches =
    kept !== undefined && sameBytes(kept, ciphertext)
      ? await withLogin(context, token, () => tokens.verifyDecrypt(token, keyLabel, kept, sha256Hex(trial)))
      : success({ matches: false });
  const removed = await clusters.removeValues(cluster, secret, [trialKey]);
  if (!matches.ok) return matches;
  if (!matches.value.matches) {
    return failure(
      'Cluster_ValueInvalid',
      'The trial value came back from the Secret other than it was written.',
      'Something in the cluster changes Secrets as they are written. Do not store values there.',
      { secret: secretInWords(secret) },
    );
  }
  return removed.ok ? done({ secret: secretInWords(secret), trialKey }) : removed;
}

/**
 * The same values, read from the Secret and decrypted on the token.
 * @returns Cluster_ValueMissing, Cluster_ValueInvalid for one that is not there or another
 */
export async function verifyInSecret(
  context: StepContext,
  where: InSecret,
  expected: Values,
  on?: { readonly token: TokenReference; readonly keyLabel: string },
): Promise<Result<unknown>> {
  const { tokens, shares } = context.ports;
  const found = await valuesIn(context, where);
  if (!found.ok) return found;
  const secret = secretInWords(where.secret);
  for (const [label, ciphertext] of Object.entries(expected)) {
    const kept = found.value[label];
    if (kept === undefined) {
      return failure(
        'Cluster_ValueMissing',
        `${label} is not in the Secret ${secret}.`,
        'Find out who changed the Secret, then press the button again.',
        { secret, label },
      );
    }
    if (!sameBytes(kept, ciphertext)) {
      return failure(
        'Cluster_ValueInvalid',
        `${label} in the Secret ${secret} is not what this run stored there.`,
        'Find out who changed the Secret. Nothing is removed anywhere else.',
        { secret, label },
      );
    }
    if (on === undefined) continue;
    const recipient = await shares.sealingPublicKey();
    if (!recipient.ok) return recipient;
    const decrypted = await withLogin(context, on.token, () =>
      tokens.decrypt(on.token, on.keyLabel, kept, recipient.value, secretPurpose.share),
    );
    if (!decrypted.ok) return decrypted;
  }
  return success({});
}

export async function storeInSecret(context: StepContext, effect: EffectOf<'secret.store-values'>): EffectResult {
  const values = await valuesOnToken(context, effect.token, effect.labels);
  if (!values.ok) return values;
  const { cluster, secret } = effect;
  const written = await context.ports.clusters.writeValues(cluster, secret, values.value, effect.secretLabels);
  if (!written.ok) return written;
  return done({
    secret: secretInWords(secret),
    secretValues: effect.labels.join(', '),
    valuesSha256: hashesOf(values.value),
  });
}

export async function verifySecret(context: StepContext, effect: EffectOf<'secret.verify-values'>): EffectResult {
  const values = await valuesOnToken(context, effect.token, effect.labels);
  if (!values.ok) return values;
  const verified = await verifyInSecret(context, effect, values.value, effect);
  return verified.ok ? done({ secret: secretInWords(effect.secret), compared: effect.labels.length }) : verified;
}

/** Ciphertexts of the run's escrow by their labels. */
export async function valuesOfEscrow(context: StepContext, labels: readonly string[]): Promise<Result<Values>> {
  const values: Record<string, Uint8Array> = {};
  for (const label of labels) {
    const entry = await getEntry(context, label);
    if (!entry.ok) return entry;
    values[label] = Buffer.from(entry.value.tokenCiphertext, 'base64');
  }
  return success(values);
}

/** After an initialisation: what is in the escrow goes into the Secret, and each value is tried there and then. */
export async function storeFromEscrow(
  context: StepContext,
  effect: EffectOf<'secret.store-from-escrow'>,
): EffectResult {
  const { cluster, secret, secretLabels, labels } = effect;
  const values = await valuesOfEscrow(context, labels);
  if (!values.ok) return values;
  const written = await context.ports.clusters.writeValues(cluster, secret, values.value, secretLabels);
  if (!written.ok) return written;
  const verified = await verifyInSecret(context, effect, values.value, effect);
  if (!verified.ok) return verified;
  return done({
    secret: secretInWords(secret),
    secretValues: labels.join(', '),
    valuesSha256: hashesOf(values.value),
  });
}

/** Whether the Secret still holds what was stored, before the copy on disk goes. */
export async function compareEscrowWithSecret(
  context: StepContext,
  { cluster, secret, labels }: NonNullable<Extract<Effect, { kind: 'escrow.remove' }>['inSecret']>,
): Promise<Result<unknown>> {
  const values = await valuesOfEscrow(context, labels);
  return values.ok ? verifyInSecret(context, { cluster, secret }, values.value) : values;
}
