import type { TokenOfPlan, ValueReadOutPlan, ValuesRepairPlan, ValuesRewrapPlan } from './device-plans.ts';
import type { Workflow, WorkflowPlace } from './workflow.ts';

interface OnToken {
  readonly token: TokenOfPlan;
}

const tokenRow = ({ token }: OnToken): readonly [string, string] => ['Token', `${token.label}, serial ${token.serial}`];
const subject = ({ token }: OnToken): string => token.label;
const place = ({ token }: OnToken): WorkflowPlace => ({ kind: 'token', storeId: token.storeId, serial: token.serial });

export const valuesRepairWorkflow: Workflow<ValuesRepairPlan> = {
  title: 'Check and repair the stored values',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Key', plan.keyLabel], ['Values', plan.labels.join(', ')]],
};

export const valueReadOutWorkflow: Workflow<ValueReadOutPlan> = {
  title: 'Read a value out',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Value', plan.valueLabel], ['Shown to', plan.custodian]],
};

export const valuesRewrapWorkflow: Workflow<ValuesRewrapPlan> = {
  title: 'Encrypt the stored values anew',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [
    tokenRow(plan),
    ['From key', plan.fromKeyLabel],
    ['To key', `${plan.toKeyLabel}, RSA ${plan.modulusBits.toString()}`],
    ['Values', plan.labels.join(', ')],
    ['The old key', plan.removeOldKey ? 'is deleted at the end' : 'stays'],
  ],
};
