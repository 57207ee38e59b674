import { secretPurpose } from '../../sealing/schema.ts';
import { unsealIndexOf, unsealLabel } from '../../workflows/bank-vaults.ts';
import type { Effect } from '../../workflows/effects.ts';
import type { Failure, Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { SealedSecretValue, SealStatus, UnsealProgress, VaultConnection } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { EffectOutcome, EffectResult, StepContext } from './context.ts';
import { done, failed, foundDone, notNeeded } from './context.ts';
import { logInToToken } from './token-setup.ts';
import { withLogin } from './log-in.ts';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

interface ClusterState {
  readonly statuses: readonly SealStatus[];
  readonly sealed: readonly VaultConnection[];
  readonly evidence: Evidence;
}

function evidenceOf(statuses: readonly SealStatus[]): Evidence {
  const sealed = statuses.filter((status) => status.sealed);
  const shown = sealed[0] ?? statuses[0];
  return {
    nodes: statuses.length,
    sealedNodes: sealed.length,
    threshold: shown?.threshold ?? 0,
    progress: shown?.progress ?? 0,
    nonce: shown?.nonce ?? '',
    clusterName: statuses.find((status) => status.clusterName !== '')?.clusterName ?? '',
  };
}

/**
 * Asks every node at once. A node that is not initialised has not joined its cluster yet: it counts as sealed.
 * @param nodes 'reachable': one that does not answer is left out and counts as sealed, so that the others are
 * unsealed all the same; its failure is that of the act only where no node answers. 'every': its failure is.
 */
async function readCluster(
  context: StepContext,
  connections: readonly VaultConnection[],
  nodes: 'reachable' | 'every' = 'reachable',
): Promise<Result<ClusterState>> {
  const answers = await Promise.all(connections.map((connection) => context.ports.vault.sealStatus(connection)));
  const reached = connections.filter((_connection, index) => answers[index]?.ok === true);
  const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer]));
  const [unanswered] = failures;
  if (unanswered !== undefined && (nodes === 'every' || reached.length === 0)) return unanswered;
  const cluster = clusterOf(
    context,
    reached,
    answers.flatMap((answer) => (answer.ok ? [answer.value] : [])),
  );
  if (unanswered === undefined) return success(cluster);
  const unreached = connections.filter((connection) => !reached.includes(connection));
  return success({
    ...cluster,
    evidence: {
      ...cluster.evidence,
      nodes: connections.length,
      sealedNodes: cluster.sealed.length + unreached.length,
      unreachedNodes: unreached.map(({ address }) => address).join(', '),
    },
  });
}

function clusterOf(
  context: StepContext,
  connections: readonly VaultConnection[],
  statuses: readonly SealStatus[],
): ClusterState {
  for (const [index, status] of statuses.entries()) {
    const connection = connections[index];
    if (connection !== undefined) context.seen.statuses.set(connection.address, status);
  }
  return {
    statuses,
    sealed: connections.filter((_connection, index) => statuses[index]?.sealed !== false),
    evidence: evidenceOf(statuses),
  };
}

/** The cluster as this process last saw it since the button was pressed; asked where a node was not seen. */
async function seenCluster(
  context: StepContext,
  connections: readonly VaultConnection[],
): Promise<Result<ClusterState>> {
  const statuses = connections.flatMap(({ address }) => context.seen.statuses.get(address) ?? []);
  return statuses.length === connections.length
    ? success(clusterOf(context, connections, statuses))
    : readCluster(context, connections);
}

/** Failures of single nodes, the first that is more than a share given twice. */
function failureOf(progress: readonly UnsealProgress[]): Failure | undefined {
  for (const { result } of progress)
    if (!result.ok && result.error.code !== 'Vault_ShareDuplicate') return result.error;
  return undefined;
}

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

/** Whether earlier steps of this run left nothing to unseal. */
const isAllOpen = (context: StepContext): boolean => context.facts['sealedNodes'] === 0;

