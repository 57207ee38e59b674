import { secretPurpose } from '../../sealing/schema.ts';
import { unsealIndexOf, unsealLabel } from '../../workflows/bank-vaults.ts';
import type { Effect } from '../../workflows/effects.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure } from '../../workflows/failures.ts';
import type { SealedSecretValue, SealStatus, UnsealProgress, VaultConnection } from '../../workflows/ports.ts';
import { secretInWords } from '../../workflows/secret-store.ts';
import type { EffectOutcome, EffectResult, StepContext } from './context.ts';
import { done, failed, foundDone, notNeeded } from './context.ts';
import { logInToToken } from './token-setup.ts';
import { wasSeenLoggedIn, withLogin } from './log-in.ts';
import { concludeAttempt, DecryptedShares, giveShares, isMigration } from './share-giving.ts';
import { evidenceOf, failureOf, isAllOpen, readCluster, seenCluster, seenEvidence } from './vault-nodes.ts';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

export async function readSealStatus(context: StepContext, effect: EffectOf<'vault.read-seal-status'>): EffectResult {
  // Warms the share host and its connections while the PIN is being typed; a failure is met where a share is given.
  void context.ports.shares.prepareUnseal(effect.connections);
  const cluster = await readCluster(context, effect.connections);
  if (!cluster.ok) return cluster;
  const first = cluster.value.statuses[0];
  if (first !== undefined && !cluster.value.statuses.some((status) => status.initialized)) {
    return failure(
      'Vault_NotInitialized',
      'This Vault is not initialised yet, so there is nothing to unseal.',
      'Initialise it first.',
      { nodes: cluster.value.statuses.length },
    );
  }
  const other = cluster.value.statuses.find(
    (status) => status.sealed && status.initialized && status.type !== 'shamir',
  );
  if (other !== undefined) {
    return failure(
      'Vault_NotShamir',
      `This Vault is sealed by “${other.type}” and unseals itself; key shares do not unseal it.`,
      'See that its key service can be reached.',
    );
  }
  return done(cluster.value.evidence);
}

/** The log-in of an unseal: not needed where nothing is sealed. */
export function logInToUnseal(context: StepContext, effect: EffectOf<'token.log-in'>): EffectResult {
  return context.plan.workflow === 'unseal' && isAllOpen(context)
    ? Promise.resolve(notNeeded({}))
    : logInToToken(context, effect);
}

/** How many shares the nodes still need, at least one. */
const neededBy = (statuses: readonly SealStatus[]): number =>
  Math.max(1, ...statuses.map((status) => (status.sealed ? status.threshold - status.progress : 0)));

const inOrder = (labels: readonly string[]): readonly string[] =>
  [...new Set(labels)]
    .filter((label) => unsealIndexOf(label) !== undefined)
    .sort((left, right) => (unsealIndexOf(left) ?? 0) - (unsealIndexOf(right) ?? 0));

/** By name, without a look at what else is there: what this program and bank-vaults store is numbered from 0. */
const firstShares = (needed: number): readonly string[] =>
  Array.from({ length: needed }, (_unused, index) => unsealLabel(index));

/**
 * The token decrypts the shares that the nodes need as they were last seen, each sealed to the share host. They
 * stay sealed in memory; `unsealFromToken` gives them, once its start is on disk.
 */
export function readSharesAhead(context: StepContext, effect: EffectOf<'vault.unseal-from-token'>): void {
  const { ports, seen } = context;
  const statuses = effect.connections.flatMap(({ address }) => seen.statuses.get(address) ?? []);
  if (!wasSeenLoggedIn(context, effect.token) || !statuses.some(({ sealed }) => sealed)) return;
  const recipient = ports.shares.sealingPublicKey();
  const decrypt = async (label: string): Promise<Result<SealedSecretValue>> => {
    const key = await recipient;
    return key.ok
      ? ports.tokens.decryptData(effect.token, effect.keyLabel, label, key.value, secretPurpose.share)
      : failed(key.error);
  };
  // Two at a time: the token has the next one at hand when it has answered, and the first is given while it works.
  const asked: Promise<Result<SealedSecretValue>>[] = [];
  const ahead = new Map<string, Promise<Result<SealedSecretValue>>>();
  for (const label of firstShares(neededBy(statuses))) {
    const share = Promise.resolve(asked.at(-2)).then(() => decrypt(label));
    asked.push(share);
    ahead.set(label, share);
  }
  seen.sharesAhead.set(context.definition.id, ahead);
}

