/** Shares given to a Vault's nodes one after the other, and the foreign one among them found. */
import type { Failure, Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { SealedSecretValue, VaultConnection } from '../../workflows/ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, failed } from './context.ts';
import { failureOf, readCluster, seenEvidence } from './vault-nodes.ts';

type Attempt =
  | { readonly kind: 'unsealed' }
  /** Every share was taken and more are needed, from elsewhere. */
  | { readonly kind: 'short' }
  /** The threshold was met and Vault refused the whole. */
  | { readonly kind: 'refused'; readonly error: Failure; readonly given: readonly string[] };

/** Shares that a token decrypts, ahead of need: it works on the next one while Vault takes this one. */
export class DecryptedShares {
  labels: readonly string[];
  /** Labels whose value cannot be decrypted under this token's key. */
  readonly undecipherable = new Set<string>();
  readonly #decrypt: (label: string) => Promise<Result<SealedSecretValue>>;
  readonly #decrypted = new Map<string, Promise<Result<SealedSecretValue>>>();

  /** @param decrypt the share of that label, sealed to the share host */
  constructor(labels: readonly string[], decrypt: (label: string) => Promise<Result<SealedSecretValue>>) {
    this.labels = labels;
    this.#decrypt = decrypt;
  }

  share(label: string): Promise<Result<SealedSecretValue>> {
    const known = this.#decrypted.get(label);
    if (known !== undefined) return known;
    const made = this.#decrypt(label);
    this.#decrypted.set(label, made);
    return made;
  }

  prefetch(labels: readonly string[]): void {
    for (const label of labels) void this.share(label);
  }
}

const isUndecipherable = (error: Failure): boolean =>
  error.code === 'Token_DecryptFailed' || error.code === 'Token_ObjectDoubled';

/** Only the plan decides whether a share may migrate a seal; a node that waits for it does not. */
export const isMigration = ({ plan }: StepContext): boolean => plan.workflow === 'seal-migration';

/** Gives these shares in turn to every node that is sealed still. */
export async function giveShares(
  context: StepContext,
  shares: DecryptedShares,
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
    const submitted = await context.ports.shares.submitShare(sealed, share.value, true, isMigration(context));
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
  shares: DecryptedShares,
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

/**
 * What an attempt with all the shares of one place comes to: the foreign share is found, what is no usable share is
 * a deviation, and more may be needed from elsewhere.
 * @param place 'on this token'
 */
export async function concludeAttempt(
  context: StepContext,
  shares: DecryptedShares,
  attempt: Attempt,
  options: {
    readonly connections: readonly VaultConnection[];
    readonly sealed: readonly VaultConnection[];
    readonly needed: number;
    readonly place: string;
    readonly keyLabel: string;
  },
): EffectResult {
  const { connections, needed, place } = options;
  const { labels } = shares;
  let leftOut = [...shares.undecipherable];
  if (attempt.kind === 'refused') {
    const foreign = await findForeignShare(context, shares, options.sealed, attempt.given);
    if (!foreign.ok) return foreign;
    if (foreign.value === '') {
      const { code, next } = attempt.error;
      return failure(
        code,
        `The shares ${attempt.given.join(', ')} ${place} do not unseal this Vault: at least one is foreign or of an earlier set.`,
        next,
        {
          labels: attempt.given.join(', '),
        },
      );
    }
    leftOut = [...shares.undecipherable, foreign.value];
  }
  if (leftOut.length > 0) {
    const noted = await context.deviate(
      `${leftOut.join(', ')} ${place.replace('this', 'the')} ${leftOut.length === 1 ? 'is' : 'are'} no usable share of this Vault and ${leftOut.length === 1 ? 'was' : 'were'} left out.`,
    );
    if (!noted.ok) return noted;
    if (leftOut.length === labels.length) {
      return failure(
        'Token_DecryptFailed',
        `None of the shares ${place} can be decrypted with the token’s key “${options.keyLabel}”: ${leftOut.join(', ')}.`,
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
  if (attempt.kind !== 'short') return done({ ...seenEvidence(context, connections), ...evidence, sealedNodes: 0 });
  const after = await readCluster(context, connections);
  return after.ok ? done({ ...after.value.evidence, sharesGiven: usable.join(', ') }) : after;
}
