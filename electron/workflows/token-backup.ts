import { choicesInWords, deviceLogInStep, initializeStep, openSharesSteps, shareImportSteps } from './device-steps.ts';
import { ownLabel } from './token-labels.ts';
import type { BackupDrillPlan, DeviceClonePlan, TokenOfPlan } from './device-plans.ts';
import type { StepDefinition } from './run.ts';
import { deviceWords } from './words-device.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

const inWords = ({ label, serial }: TokenOfPlan): string => `${label}, serial ${serial}`;

const wrappedKeyFile = 'wrapped-key.bin';
const testFile = 'test-ciphertext.bin';

/** What the share files of a reset have to give, '' where there is none. */
const keyCheckValueOf = ({ reset }: BackupDrillPlan): string =>
  reset?.dkek.kind === 'shares' ? reset.dkek.expectedKeyCheckValue : '';

function compareDkek(one: TokenOfPlan, other: TokenOfPlan, expectedKeyCheckValue: string): StepDefinition {
  const text = deviceWords.compareDkek;
  const same = one.serial === other.serial;
  return {
    id: 'compare-dkek',
    title: same ? text.titleOfOne : text.title,
    actor: administrator,
    explanation: same ? text.one : text.explanation,
    pace: 'deliberate',
    action: text.action,
    needs: [],
    effect: { kind: 'device.compare-dkek', one, other, expectedKeyCheckValue },
    records: ['keyCheckValue', 'keyCheckWords'],
  };
}

/** Makes the test ciphertext and the wrapped key on the device that has the key. */
function takingSteps({ token, keyLabel }: BackupDrillPlan): readonly StepDefinition[] {
  const { test, wrap } = deviceWords.drill;
  return [
    deviceLogInStep('log-in', token, deviceWords.logIn.toWrap(token.label), ['compare-dkek']),
    {
      id: 'make-test',
      title: test.title(keyLabel),
      actor: administrator,
      explanation: test.explanation,
      pace: 'automatic',
      action: test.action,
      needs: ['log-in'],
      effect: { kind: 'device.make-test', token, keyLabel, fileName: testFile },
      records: ['publicKeySha256', 'publicKeyWords', 'testCiphertextSha256', 'file'],
    },
    {
      id: 'wrap-key',
      title: wrap.title(keyLabel),
      actor: administrator,
      explanation: wrap.explanation,
      pace: 'automatic',
      action: wrap.action,
      needs: ['log-in'],
      effect: { kind: 'device.wrap-key', token, keyLabel, fileName: wrappedKeyFile },
      records: ['keyLabel', 'file', 'fileSha256', 'keyCheckValue'],
    },
  ];
}

/** The same device after it was erased: its DKEK comes back from its shares. */
function resetSteps(plan: BackupDrillPlan): readonly StepDefinition[] {
  const { reset, target, keyLabel } = plan;
  if (reset === undefined) return [];
  const { title, losses } = deviceWords.drill.reset;
  const danger = { title, typedName: target.serial, losses: losses(keyLabel, reset) };
  const opened = openSharesSteps(target, reset, ['make-test', 'wrap-key']);
  return [
    ...opened,
    initializeStep(target, ownLabel(target.label), reset, danger, [
      'make-test',
      'wrap-key',
      ...opened.map(({ id }) => id),
    ]),
    ...shareImportSteps(target, reset, keyCheckValueOf(plan)),
  ];
}

