/**
 * The workflows as data: what screen, terminal and transcript are drawn from.
 */
import { clusterPushWorkflow } from './cluster-push.ts';
import { clusterForgetWorkflow } from './cluster-forget.ts';
import { clusterUndoWorkflow } from './cluster-undo.ts';
import type { Plan, WorkflowName } from './plans.ts';
import type { RunState, StepDefinition } from './run.ts';
import { secretStoreWorkflow } from './secret-store.ts';
import { backupDrillWorkflow, deviceCloneWorkflow } from './token-backup.ts';
import {
  certificateStoreWorkflow,
  keyTestWorkflow,
  objectDeleteWorkflow,
  pinChangeWorkflow,
  tokenResetWorkflow,
} from './token-care.ts';
import { tokenSetupWorkflow } from './token-setup.ts';
import { kmsVerifyWorkflow } from './kms-verify.ts';
import { sealMigrationWorkflow } from './seal-migration.ts';
import { transitSetUpWorkflow } from './transit-setup.ts';
import { unsealWorkflow } from './unseal.ts';
import { valueReadOutWorkflow, valuesRepairWorkflow, valuesRewrapWorkflow } from './values.ts';
import { vaultInitWorkflow } from './vault-init.ts';
import type { Workflow, WorkflowPlace } from './workflow.ts';

const workflows: { readonly [Name in WorkflowName]: Workflow<Extract<Plan, { workflow: Name }>> } = {
  'token-setup': tokenSetupWorkflow,
  'vault-init': vaultInitWorkflow,
  unseal: unsealWorkflow,
  'backup-drill': backupDrillWorkflow,
  'device-clone': deviceCloneWorkflow,
  'pin-change': pinChangeWorkflow,
  'token-reset': tokenResetWorkflow,
  'object-delete': objectDeleteWorkflow,
  'certificate-store': certificateStoreWorkflow,
  'key-test': keyTestWorkflow,
  'values-repair': valuesRepairWorkflow,
  'value-read-out': valueReadOutWorkflow,
  'values-rewrap': valuesRewrapWorkflow,
  'seal-migration': sealMigrationWorkflow,
  'transit-setup': transitSetUpWorkflow,
  'kms-verify': kmsVerifyWorkflow,
  'cluster-push': clusterPushWorkflow,
  'cluster-undo': clusterUndoWorkflow,
  'cluster-forget': clusterForgetWorkflow,
  'secret-store': secretStoreWorkflow,
};

/** The table ties each plan to its own workflow, so what is looked up by a plan's name takes that plan. */
const workflowOf = (plan: Plan): Workflow<Plan> => workflows[plan.workflow];

/** The steps of a plan, in the order in which they run. The same plan always gives the same steps. */
export const stepsOf = (plan: Plan): readonly StepDefinition[] => workflowOf(plan).steps(plan);

/** What a run of this plan is called. */
export const titleOf = (plan: Plan): string => workflowOf(plan).title;

/** What a run of this plan is about: the token's label or the Vault's name. */
export const subjectOf = (plan: Plan): string => workflowOf(plan).subject(plan);

/** The token store or the Vault that a run of this plan is about. */
export const placeOf = (plan: Plan): WorkflowPlace => workflowOf(plan).place(plan);

/** What was decided before the run started, as rows of a transcript. */
export const planFacts = (plan: Plan): readonly (readonly [string, string])[] => workflowOf(plan).facts(plan);

/**
 * What must be typed before a run is abandoned; '' where nothing is lost by it. Once Vault has been
 * initialised, or values are encrypted anew, and they are not all in their places, abandoning leaves them in the
 * encrypted copy on disk only.
 */
export function abandonName(state: RunState): string {
  const step = (id: string) => state.steps.find((candidate) => candidate.id === id);
  switch (state.plan.workflow) {
    case 'vault-init':
      return (step('initialize')?.attempts ?? 0) > 0 ? state.plan.vaultName : '';
    case 'values-rewrap':
      return (step('rewrap')?.attempts ?? 0) > 0 && step('remove-escrow')?.status !== 'done'
        ? state.plan.token.label || state.plan.token.serial
        : '';
    default:
      return '';
  }
}