/** The log-in of an unseal: not needed where nothing is sealed. */
export function logInToUnseal(context: StepContext, effect: EffectOf<'token.log-in'>): EffectResult {
  return context.plan.workflow === 'unseal' && isAllOpen(context)
    ? Promise.resolve(notNeeded({}))
    : logInToToken(context, effect);
}

type Attempt =
  | { readonly kind: 'unsealed' }
  /** Every share was taken and more are needed, from elsewhere. */
  | { readonly kind: 'short' }
  /** The threshold was met and Vault refused the whole. */
  | { readonly kind: 'refused'; readonly error: Failure; readonly given: readonly string[] };

/** The shares on a token, decrypted ahead of need: the token works on the next one while Vault takes this one. */
class TokenShares {
  labels: readonly string[];
  /** Labels whose value cannot be decrypted under this token's key. */
  readonly undecipherable = new Set<string>();
  readonly #context: StepContext;
  readonly #effect: EffectOf<'vault.unseal-from-token'>;
  readonly #recipient: string;
  readonly #decrypted = new Map<string, Promise<Result<SealedSecretValue>>>();

  constructor(
    context: StepContext,
    effect: EffectOf<'vault.unseal-from-token'>,
    recipient: string,
    labels: readonly string[],
  ) {
    this.#context = context;
    this.#effect = effect;
    this.#recipient = recipient;
    this.labels = labels;
  }

  share(label: string): Promise<Result<SealedSecretValue>> {
    const known = this.#decrypted.get(label);
    if (known !== undefined) return known;
    const made = this.#decrypt(label);
    this.#decrypted.set(label, made);
    return made;
  }

  #decrypt(label: string): Promise<Result<SealedSecretValue>> {
    const { tokens } = this.#context.ports;
    const { token, keyLabel } = this.#effect;
    return withLogin(this.#context, token, () =>
      tokens.decryptData(token, keyLabel, label, this.#recipient, secretPurpose.share),
    );
  }

  prefetch(labels: readonly string[]): void {
    for (const label of labels) void this.share(label);
  }
}

const isUndecipherable = (error: Failure): boolean =>
  error.code === 'Token_DecryptFailed' || error.code === 'Token_ObjectDoubled';

/** Gives these shares in turn to every node that is sealed still. */
async function giveShares(
  context: StepContext,
  shares: TokenShares,
  connections: readonly VaultConnection[],
  labels: readonly string[],
  ahead: number,
): Promise<Result<Attempt>> {
  let sealed = connections;
  const given: string[] = [];
  shares.prefetch(labels.slice(0, ahead));
  for (const [index, label] of labels.entries()) {
    const next = labels[index + ahead];
    const share = await shares.share(label);
    if (!share.ok) {
      if (!isUndecipherable(share.error)) return failed(share.error);
      shares.undecipherable.add(label);
      if (next !== undefined) shares.prefetch([next]);
      continue;
    }
    const submitted = await context.ports.shares.submitShare(sealed, share.value, true);
    if (!submitted.ok) {
      if (submitted.error.code !== 'Vault_ShareCorrupt') return submitted;
      shares.undecipherable.add(label);
      continue;
    }
    given.push(label);
    for (const { address, result } of submitted.value) {
      if (result.ok) context.seen.statuses.set(address, result.value);
    }
    const error = failureOf(submitted.value);
    if (error?.code === 'Vault_ShareForeign') return success({ kind: 'refused', error, given });
    if (error?.code === 'Vault_ShareCorrupt') {
      shares.undecipherable.add(label);
      given.pop();
      continue;
    }
    if (error !== undefined) return failed(error);
    sealed = sealed.filter(
      (connection) =>
        !submitted.value.some(
          ({ address, result }) => address === connection.address && result.ok && !result.value.sealed,
        ),
    );
    if (sealed.length === 0) return success({ kind: 'unsealed' });
  }
  return success({ kind: 'short' });
}

/** Combinations tried before giving up where shares do not fit together. */
const combinationLimit = 20;

/**
 * One of the shares given is foreign: each is left out in turn for one that has not been given yet.
 * @returns the label that was left out when Vault opened, or '' where no combination fits
 */
