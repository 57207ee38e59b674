import type {
  CertificateStorePlan,
  KeyTestPlan,
  ObjectDeletePlan,
  PinChangePlan,
  TokenOfPlan,
  TokenResetPlan,
} from './device-plans.ts';
import type { StepDefinition } from './run.ts';
import { careWords } from './words-care.ts';
import type { Workflow, WorkflowPlace } from './workflow.ts';

interface OnToken {
  readonly token: TokenOfPlan;
}

const administrator = { role: 'administrator' } as const;

const tokenRow = ({ token }: OnToken): readonly [string, string] => ['Token', `${token.label}, serial ${token.serial}`];
const subject = ({ token }: OnToken): string => token.label;
const place = ({ token }: OnToken): WorkflowPlace => ({ kind: 'token', storeId: token.storeId, serial: token.serial });

/** The user's login, before what needs it. */
export function logInStep(token: TokenOfPlan, act: string): StepDefinition {
  const text = careWords.logIn;
  return {
    id: 'log-in',
    title: text.title,
    actor: administrator,
    explanation: text.explanation,
    pace: 'prompt',
    action: text.action,
    needs: [],
    effect: { kind: 'token.log-in', storeId: token.storeId, serial: token.serial, tokenLabel: token.label, act },
    records: ['serial'],
  };
}

/** The id of the step of one of several things: with its name, or its number where the name is too long for an id. */
export function stepIdOf(prefix: string, name: string, index: number): string {
  return name === '' || prefix.length + name.length > 70 ? `${prefix}${index.toString()}` : `${prefix}-${name}`;
}

function pinChangeSteps(plan: PinChangePlan): readonly StepDefinition[] {
  const text = careWords.pinChange.steps[plan.act];
  const more = plan.act === 'unblock-pin' && !plan.smartCardHsm ? careWords.pinChange.withNewPin : '';
  return [
    {
      id: plan.act,
      title: text.title,
      actor: { role: 'custodian', name: plan.holder },
      explanation: `${text.explanation(plan.holder)}${more}`,
      pace: 'prompt',
      action: text.action,
      needs: [],
      effect: { kind: 'token.change-pin', token: plan.token, act: plan.act, smartCardHsm: plan.smartCardHsm },
      records: ['serial', 'pinTriesLeft', 'soPinTriesLeft'],
    },
  ];
}

export const pinChangeWorkflow: Workflow<PinChangePlan> = {
  title: careWords.pinChange.title,
  steps: pinChangeSteps,
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Act', careWords.pinChange.facts[plan.act]], ['Held by', plan.holder]],
};

function tokenResetSteps(plan: TokenResetPlan): readonly StepDefinition[] {
  const text = careWords.reset;
  return [
    {
      id: 'reset',
      title: text.step.title,
      actor: administrator,
      explanation: text.step.explanation(plan.token.label, plan.smartCardHsm),
      pace: 'prompt',
      action: text.step.action,
      danger: {
        typedName: plan.token.serial,
        losses: [...(plan.losses.length === 0 ? [text.nothing] : plan.losses), text.pin],
      },
      needs: [],
      effect: { kind: 'token.reset', token: plan.token, slotId: plan.slotId, smartCardHsm: plan.smartCardHsm },
      records: ['serial', 'tokenLabel', 'objectsLeft'],
    },
  ];
}

export const tokenResetWorkflow: Workflow<TokenResetPlan> = {
  title: careWords.reset.title,
  steps: tokenResetSteps,
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ...plan.losses.map((loss): readonly [string, string] => ['Erased', loss])],
};

/** What must be typed before an object is deleted: its label, else its id, else the beginning of its hash. */
export function typedNameOf({ label, id, sha256 }: ObjectDeletePlan['object']): string {
  if (label !== '') return label;
  return id === '' ? sha256.slice(0, 8) : id;
}

const classWords: Readonly<Record<ObjectDeletePlan['object']['objectClass'], string>> = {
  'key-pair': 'key pair',
  'secret-key': 'secret key',
  certificate: 'certificate',
  data: 'data object',
};

