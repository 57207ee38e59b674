import type {
  CertificateStorePlan,
  KeyTestPlan,
  ObjectDeletePlan,
  PinChangePlan,
  TokenOfPlan,
  TokenResetPlan,
} from './device-plans.ts';
import type { Workflow, WorkflowPlace } from './workflow.ts';

interface OnToken {
  readonly token: TokenOfPlan;
}

const tokenRow = ({ token }: OnToken): readonly [string, string] => ['Token', `${token.label}, serial ${token.serial}`];
const subject = ({ token }: OnToken): string => token.label;
const place = ({ token }: OnToken): WorkflowPlace => ({ kind: 'token', storeId: token.storeId, serial: token.serial });

const pinActs: Readonly<Record<PinChangePlan['act'], string>> = {
  'change-pin': 'The user PIN is changed',
  'change-so-pin': 'The SO-PIN is changed',
  'unblock-pin': 'The user PIN is unblocked with the SO-PIN',
  'reset-pin': 'A new user PIN is set with the SO-PIN',
};

export const pinChangeWorkflow: Workflow<PinChangePlan> = {
  title: 'Change a PIN',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Act', pinActs[plan.act]], ['Held by', plan.holder]],
};

export const tokenResetWorkflow: Workflow<TokenResetPlan> = {
  title: 'Erase a token',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ...plan.losses.map((loss): readonly [string, string] => ['Erased', loss])],
};

export const objectDeleteWorkflow: Workflow<ObjectDeletePlan> = {
  title: 'Delete an object',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [
    tokenRow(plan),
    ['Object', `${plan.object.objectClass} ${plan.object.label} ${plan.object.id}`.trim()],
  ],
};

export const certificateStoreWorkflow: Workflow<CertificateStorePlan> = {
  title: 'Store a certificate',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Certificate', `${plan.certificateLabel}, from ${plan.fileName}`]],
};

export const keyTestWorkflow: Workflow<KeyTestPlan> = {
  title: 'Try the keys',
  steps: () => [],
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Keys', plan.keys.map(({ label, id }) => (label === '' ? id : label)).join(', ')]],
};