async function findForeignShare(
  context: StepContext,
  shares: TokenShares,
  connections: readonly VaultConnection[],
  given: readonly string[],
): Promise<Result<string>> {
  const spares = shares.labels.filter((label) => !given.includes(label) && !shares.undecipherable.has(label));
  let tried = 0;
  for (const spare of spares) {
    for (const suspect of given.toReversed()) {
      if (tried >= combinationLimit) return success('');
      tried += 1;
      const attempt = await giveShares(
        context,
        shares,
        connections,
        [...given.filter((label) => label !== suspect), spare],
        1,
      );
      if (!attempt.ok) return attempt;
      if (attempt.value.kind === 'unsealed') return success(suspect);
    }
  }
  return success('');
}

/** What the nodes said when they took their last share. */
function seenEvidence(context: StepContext, connections: readonly VaultConnection[]): Evidence {
  return evidenceOf(connections.flatMap(({ address }) => context.seen.statuses.get(address) ?? []));
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
  const needed = Math.max(
    1,
    ...cluster.value.statuses.map((status) => (status.sealed ? status.threshold - status.progress : 0)),
  );
  // By name, without a look at what else is there: what this program and bank-vaults store is numbered from 0.
  const named = Array.from({ length: needed }, (_unused, index) => unsealLabel(index));
  const shares = new TokenShares(context, effect, recipient.value, named);
  const first = await giveShares(context, shares, cluster.value.sealed, named, needed);
  if (first.ok && first.value.kind === 'unsealed' && shares.undecipherable.size === 0)
    return done({ ...seenEvidence(context, effect.connections), sharesGiven: named.join(', ') });
  if (!first.ok && first.error.code !== 'Token_ObjectMissing') return first;

  const objects = await withLogin(context, effect.token, () => ports.tokens.listObjects(effect.token));
  if (!objects.ok) return objects;
  const labels = [...new Set(objects.value.dataObjects.map(({ label }) => label))]
    .filter((label) => unsealIndexOf(label) !== undefined)
    .sort((left, right) => (unsealIndexOf(left) ?? 0) - (unsealIndexOf(right) ?? 0));
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
  let leftOut = [...shares.undecipherable];
  if (attempt.value.kind === 'refused') {
    const foreign = await findForeignShare(context, shares, cluster.value.sealed, attempt.value.given);
    if (!foreign.ok) return foreign;
    if (foreign.value === '') {
      const { code, next } = attempt.value.error;
      return failure(
        code,
        `The shares ${attempt.value.given.join(', ')} on this token do not unseal this Vault: at least one is foreign or of an earlier set.`,
        next,
        {
          labels: attempt.value.given.join(', '),
        },
      );
    }
    leftOut = [...shares.undecipherable, foreign.value];
  }
  if (leftOut.length > 0) {
    const noted = await context.deviate(
      `${leftOut.join(', ')} on the token ${leftOut.length === 1 ? 'is' : 'are'} no usable share of this Vault and ${leftOut.length === 1 ? 'was' : 'were'} left out.`,
    );
    if (!noted.ok) return noted;
    if (leftOut.length === labels.length) {
      return failure(
        'Token_DecryptFailed',
        `None of the shares on this token can be decrypted with its key “${effect.keyLabel}”: ${leftOut.join(', ')}.`,
        'Check the key label and that this is the right token.',
        {
          labels: leftOut.join(', '),
        },
      );
    }
  }
  const usable = labels.filter((label) => !leftOut.includes(label));
  const evidence = {
    sharesGiven: usable.slice(0, needed).join(', '),
    ...(leftOut.length === 0 ? {} : { sharesLeftOut: leftOut.join(', ') }),
  };
  if (attempt.value.kind !== 'short') {
    return done({ ...seenEvidence(context, effect.connections), ...evidence, sealedNodes: 0 });
  }
  const after = await readCluster(context, effect.connections);
  return after.ok ? done({ ...after.value.evidence, sharesGiven: usable.join(', ') }) : after;
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
      await context.ports.shares.submitShare(cluster.value.sealed, share.value),
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