export async function unsealFromToken(context: StepContext, effect: EffectOf<'vault.unseal-from-token'>): EffectResult {
  if (isAllOpen(context)) return notNeeded({ sealedNodes: 0 });
  const { ports } = context;
  const [cluster, recipient] = await Promise.all([
    seenCluster(context, effect.connections),
    ports.shares.sealingPublicKey(),
  ]);
  if (!cluster.ok) return cluster;
  if (cluster.value.sealed.length === 0) return foundDone(cluster.value.evidence);
  if (!recipient.ok) return recipient;
  const needed = neededBy(cluster.value.statuses);
  const named = firstShares(needed);
  const ahead = context.seen.sharesAhead.get(context.definition.id);
  const shares = new DecryptedShares(named, async (label) => {
    const early = await ahead?.get(label);
    return early?.ok === true
      ? early
      : withLogin(context, effect.token, () =>
          ports.tokens.decryptData(effect.token, effect.keyLabel, label, recipient.value, secretPurpose.share),
        );
  });
  const first = await giveShares(context, shares, cluster.value.sealed, named, needed);
  if (first.ok && first.value.kind === 'unsealed' && shares.undecipherable.size === 0)
    return done({ ...seenEvidence(context, effect.connections), sharesGiven: named.join(', ') });
  if (!first.ok && first.error.code !== 'Token_ObjectMissing') return first;

  const objects = await withLogin(context, effect.token, () => ports.tokens.listObjects(effect.token));
  if (!objects.ok) return objects;
  const labels = inOrder(objects.value.dataObjects.map(({ label }) => label));
  if (labels.length === 0) {
    return failure(
      'Token_ObjectMissing',
      'There is no key share on this token.',
      'Choose the token that holds this Vault’s shares, or another source.',
    );
  }
  shares.labels = labels;
  // Shares that were given already are given again: Vault says so, and nothing is lost by it.
  const attempt =
    first.ok && first.value.kind !== 'short'
      ? first
      : await giveShares(
          context,
          shares,
          cluster.value.sealed,
          labels.filter((label) => !shares.undecipherable.has(label)),
          needed,
        );
  if (!attempt.ok) return attempt;
  return concludeAttempt(context, shares, attempt.value, {
    connections: effect.connections,
    sealed: cluster.value.sealed,
    needed,
    place: 'on this token',
    keyLabel: effect.keyLabel,
  });
}

/** bank-vaults' mode hsm-k8s: the ciphertexts lie in the cluster, the key that opens them on the local token. */
export async function unsealFromSecret(
  context: StepContext,
  effect: EffectOf<'vault.unseal-from-secret'>,
): EffectResult {
  if (isAllOpen(context)) return notNeeded({ sealedNodes: 0 });
  const { ports } = context;
  const [cluster, recipient, read] = await Promise.all([
    seenCluster(context, effect.connections),
    ports.shares.sealingPublicKey(),
    ports.clusters.readValues(effect.cluster, effect.secret),
  ]);
  if (!cluster.ok) return cluster;
  if (cluster.value.sealed.length === 0) return foundDone(cluster.value.evidence);
  if (!recipient.ok) return recipient;
  if (!read.ok) return read;
  const secret = secretInWords(effect.secret);
  if (read.value === undefined) {
    return failure(
      'Cluster_NotFound',
      `There is no Secret ${secret} in the cluster at ${effect.cluster.server}.`,
      'Choose the Secret that holds this Vault’s shares, or another source.',
      { secret },
    );
  }
  const { values } = read.value;
  const labels = inOrder(Object.keys(values));
  if (labels.length === 0) {
    return failure(
      'Cluster_ValueMissing',
      `There is no key share in the Secret ${secret}.`,
      'Choose the Secret that holds this Vault’s shares, or another source.',
      { secret },
    );
  }
  const needed = neededBy(cluster.value.statuses);
  const shares = new DecryptedShares(labels, (label) =>
    withLogin(context, effect.token, () =>
      ports.tokens.decrypt(
        effect.token,
        effect.keyLabel,
        values[label] ?? new Uint8Array(),
        recipient.value,
        secretPurpose.share,
      ),
    ),
  );
  const attempt = await giveShares(context, shares, cluster.value.sealed, labels, needed);
  if (!attempt.ok) return attempt;
  const concluded = await concludeAttempt(context, shares, attempt.value, {
    connections: effect.connections,
    sealed: cluster.value.sealed,
    needed,
    place: 'in this Secret',
    keyLabel: effect.keyLabel,
  });
  return concluded.ok ? done({ ...concluded.value.evidence, secret }) : concluded;
}

