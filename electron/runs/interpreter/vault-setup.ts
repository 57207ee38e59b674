/** What is set up inside a Vault with an administrator's token, which the share host holds for the run. */
import { secretPurpose } from '../../sealing/schema.ts';
import type { Failure, Result, VaultFailureCode } from '../../workflows/failures.ts';
import { success } from '../../workflows/failures.ts';
import type { Plan } from '../../workflows/plans.ts';
import type { VaultSetUpEffect } from '../../workflows/vault-setup-effects.ts';
import type { TransitSetUpPlan } from '../../workflows/vault-setup-plans.ts';
import type { SealedSecretValue } from '../../workflows/ports.ts';
import type { WantedInVault } from '../../workflows/vault-setup-ports.ts';
import { vaultSetUpWords } from '../../workflows/words-vault-setup.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, failed, foundDone } from './context.ts';

type Hold = Omit<Extract<VaultSetUpEffect, { kind: 'vault.hold-token' }>, 'kind'>;
type Held = { readonly displayName: string; readonly policies: readonly string[] };

/** Asked until Vault takes it or the person closes the prompt. */
async function askToken(context: StepContext, { vaultName, connection, namespace }: Hold): Promise<Result<Held>> {
  const { prompt, vaultSetUp, shares } = context.ports;
  let problem: Failure<VaultFailureCode> | undefined;
  for (;;) {
    const recipient = await shares.sealingPublicKey();
    if (!recipient.ok) return recipient;
    const typed = await prompt.askPassword({
      runId: context.runId,
      rehearsal: context.plan.rehearsal,
      act: vaultSetUpWords.token.act,
      tokenLabel: vaultName,
      tokenSerial: '',
      what: vaultSetUpWords.token.what(vaultName),
      custodian: '',
      isNew: false,
      form: 'vault-token',
      minimumLength: 1,
      problem: problem?.message ?? '',
      failedWith: problem,
      recipient: recipient.value,
      purpose: secretPurpose.vaultToken,
    });
    if (!typed.ok) return typed;
    const held = await vaultSetUp.holdToken(context.runId, connection, namespace, typed.value);
    if (held.ok || held.error.code !== 'Vault_PermissionDenied') return held;
    problem = { ...held.error, code: held.error.code };
  }
}

function planOf(plan: Plan): TransitSetUpPlan {
  if (plan.workflow !== 'transit-setup') throw new TypeError('Only a plan that sets up Transit has this effect.');
  return plan;
}

/** After a lock, a crash or a restart the share host holds no token: it is asked for again, and the journal says so. */
async function withToken<Value>(context: StepContext, act: () => Promise<Result<Value>>): Promise<Result<Value>> {
  const first = await act();
  if (first.ok || first.error.code !== 'Vault_TokenNeeded') return first;
  const asked = await askToken(context, planOf(context.plan));
  if (!asked.ok) return asked;
  const noted = await context.note({ tokenGivenAgain: true });
  return noted.ok ? act() : failed(noted.error);
}

/** Asked of the cluster anew at each attempt, since a share host that was started anew has another key. */
async function sealReviewerToken(
  context: StepContext,
  wanted: WantedInVault,
): Promise<Result<SealedSecretValue | undefined>> {
  if (wanted.kind !== 'kubernetes-config' || wanted.reviewer.kind === 'client') return success(undefined);
  const recipient = await context.ports.shares.sealingPublicKey();
  return recipient.ok
    ? context.ports.review.sealReviewerToken(wanted.reviewer.cluster, wanted.reviewer.secret, recipient.value)
    : recipient;
}

/** Carries out one effect inside a Vault. */
export async function performVaultSetUp(context: StepContext, effect: VaultSetUpEffect): EffectResult {
  const { vaultSetUp } = context.ports;
  switch (effect.kind) {
    case 'vault.hold-token': {
      const held = await askToken(context, effect);
      if (!held.ok) return held;
      return done({ displayName: held.value.displayName, tokenPolicies: held.value.policies.join(', ') });
    }
    case 'vault.make': {
      const made = await withToken(context, async () => {
        const reviewer = await sealReviewerToken(context, effect.wanted);
        return reviewer.ok ? vaultSetUp.make(context.runId, effect.wanted, effect.replace, reviewer.value) : reviewer;
      });
      if (!made.ok) return made;
      return made.value.made ? done(made.value.facts) : foundDone(made.value.facts);
    }
    case 'vault.try-policy': {
      const { policy, mount, key } = effect;
      const tried = await withToken(context, () => vaultSetUp.tryPolicy(context.runId, { policy, mount, key }));
      return tried.ok ? done({ keyVersion: tried.value.keyVersion }) : tried;
    }
    case 'vault.forget-token': {
      const forgotten = await vaultSetUp.forgetToken(context.runId);
      return forgotten.ok ? success({ outcome: 'done', evidence: { tokenForgotten: true } }) : forgotten;
    }
  }
}
