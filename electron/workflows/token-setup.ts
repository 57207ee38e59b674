import { choicesInWords, initializeStep, shareCreationSteps, shareImportSteps } from './device-steps.ts';
import type { DeviceChoices, TokenOfPlan } from './device-plans.ts';
import { keyKindName, keyKindOf } from './key-kinds.ts';
import type { TokenSetupPlan } from './plans.ts';
import type { StepDefinition } from './run.ts';
import { words } from './words.ts';
import { deviceWords } from './words-device.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** Erases a token that is no SmartCard-HSM and gives it its PINs, through PKCS#11. */
function initializeToken(plan: TokenSetupPlan): readonly StepDefinition[] {
  const text = words.tokenSetup.initialize;
  const initialized = plan.currentLabel !== '' || plan.expectedSerial !== '';
  const typedName = plan.currentLabel === '' ? plan.expectedSerial : plan.currentLabel;
  return [
    {
      id: 'initialize',
      title: text.title,
      actor: administrator,
      explanation: text.explanation(plan.label),
      pace: 'prompt',
      action: text.action,
      ...(initialized ? { danger: { typedName, losses: text.losses } } : {}),
      needs: [],
      effect: {
        kind: 'token.initialize',
        storeId: plan.storeId,
        slotId: plan.slotId,
        expectedSerial: plan.expectedSerial,
        label: plan.label,
      },
      records: ['serial', 'tokenLabel', 'slotId'],
    },
  ];
}

const deviceOf = (plan: TokenSetupPlan): TokenOfPlan => ({
  storeId: plan.storeId,
  serial: plan.expectedSerial,
  label: plan.label,
});

/** The same for a SmartCard-HSM, through its own commands. Its shares are made before anything is erased. */
function initializeDevice(plan: TokenSetupPlan, choices: DeviceChoices): readonly StepDefinition[] {
  const device = deviceOf(plan);
  const created = shareCreationSteps(device, choices);
  const danger = {
    title: deviceWords.initialize.title,
    // Two devices may have one label; no two have one serial.
    typedName: plan.expectedSerial,
    losses: deviceWords.initialize.losses(choices),
  };
  return [
    ...created,
    initializeStep(
      device,
      plan.label,
      choices,
      danger,
      created.map(({ id }) => id),
    ),
  ];
}

function readBack(plan: TokenSetupPlan): StepDefinition {
  const text = plan.device === undefined ? words.tokenSetup.readBack : deviceWords.readBack;
  return {
    id: 'read-back',
    title: text.title,
    actor: administrator,
    explanation: text.explanation,
    pace: 'automatic',
    action: text.action,
    needs: ['initialize'],
    effect: { kind: 'token.read-back', storeId: plan.storeId, label: plan.label },
    records: ['serial', 'tokenLabel', 'manufacturer', 'model', 'firmwareVersion'],
  };
}

/** Everything up to a token that can be logged in to. */
function initialization(plan: TokenSetupPlan): readonly StepDefinition[] {
  if (!plan.initialize) return [];
  if (plan.device === undefined) return [...initializeToken(plan), readBack(plan)];
  const { dkek } = plan.device;
  return [
    ...initializeDevice(plan, plan.device),
    readBack(plan),
    ...shareImportSteps(deviceOf(plan), plan.device, dkek.kind === 'shares' ? dkek.expectedKeyCheckValue : ''),
  ];
}

/** Initialise a token, or take it as it is, and make the wrapping key pair on it. */
function tokenSetupSteps(plan: TokenSetupPlan): readonly StepDefinition[] {
  const text = words.tokenSetup;
  // A token that is initialised here gets its serial then: '' makes the effects take it from the facts.
  const serial = plan.initialize ? '' : plan.expectedSerial;
  const before = initialization(plan);
  const last = before.at(-1);
  const device = plan.initialize ? plan.device : undefined;
  return [
    ...before,
    {
      id: 'log-in',
      title: text.logIn.title,
      actor: device === undefined ? administrator : { role: 'custodian', name: device.pinHolder },
      explanation: text.logIn.explanation,
      pace: 'prompt',
      action: text.logIn.action,
      needs: last === undefined ? [] : [last.id],
      effect: { kind: 'token.log-in', storeId: plan.storeId, serial, tokenLabel: plan.label, act: text.logIn.act },
      records: ['serial'],
    },
    {
      id: 'generate-key',
      title: text.generate.title,
      actor: administrator,
      explanation: text.generate.explanation(plan.keyLabel, keyKindOf(plan)),
      pace: 'automatic',
      action: text.generate.action,
      needs: ['log-in'],
      effect: {
        kind: 'token.generate-key',
        storeId: plan.storeId,
        serial,
        keyLabel: plan.keyLabel,
        keyKind: keyKindOf(plan),
      },
      records: ['keyLabel', 'keyId', 'modulusBits', 'curve', 'publicKeySha256', 'publicKeyWords'],
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
      records: ['publicKeySha256', 'publicKeyWords', 'wrapping', 'wrappingDowngrade'],
    },
    ...(device === undefined ? [] : [attestation(plan)]),
  ];
}

function attestation(plan: TokenSetupPlan): StepDefinition {
  const text = deviceWords.attest;
  return {
    id: 'attest',
    title: text.title,
    actor: administrator,
    explanation: text.explanation,
    pace: 'automatic',
    action: text.action,
    needs: ['generate-key'],
    effect: { kind: 'device.attest', token: deviceOf(plan) },
    records: ['attestation', 'attestationChain', 'attestedKeys'],
  };
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
    ['Wrapping key', `${plan.keyLabel}, ${keyKindName(keyKindOf(plan))}`],
    ...(plan.device === undefined ? [] : choicesInWords(plan.device)),
  ],
};
