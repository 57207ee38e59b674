/** What is decided before stored values are read out or encrypted anew. Pure. */
import type { TokenView } from '../../../electron/contract/views.ts';
import type { ValueReadOutPlan, ValuesRewrapPlan } from '../../../electron/workflows/device-plans.ts';
import type { WrappingKeyKind } from '../../../electron/workflows/key-kinds.ts';
import { text } from '../../text/en.ts';
import { wrappingLabels } from '../../views/devices.ts';
import { keyKindName, planOfKeyKind } from '../../views/key-kinds.ts';
import { tokenOfPlan } from '../../views/token-reference.ts';
import { valueRows } from '../../views/token-objects.ts';
import { byteLength, type Checked } from './token-setup-form.ts';

const readWords = text.plans.readOut;
const rewrapWords = text.plans.rewrap;

export interface ReadOutForm {
  readonly valueLabel: string;
  readonly keyLabel: string;
  readonly custodian: string;
}

export function freshReadOutForm(valueLabel: string): ReadOutForm {
  return { valueLabel, keyLabel: '', custodian: '' };
}

/** The key chosen, else the one that is tried first. */
export function effectiveWrappingKey(token: TokenView, keyLabel: string): string {
  const labels = wrappingLabels(token);
  return labels.includes(keyLabel) ? keyLabel : (labels[0] ?? '');
}

export function checkReadOut(
  token: TokenView,
  form: ReadOutForm,
): Checked<ValueReadOutPlan, Readonly<Partial<Record<'value' | 'key' | 'custodian', string>>>> & {
  readonly warnings: readonly string[];
} {
  const row = valueRows(token.objects).find((each) => each.label === form.valueLabel);
  const keyLabel = effectiveWrappingKey(token, form.keyLabel);
  const custodian = form.custodian.trim();
  const errors = {
    ...(row === undefined ? { value: readWords.errorValue } : {}),
    ...(keyLabel === '' ? { key: readWords.errorKey } : {}),
    ...(custodian === '' ? { custodian: readWords.errorCustodian } : {}),
  };
  const { will } = readWords;
  const person = custodian === '' ? readWords.nobody : custodian;
  const steps = [will.logIn, will.show(form.valueLabel, person), will.typeBack(person), will.record];
  const warnings = [...(row?.kind === 'root' ? [readWords.rootWarning] : []), readWords.enoughWarning];
  if (row === undefined || Object.keys(errors).length > 0) return { errors, plan: undefined, will: steps, warnings };
  return {
    errors,
    will: steps,
    warnings,
    plan: {
      workflow: 'value-read-out',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      keyLabel,
      valueLabel: row.label,
      custodian,
    },
  };
}

export interface RewrapForm {
  readonly fromKeyLabel: string;
  readonly toKeyLabel: string;
  readonly keyKind: WrappingKeyKind;
  readonly removeOldKey: boolean;
}

/** "bank-vaults-2", or the next number that is not taken. */
export function freshRewrapForm(token: TokenView | undefined, fromKeyLabel: string): RewrapForm {
  const taken = new Set(token?.wrappingKeys.map((key) => key.label) ?? []);
  let number = 2;
  while (taken.has(`bank-vaults-${String(number)}`)) number += 1;
  return { fromKeyLabel, toKeyLabel: `bank-vaults-${String(number)}`, keyKind: 2048, removeOldKey: false };
}

type RewrapErrors = Readonly<Partial<Record<'from' | 'to' | 'values', string>>>;

export function checkRewrap(
  token: TokenView,
  form: RewrapForm,
): Checked<ValuesRewrapPlan, RewrapErrors> & {
  /** The new key is on the token already. */
  readonly exists: boolean;
} {
  const rows = valueRows(token.objects).filter((row) => row.kind !== 'trial');
  const fromKeyLabel = effectiveWrappingKey(token, form.fromKeyLabel);
  const toKeyLabel = form.toKeyLabel.trim();
  const there = token.wrappingKeys.find((key) => key.label === toKeyLabel);
  const to =
    toKeyLabel === ''
      ? rewrapWords.errorTo
      : byteLength(toKeyLabel) > 255
        ? rewrapWords.errorToLong(byteLength(toKeyLabel))
        : toKeyLabel === fromKeyLabel
          ? rewrapWords.errorSame
          : there?.doubled === true
            ? rewrapWords.errorDoubled(toKeyLabel)
            : there?.complete === false
              ? rewrapWords.errorIncomplete(toKeyLabel)
              : undefined;
  const errors: RewrapErrors = {
    ...(fromKeyLabel === '' ? { from: rewrapWords.errorFrom } : {}),
    ...(to === undefined ? {} : { to }),
    ...(rows.length === 0
      ? { values: rewrapWords.errorNone }
      : rows.some((row) => row.copies > 1)
        ? { values: rewrapWords.errorValuesDoubled }
        : {}),
  };
  const { will } = rewrapWords;
  const steps = [
    will.logIn,
    ...(there === undefined ? [will.make(toKeyLabel, keyKindName(form.keyKind))] : []),
    will.escrow,
    will.replace(rows.length),
    form.removeOldKey ? will.remove(fromKeyLabel) : will.keep(fromKeyLabel),
  ];
  const exists = there !== undefined;
  if (Object.keys(errors).length > 0) return { errors, plan: undefined, will: steps, exists };
  return {
    errors,
    will: steps,
    exists,
    plan: {
      workflow: 'values-rewrap',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      fromKeyLabel,
      toKeyLabel,
      ...planOfKeyKind(form.keyKind),
      labels: rows.map((row) => row.label),
      removeOldKey: form.removeOldKey,
    },
  };
}
