import { rootLabel, unsealIndexOf, unsealLabel } from './bank-vaults.ts';
import type { TokenOfPlan, ValueReadOutPlan, ValuesRepairPlan, ValuesRewrapPlan } from './device-plans.ts';
import { keyKindName, keyKindOf } from './key-kinds.ts';
import type { StepDefinition } from './run.ts';
import { logInStep, stepIdOf } from './token-care.ts';
import { careWords } from './words-care.ts';
import type { TokenObject } from './device-ports.ts';
import type { Workflow, WorkflowPlace } from './workflow.ts';

interface OnToken {
  readonly token: TokenOfPlan;
}

const administrator = { role: 'administrator' } as const;
const text = careWords.values;

const tokenRow = ({ token }: OnToken): readonly [string, string] => ['Token', `${token.label}, serial ${token.serial}`];
const subject = ({ token }: OnToken): string => token.label;
const place = ({ token }: OnToken): WorkflowPlace => ({ kind: 'token', storeId: token.storeId, serial: token.serial });

const once = (labels: readonly string[]): readonly string[] => [...new Set(labels)];

/** bank-vaults' name for a recovery key share (`internal/vault/operator_client.go`). */
const recoveryLabel = /^vault-recovery-(?:0|[1-9]\d{0,3})$/u;

/**
 * bank-vaults' values among what lies on a token, and those that should: every share below the highest one seen.
 * @param found labels of all data objects, as often as they are there
 * @param shares how many key shares there should be; 0 where nobody says
 * @returns labels to check, shares first, and those that are there more than once
 */
export function valuesAmong(
  found: readonly string[],
  shares = 0,
): { readonly labels: readonly string[]; readonly doubled: readonly string[] } {
  const indexes = found.map(unsealIndexOf).filter((index) => index !== undefined);
  const count = Math.max(shares, ...indexes.map((index) => index + 1));
  const labels = [
    ...Array.from({ length: Math.max(count, 0) }, (_unused, index) => unsealLabel(index)),
    ...once(found.filter((label) => recoveryLabel.test(label))).toSorted(),
    ...(found.includes(rootLabel) ? [rootLabel] : []),
  ];
  return { labels, doubled: labels.filter((label) => found.indexOf(label) !== found.lastIndexOf(label)) };
}

/**
 * What is wrong with how a value lies on a token, in words for the transcript; undefined where nothing is. Whether
 * it decrypts is another question.
 * @param found every data object of that label
 */
export function deviationOfValue(
  label: string,
  found: readonly Pick<TokenObject, 'attributes'>[],
): { readonly state: 'missing' | 'doubled' | 'session-only'; readonly text: string } | undefined {
  const [first] = found;
  if (first === undefined) {
    return {
      state: 'missing',
      text: `${label} is not on the token. bank-vaults’ mode hsm keeps its values on SoftHSM only as long as its own process runs: they are seen by no other.`,
    };
  }
  if (found.length > 1) {
    return {
      state: 'doubled',
      text: `${label} is on the token ${found.length.toString()} times, which bank-vaults refuses to read.`,
    };
  }
  return first.attributes.includes('TOKEN')
    ? undefined
    : {
        state: 'session-only',
        text: `${label} lies on the token only for a session (its CKA_TOKEN is not set): it is gone when that program ends.`,
      };
}

/** The round trip that shows that a key works, and its words, before a value is judged by it. */
function keyStep(token: TokenOfPlan, keyLabel: string, needs: readonly string[]): StepDefinition {
  return {
    id: 'try-key',
    title: text.key.title(keyLabel),
    actor: administrator,
    explanation: text.key.explanation,
    pace: 'automatic',
    action: text.key.action,
    needs,
    effect: { kind: 'token.verify-key', storeId: token.storeId, serial: token.serial, keyLabel },
    records: ['publicKeySha256', 'publicKeyWords', 'wrapping', 'wrappingDowngrade'],
  };
}

/** Doubled values first, so that what is checked afterwards is what stays. */
function valuesRepairSteps(plan: ValuesRepairPlan): readonly StepDefinition[] {
  const { token, keyLabel } = plan;
  return [
    logInStep(token, text.act),
    keyStep(token, keyLabel, ['log-in']),
    ...once(plan.doubled).map((label, index): StepDefinition => ({
      id: stepIdOf('resolve', label, index),
      title: text.resolve.title(label),
      actor: administrator,
      explanation: text.resolve.explanation,
      pace: 'deliberate',
      action: text.resolve.action,
      needs: ['try-key'],
      effect: { kind: 'value.resolve-double', token, keyLabel, label },
      records: ['label', 'found', 'kept', 'deleted', 'savedCopies'],
    })),
    ...once([...plan.labels, ...plan.doubled]).map((label, index): StepDefinition => ({
      id: stepIdOf('check', label, index),
      title: text.check.title(label),
      actor: administrator,
      explanation: text.check.explanation,
      pace: 'automatic',
      action: text.check.action,
      needs: ['try-key'],
      effect: { kind: 'value.check', token, keyLabel, label },
      records: ['label', 'valueState', 'ciphertextSha256'],
    })),
  ];
}

export const valuesRepairWorkflow: Workflow<ValuesRepairPlan> = {
  title: text.repairTitle,
  steps: valuesRepairSteps,
  subject,
  place,
  facts: (plan) => [
    tokenRow(plan),
    ['Key', plan.keyLabel],
    ['Values', plan.labels.join(', ')],
    ...(plan.doubled.length === 0 ? [] : [['Doubled', plan.doubled.join(', ')] as const]),
  ],
};

