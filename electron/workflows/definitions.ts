/**
 * The workflows as data: what screen, terminal and transcript are drawn from.
 */
import type { Plan } from './plans.ts';
import type { RunState, StepDefinition } from './run.ts';
import { tokenSetupSteps } from './token-setup.ts';
import { unsealSteps } from './unseal.ts';
import { vaultInitSteps } from './vault-init.ts';
import { words } from './words.ts';

/** The steps of a plan, in the order in which they run. The same plan always gives the same steps. */
export function stepsOf(plan: Plan): readonly StepDefinition[] {
  switch (plan.workflow) {
    case 'token-setup':
      return tokenSetupSteps(plan);
    case 'vault-init':
      return vaultInitSteps(plan);
    case 'unseal':
      return unsealSteps(plan);
  }
}

/** What a run of this plan is called. */
export function titleOf(plan: Plan): string {
  switch (plan.workflow) {
    case 'token-setup':
      return words.tokenSetup.title;
    case 'vault-init':
      return words.vaultInit.title;
    case 'unseal':
      return words.unseal.title;
  }
}

/** What a run of this plan is about: the token's label or the Vault's name. */
export function subjectOf(plan: Plan): string {
  return plan.workflow === 'token-setup' ? plan.label : plan.vaultName;
}

/**
 * What must be typed before a run is abandoned; '' where nothing is lost by it. Once Vault has been
 * initialised and its values are not all in their places, abandoning leaves them in the encrypted copy
 * on disk only.
 */
export function abandonName(state: RunState): string {
  if (state.plan.workflow !== 'vault-init') return '';
  const initialize = state.steps.find((step) => step.id === 'initialize');
  return initialize !== undefined && initialize.attempts > 0 ? state.plan.vaultName : '';
}