/** 'key pair “bank-vaults”' */
function objectInWords(object: ObjectDeletePlan['object']): string {
  return `${classWords[object.objectClass]} “${typedNameOf(object)}”`;
}

function objectDeleteSteps(plan: ObjectDeletePlan): readonly StepDefinition[] {
  const text = careWords.remove;
  const what = objectInWords(plan.object);
  return [
    logInStep(plan.token, text.act),
    {
      id: 'delete',
      title: text.step.title(`the ${what}`),
      actor: administrator,
      explanation: text.step.explanation,
      pace: 'deliberate',
      action: text.step.action,
      danger: {
        typedName: typedNameOf(plan.object),
        losses: plan.losses.length === 0 ? [`The ${what}`] : plan.losses,
      },
      needs: ['log-in'],
      effect: { kind: 'object.delete', token: plan.token, object: plan.object },
      records: ['objectClass', 'objectLabel', 'objectId', 'objectSha256', 'deleted'],
    },
  ];
}

export const objectDeleteWorkflow: Workflow<ObjectDeletePlan> = {
  title: careWords.remove.title,
  steps: objectDeleteSteps,
  subject,
  place,
  facts: (plan) => [
    tokenRow(plan),
    ['Object', `${objectInWords(plan.object)}${plan.object.id === '' ? '' : `, id ${plan.object.id}`}`],
    ...plan.losses.map((loss): readonly [string, string] => ['Lost', loss]),
  ],
};

function certificateStoreSteps(plan: CertificateStorePlan): readonly StepDefinition[] {
  const text = careWords.certificate;
  return [
    logInStep(plan.token, text.act),
    {
      id: 'store',
      title: text.step.title(plan.certificateLabel),
      actor: administrator,
      explanation: text.step.explanation(plan.fileName, plan.id),
      pace: 'automatic',
      action: text.step.action,
      needs: ['log-in'],
      effect: {
        kind: 'certificate.store',
        token: plan.token,
        label: plan.certificateLabel,
        id: plan.id,
        certificateBase64: plan.fileBase64,
      },
      records: ['objectLabel', 'objectId', 'objectSha256', 'certificateSubject', 'certificateEnds', 'keyAttestation'],
    },
  ];
}

export const certificateStoreWorkflow: Workflow<CertificateStorePlan> = {
  title: careWords.certificate.title,
  steps: certificateStoreSteps,
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Certificate', `${plan.certificateLabel}, from ${plan.fileName}`]],
};

function keyTestSteps(plan: KeyTestPlan): readonly StepDefinition[] {
  const text = careWords.keyTest;
  const tests = plan.keys.map(({ label, id }, index): StepDefinition => ({
    // Several keys may have one label; the number keeps their steps apart.
    id: stepIdOf(`test-${(index + 1).toString()}`, label === '' ? id : label, index),
    title: text.step.title(label === '' ? id : label),
    actor: administrator,
    explanation: text.step.explanation,
    pace: 'automatic',
    action: text.step.action,
    needs: ['log-in'],
    effect: { kind: 'key.test', token: plan.token, label, id },
    records: ['keyLabel', 'keyId', 'tried', 'passed'],
  }));
  const attest: StepDefinition = {
    id: 'attest',
    title: text.attest.title,
    actor: administrator,
    explanation: text.attest.explanation,
    pace: 'automatic',
    action: text.attest.action,
    needs: ['log-in'],
    effect: { kind: 'device.attest', token: plan.token },
    records: [],
  };
  return [logInStep(plan.token, text.act), ...tests, ...(plan.attest ? [attest] : [])];
}

export const keyTestWorkflow: Workflow<KeyTestPlan> = {
  title: careWords.keyTest.title,
  steps: keyTestSteps,
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Keys', plan.keys.map(({ label, id }) => (label === '' ? id : label)).join(', ')]],
};
