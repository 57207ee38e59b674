import type { BackupDrillPlan, DeviceClonePlan, TokenOfPlan } from './device-plans.ts';
import type { Workflow } from './workflow.ts';

const inWords = ({ label, serial }: TokenOfPlan): string => `${label}, serial ${serial}`;

export const backupDrillWorkflow: Workflow<BackupDrillPlan> = {
  title: 'Prove a key’s backup',
  steps: () => [],
  subject: (plan) => plan.token.label,
  place: (plan) => ({ kind: 'token', storeId: plan.token.storeId, serial: plan.token.serial }),
  facts: (plan) => [
    ['Token', inWords(plan.token)],
    ['Key', plan.keyLabel],
    ['Tried on', inWords(plan.target)],
  ],
};

export const deviceCloneWorkflow: Workflow<DeviceClonePlan> = {
  title: 'Clone a device',
  steps: () => [],
  subject: (plan) => plan.token.label,
  place: (plan) => ({ kind: 'token', storeId: plan.token.storeId, serial: plan.token.serial }),
  facts: (plan) => [
    ['From', inWords(plan.token)],
    ['To', inWords(plan.target)],
    ['The first device', plan.replace ? 'is erased at the end' : 'stays as it is'],
  ],
};
