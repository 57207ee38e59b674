import type { StepDefinition } from './run.ts';

/** What a run is about: where its mark as a rehearsal is checked, and what is looked at anew when it has ended. */
export type WorkflowPlace =
  | { readonly kind: 'token'; readonly storeId: string; readonly serial: string }
  | { readonly kind: 'vault'; readonly vaultId: string }
  | { readonly kind: 'cluster'; readonly context: string };

/** One workflow as data. Screens, terminal and transcript know nothing of it but this. */
export interface Workflow<OfPlan> {
  /** What a run of it is called. */
  readonly title: string;
  /** The steps of a plan, in the order in which they run. The same plan always gives the same steps. */
  steps(plan: OfPlan): readonly StepDefinition[];
  /** What a run of it is about: the token's label or the Vault's name. */
  subject(plan: OfPlan): string;
  place(plan: OfPlan): WorkflowPlace;
  /** What was decided before the run started, as rows of a transcript: name, value. */
  facts(plan: OfPlan): readonly (readonly [string, string])[];
}
