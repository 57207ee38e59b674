import type { TokenSetupPlan } from './plans.ts';
import type { StepDefinition } from './run.ts';
import { words } from './words.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** Initialise a token, or take it as it is, and make the wrapping key pair on it. */
function tokenSetupSteps(plan: TokenSetupPlan): readonly StepDefinition[] {
  const text = words.tokenSetup;
  // A token that is initialised here gets its serial then: '' makes the effects take it from the facts.
  const serial = plan.initialize ? '' : plan.expectedSerial;
  const steps: StepDefinition[] = [];
  if (plan.initialize) {
    const initialized = plan.currentLabel !== '' || plan.expectedSerial !== '';
    const typedName = plan.currentLabel === '' ? plan.expectedSerial : plan.currentLabel;
    steps.push({
      id: 'initialize',
      title: text.initialize.title,
      actor: administrator,
      explanation: text.initialize.explanation(plan.label),
      pace: 'prompt',
      action: text.initialize.action,
      ...(initialized ? { danger: { typedName, losses: text.initialize.losses } } : {}),
      needs: [],
      effect: {
        kind: 'token.initialize',
        storeId: plan.storeId,
        slotId: plan.slotId,
        expectedSerial: plan.expectedSerial,
        label: plan.label,
      },
      records: ['serial', 'tokenLabel', 'slotId'],
    });
    steps.push({
      id: 'read-back',
      title: text.readBack.title,
      actor: administrator,
      explanation: text.readBack.explanation,
      pace: 'automatic',
      action: text.readBack.action,
      needs: ['initialize'],
      effect: { kind: 'token.read-back', storeId: plan.storeId, label: plan.label },
      records: ['serial', 'tokenLabel', 'manufacturer', 'model', 'firmwareVersion'],
    });
  }
  steps.push(
    {
      id: 'log-in',
      title: text.logIn.title,
      actor: administrator,
      explanation: text.logIn.explanation,
      pace: 'prompt',
      action: text.logIn.action,
      needs: plan.initialize ? ['read-back'] : [],
      effect: { kind: 'token.log-in', storeId: plan.storeId, serial, tokenLabel: plan.label, act: text.logIn.act },
      records: ['serial'],
    },
    {
      id: 'generate-key',
      title: text.generate.title,
      actor: administrator,
      explanation: text.generate.explanation(plan.keyLabel, plan.modulusBits),
      pace: 'automatic',
      action: text.generate.action,
      needs: ['log-in'],
      effect: {
        kind: 'token.generate-key',
        storeId: plan.storeId,
        serial,
        keyLabel: plan.keyLabel,
        modulusBits: plan.modulusBits,
      },
      records: ['keyLabel', 'keyId', 'modulusBits', 'publicKeySha256', 'publicKeyWords'],
    },
    {
      id: 'verify-key',
      title: text.verify.title,
      actor: administrator,
      explanation: text.verify.explanation,
      pace: 'automatic',
      action: text.verify.action,
      needs: ['generate-key'],
      effect: { kind: 'token.verify-key', storeId: plan.storeId, serial, keyLabel: plan.keyLabel },
      records: ['publicKeySha256', 'publicKeyWords'],
    },
  );
  return steps;
}

export const tokenSetupWorkflow: Workflow<TokenSetupPlan> = {
  title: words.tokenSetup.title,
  steps: tokenSetupSteps,
  subject: (plan) => plan.label,
  place: (plan) => ({ kind: 'token', storeId: plan.storeId, serial: plan.expectedSerial }),
  facts: (plan) => [
    ['Token', plan.expectedSerial === '' ? plan.label : `${plan.label}, serial ${plan.expectedSerial}`],
    ['Module', plan.storeName],
    ['Erased first', plan.initialize ? 'yes' : 'no'],
    ['Wrapping key', `${plan.keyLabel}, RSA ${plan.modulusBits.toString()}`],
  ],
};