async function submitAndTell(
  context: StepContext,
  connections: readonly VaultConnection[],
  custodian: string,
  submitted: Result<readonly UnsealProgress[]>,
): EffectResult {
  if (!submitted.ok) return submitted;
  const error = failureOf(submitted.value);
  if (error !== undefined) return failed(error);
  const duplicate = submitted.value.find(({ result }) => !result.ok);
  if (duplicate?.result.ok === false && submitted.value.every(({ result }) => !result.ok))
    return failed(duplicate.result.error);
  const after = await readCluster(context, connections);
  return after.ok ? done({ custodian, ...after.value.evidence }) : after;
}

export async function unsealFromPgp(context: StepContext, effect: EffectOf<'vault.unseal-from-pgp'>): EffectResult {
  if (isAllOpen(context)) return notNeeded({ sealedNodes: 0 });
  const cluster = await readCluster(context, effect.connections);
  if (!cluster.ok) return cluster;
  if (cluster.value.sealed.length === 0) return foundDone(cluster.value.evidence);
  const submitted = await context.ports.shares.submitPgpShare(
    cluster.value.sealed,
    Buffer.from(effect.messageBase64, 'base64'),
    isMigration(context),
  );
  return submitAndTell(context, effect.connections, effect.custodian, submitted);
}

export async function unsealTyped(context: StepContext, effect: EffectOf<'vault.unseal-typed'>): EffectResult {
  if (isAllOpen(context)) return notNeeded({ sealedNodes: 0 });
  let problem = '';
  for (;;) {
    const cluster = await readCluster(context, effect.connections);
    if (!cluster.ok) return cluster;
    if (cluster.value.sealed.length === 0) return foundDone(cluster.value.evidence);
    const recipient = await context.ports.shares.sealingPublicKey();
    if (!recipient.ok) return recipient;
    const share = await context.ports.prompt.askShare({
      runId: context.runId,
      rehearsal: context.plan.rehearsal,
      act: `Share of ${effect.custodian} for ${effect.vaultName}`,
      vaultName: effect.vaultName,
      problem,
      recipient: recipient.value,
      purpose: secretPurpose.share,
    });
    if (!share.ok) return share;
    const result = await submitAndTell(
      context,
      effect.connections,
      effect.custodian,
      await context.ports.shares.submitShare(cluster.value.sealed, share.value, false, isMigration(context)),
    );
    if (result.ok || (result.error.code !== 'Vault_ShareCorrupt' && result.error.code !== 'Vault_ShareDuplicate'))
      return result;
    problem = `${result.error.message} ${result.error.next}`;
  }
}

/**
 * A node that has just answered to its last share that it is unsealed has said what it would be asked for.
 * Undefined where a node said anything else, or nothing since the button was pressed.
 */
export function confirmFromSeen(
  context: StepContext,
  effect: EffectOf<'vault.confirm-unsealed'>,
): EffectOutcome | undefined {
  const statuses = effect.connections.flatMap(({ address }) => context.seen.statuses.get(address) ?? []);
  return statuses.length === effect.connections.length && statuses.every(({ sealed }) => !sealed)
    ? { outcome: 'done', evidence: evidenceOf(statuses) }
    : undefined;
}

export async function confirmUnsealed(context: StepContext, effect: EffectOf<'vault.confirm-unsealed'>): EffectResult {
  const cluster = await readCluster(context, effect.connections, 'every');
  if (!cluster.ok) return cluster;
  const { sealed, evidence } = cluster.value;
  if (sealed.length === 0) return done(evidence);
  if (context.facts['sealedNodes'] === 0) {
    return failure(
      'Vault_SealedByAnother',
      `${sealed.map(({ address }) => address).join(', ')}: unsealed a moment ago and sealed again. Somebody sealed it, or it was restarted.`,
      'Find out why before you unseal it again, in a new run.',
      { sealedNodes: sealed.length },
    );
  }
  return failure(
    'Vault_Sealed',
    `${sealed.map(({ address }) => address).join(', ')} ${sealed.length === 1 ? 'is' : 'are'} sealed still: ${String(evidence['progress'])} of ${String(evidence['threshold'])} shares are given.`,
    'Give more shares in another run, or let other custodians give theirs, then press the button again.',
    { sealedNodes: sealed.length },
  );
}