/** Puts the key onto the target and proves it. */
function provingSteps({ token, target, keyLabel }: BackupDrillPlan): readonly StepDefinition[] {
  const { unwrap, prove } = deviceWords.drill;
  return [
    deviceLogInStep('log-in-target', target, deviceWords.logIn.toUnwrap(target.label), ['wrap-key']),
    {
      id: 'unwrap-key',
      title: unwrap.title(keyLabel, target.label),
      actor: administrator,
      explanation: unwrap.explanation(target.label),
      pace: 'automatic',
      action: unwrap.action,
      needs: ['wrap-key', 'log-in-target'],
      effect: { kind: 'device.unwrap-key', token: target, keyLabel, fileName: wrappedKeyFile },
      records: ['keyLabel', 'keyId', 'publicKeySha256'],
    },
    {
      id: 'prove',
      title: prove.title,
      actor: administrator,
      explanation: token.serial === target.serial ? prove.afterReset : prove.explanation,
      pace: 'automatic',
      action: prove.action,
      needs: ['make-test', 'unwrap-key'],
      effect: { kind: 'device.compare-keys', one: token, other: target, keyLabel, fileName: testFile },
      records: ['testCiphertextSha256', 'provenOn'],
    },
  ];
}

export const backupDrillWorkflow: Workflow<BackupDrillPlan> = {
  title: deviceWords.drill.title,
  steps: (plan) => [
    compareDkek(plan.token, plan.target, keyCheckValueOf(plan)),
    ...takingSteps(plan),
    ...resetSteps(plan),
    ...provingSteps(plan),
  ],
  subject: (plan) => plan.token.label,
  place: (plan) => ({ kind: 'token', storeId: plan.token.storeId, serial: plan.token.serial }),
  facts: (plan) => [
    ['Token', inWords(plan.token)],
    ['Key', plan.keyLabel],
    ['Tried on', plan.reset === undefined ? inWords(plan.target) : 'the same device, erased in between'],
    ...(plan.reset === undefined ? [] : choicesInWords(plan.reset)),
  ],
};

/** Erases the first device once all is proven on the second. */
function retire({ token, target }: DeviceClonePlan): StepDefinition {
  const text = deviceWords.clone.retire;
  return {
    id: 'retire',
    title: text.title(token.label),
    actor: administrator,
    explanation: text.explanation(token.label, target.label),
    pace: 'prompt',
    action: text.action,
    danger: { typedName: token.serial, losses: text.losses(target.label) },
    needs: ['verify'],
    // A SmartCard-HSM is found by its serial; the slot is of no account.
    effect: {
      kind: 'token.reset',
      token: { ...token, label: ownLabel(token.label) },
      slotId: 0,
      smartCardHsm: true,
    },
    records: ['serial', 'tokenLabel', 'objectsLeft'],
  };
}

function cloneSteps(plan: DeviceClonePlan): readonly StepDefinition[] {
  const { token, target } = plan;
  const { copy, verify } = deviceWords.clone;
  return [
    compareDkek(token, target, ''),
    deviceLogInStep('log-in', token, deviceWords.logIn.toWrap(token.label), ['compare-dkek']),
    deviceLogInStep('log-in-target', target, deviceWords.logIn.toUnwrap(target.label), ['compare-dkek']),
    {
      id: 'copy',
      title: copy.title(target.label),
      actor: administrator,
      explanation: copy.explanation(token.label, target.label),
      pace: 'automatic',
      action: copy.action,
      needs: ['log-in', 'log-in-target'],
      effect: { kind: 'device.copy-objects', from: token, to: target },
      records: ['keysCopied', 'certificatesCopied', 'dataObjectsCopied'],
    },
    {
      id: 'verify',
      title: verify.title,
      actor: administrator,
      explanation: verify.explanation(target.label),
      pace: 'automatic',
      action: verify.action,
      needs: ['copy'],
      effect: { kind: 'device.verify-copy', from: token, to: target },
      records: ['keysProven', 'objectsCompared'],
    },
    ...(plan.replace ? [retire(plan)] : []),
  ];
}

export const deviceCloneWorkflow: Workflow<DeviceClonePlan> = {
  title: deviceWords.clone.title,
  steps: cloneSteps,
  subject: (plan) => plan.token.label,
  place: (plan) => ({ kind: 'token', storeId: plan.token.storeId, serial: plan.token.serial }),
  facts: (plan) => [
    ['From', inWords(plan.token)],
    ['To', inWords(plan.target)],
    ['The first device', plan.replace ? 'is erased at the end' : 'stays as it is'],
  ],
};