function valueReadOutSteps(plan: ValueReadOutPlan): readonly StepDefinition[] {
  const { token, keyLabel, valueLabel, custodian } = plan;
  return [
    logInStep(token, text.act),
    {
      id: 'read-out',
      title: text.readOut.title(valueLabel, custodian),
      actor: { role: 'custodian', name: custodian },
      explanation: text.readOut.explanation(custodian),
      pace: 'prompt',
      action: text.readOut.action,
      needs: ['log-in'],
      effect: { kind: 'value.read-out', token, keyLabel, label: valueLabel, custodian },
      records: ['label', 'custodian', 'typedBack', 'ciphertextSha256'],
    },
  ];
}

export const valueReadOutWorkflow: Workflow<ValueReadOutPlan> = {
  title: text.readOutTitle,
  steps: valueReadOutSteps,
  subject,
  place,
  facts: (plan) => [tokenRow(plan), ['Value', plan.valueLabel], ['Shown to', plan.custodian]],
};

/**
 * Every value under another key. Until all new ciphertexts are on disk the token is not touched; from then on
 * the copy on disk answers for each value, until every one is on the token again and compared. The old key goes
 * last of all, when nothing needs it any more.
 */
function valuesRewrapSteps(plan: ValuesRewrapPlan): readonly StepDefinition[] {
  const { token, fromKeyLabel, toKeyLabel } = plan;
  const labels = once(plan.labels);
  const reference = { storeId: token.storeId, serial: token.serial };
  const replacements = labels.map((label, index): StepDefinition => ({
    id: stepIdOf('replace', label, index),
    title: text.replace.title(label),
    actor: administrator,
    explanation: text.replace.explanation,
    pace: 'automatic',
    action: text.replace.action,
    needs: ['rewrap'],
    effect: { kind: 'value.replace', token, keyLabel: toKeyLabel, label },
    records: ['label', 'size', 'ciphertextSha256'],
  }));
  return [
    logInStep(token, text.act),
    {
      id: 'ensure-key',
      title: text.ensureKey.title(toKeyLabel),
      actor: administrator,
      explanation: text.ensureKey.explanation(keyKindOf(plan)),
      pace: 'automatic',
      action: text.ensureKey.action,
      needs: ['log-in'],
      effect: {
        kind: 'values.ensure-key',
        token,
        fromKeyLabel,
        keyLabel: toKeyLabel,
        keyKind: keyKindOf(plan),
      },
      records: ['keyLabel', 'keyId', 'modulusBits', 'curve', 'publicKeySha256', 'publicKeyWords'],
    },
    keyStep(token, toKeyLabel, ['ensure-key']),
    {
      id: 'trial-object',
      title: text.trial.title,
      actor: administrator,
      explanation: text.trial.explanation,
      pace: 'automatic',
      action: text.trial.action,
      needs: ['try-key'],
      effect: { kind: 'token.trial-object', token: reference, keyLabel: toKeyLabel },
      records: ['trialLabel', 'trialSha256', 'wrapping', 'wrappingDowngrade'],
    },
    {
      id: 'rewrap',
      title: text.toEscrow.title,
      actor: administrator,
      explanation: text.toEscrow.explanation(labels.length),
      pace: 'deliberate',
      action: text.toEscrow.action,
      needs: ['try-key', 'trial-object'],
      effect: { kind: 'values.rewrap-to-escrow', token, fromKeyLabel, toKeyLabel, labels },
      records: ['labels', 'publicKeySha256'],
    },
    ...replacements,
    {
      id: 'remove-escrow',
      title: text.removeEscrow.title,
      actor: administrator,
      explanation: text.removeEscrow.explanation,
      pace: 'automatic',
      action: text.removeEscrow.action,
      needs: replacements.map(({ id }) => id),
      effect: { kind: 'escrow.remove', token: reference, keyLabel: toKeyLabel, storedLabels: labels },
      records: ['compared', 'escrowRemoved'],
    },
    ...(plan.removeOldKey
      ? [
          {
            id: 'remove-old-key',
            title: text.removeOldKey.title(fromKeyLabel),
            actor: administrator,
            explanation: text.removeOldKey.explanation,
            pace: 'deliberate',
            action: text.removeOldKey.action,
            danger: { typedName: fromKeyLabel, losses: text.removeOldKey.losses(fromKeyLabel) },
            needs: ['remove-escrow'],
            effect: { kind: 'values.remove-old-key', token, keyLabel: fromKeyLabel, toKeyLabel, labels },
            records: ['oldKeyLabel', 'oldKeySha256', 'deleted'],
          } satisfies StepDefinition,
        ]
      : []),
  ];
}

export const valuesRewrapWorkflow: Workflow<ValuesRewrapPlan> = {
  title: text.rewrapTitle,
  steps: valuesRewrapSteps,
  subject,
  place,
  facts: (plan) => [
    tokenRow(plan),
    ['From key', plan.fromKeyLabel],
    ['To key', `${plan.toKeyLabel}, ${keyKindName(keyKindOf(plan))}`],
    ['Values', plan.labels.join(', ')],
    ['The old key', plan.removeOldKey ? 'is deleted at the end' : 'stays'],
  ],
};
