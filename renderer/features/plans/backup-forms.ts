/** What is decided before a backup is proven or a device is cloned. Pure. */
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import type { BackupDrillPlan, DeviceClonePlan } from '../../../electron/workflows/device-plans.ts';
import { sizeWords } from '../../text/devices.ts';
import { text } from '../../text/en.ts';
import { memoryOf, twinsOf, wrappingLabels } from '../../views/devices.ts';
import { tokenOfPlan } from '../../views/token-reference.ts';
import { objectRows, type ObjectRow } from '../../views/token-objects.ts';
import { tokenTitle } from '../../views/token-title.ts';
import {
  checkDevice,
  deviceErrorList,
  freshDeviceForm,
  freshShare,
  type CheckedDevice,
  type DeviceSetupForm,
} from './device-setup-form.ts';
import type { Checked } from './token-setup-form.ts';

const drillWords = text.plans.drill;
const cloneWords = text.plans.clone;

export interface DrillForm {
  readonly keyLabel: string;
  /** Serial of the second device, or of the device itself; '' for none chosen. */
  readonly target: string;
  /** How the device itself is set up again in between, where it is its own target. */
  readonly reset: DeviceSetupForm;
}

/** Labels of key pairs that can be proven: all that show, wrapping keys first. */
export function provableKeys(token: TokenView): readonly string[] {
  const pairs = objectRows(token.objects).filter(
    (row) => (row.objectClass === 'key-pair' || row.objectClass === 'private-key') && row.label !== '' && !row.doubled,
  );
  return [...new Set([...wrappingLabels(token), ...pairs.map((row) => row.label)])];
}

/** Set up again with the same DKEK: its share files and the key check value that it has now. */
function resetFormFor(token: TokenView | undefined, operator: string): DeviceSetupForm {
  return {
    ...freshDeviceForm(token, operator),
    dkek: 'shares',
    origin: 'existing',
    newSoPin: false,
    shares: Array.from({ length: Math.max(1, token?.device?.dkek.shares ?? 1) }, () => freshShare),
    expectedKeyCheckValue: token?.device?.dkek.keyCheckValue ?? '',
  };
}

export function freshDrillForm(view: AppView, token: TokenView | undefined, keyLabel: string): DrillForm {
  return { keyLabel, target: '', reset: resetFormFor(token, view.settings.operatorName) };
}

/** The key chosen, else the first that can be proven. */
export function effectiveDrillKey(token: TokenView, form: DrillForm): string {
  const keys = provableKeys(token);
  return keys.includes(form.keyLabel) ? form.keyLabel : (keys[0] ?? '');
}

/** Serial of the device chosen, else of the first with the same DKEK; '' for none. */
export function effectiveTarget(view: AppView, token: TokenView, chosen: string): string {
  const twins = twinsOf(view, token);
  return chosen === token.serial || twins.some((each) => each.serial === chosen) ? chosen : (twins[0]?.serial ?? '');
}

type DrillErrors = Readonly<Partial<Record<'keyLabel' | 'target', string>>>;

export function checkDrill(
  view: AppView,
  token: TokenView,
  form: DrillForm,
): Checked<BackupDrillPlan, DrillErrors> & { readonly reset: CheckedDevice | undefined } {
  const keyLabel = effectiveDrillKey(token, form);
  const serial = effectiveTarget(view, token, form.target);
  const same = serial === token.serial;
  const target = same ? token : twinsOf(view, token).find((each) => each.serial === serial);
  const reset = same ? checkDevice(form.reset) : undefined;
  const errors: DrillErrors = {
    ...(keyLabel === '' ? { keyLabel: drillWords.errorKey } : {}),
    ...(target === undefined ? { target: drillWords.errorTarget } : {}),
  };
  const targetName = target === undefined ? drillWords.target.toLowerCase() : tokenTitle(target);
  const { will } = drillWords;
  const steps = [
    same ? will.read : will.compare,
    will.wrap(keyLabel),
    ...(reset === undefined ? [] : [will.erase(token.serial), ...reset.will]),
    will.unwrap(targetName),
    same ? will.proveSame : will.prove,
    will.record,
  ];
  const right = Object.keys(errors).length === 0 && (reset === undefined || reset.choices !== undefined);
  if (!right || target === undefined) return { errors, plan: undefined, will: steps, reset };
  return {
    errors,
    will: steps,
    reset,
    plan: {
      workflow: 'backup-drill',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      keyLabel,
      target: tokenOfPlan(target),
      ...(reset?.choices === undefined ? {} : { reset: reset.choices }),
    },
  };
}

export function drillErrorList(errors: DrillErrors, reset: CheckedDevice | undefined): readonly string[] {
  return [...Object.values(errors), ...(reset === undefined ? [] : deviceErrorList(reset.errors))];
}

export interface CloneForm {
  readonly target: string;
  readonly replace: boolean;
}

export const freshCloneForm: CloneForm = { target: '', replace: false };

/** What goes over to a second device, in words; nothing for what there is none of. */
export function copiedInWords(token: TokenView): readonly string[] {
  const rows = objectRows(token.objects);
  const count = (fits: (row: ObjectRow) => boolean): number => rows.filter(fits).length;
  const keys = count(
    (row) => row.objectClass === 'key-pair' || row.objectClass === 'private-key' || row.objectClass === 'secret-key',
  );
  const values = count((row) => row.objectClass === 'data');
  const certificates = count((row) => row.objectClass === 'certificate');
  return [
    ...(keys > 0 ? [cloneWords.keys(keys)] : []),
    ...(values > 0 ? [cloneWords.values(values)] : []),
    ...(certificates > 0 ? [cloneWords.certificates(certificates)] : []),
  ];
}

export function checkClone(
  view: AppView,
  token: TokenView,
  form: CloneForm,
): Checked<DeviceClonePlan, Readonly<Partial<Record<'target', string>>>> & { readonly warnings: readonly string[] } {
  const serial = effectiveTarget(view, token, form.target);
  const target = twinsOf(view, token).find((each) => each.serial === serial);
  const { will } = cloneWords;
  const from = tokenTitle(token);
  const to = target === undefined ? cloneWords.target.toLowerCase() : tokenTitle(target);
  const steps = [will.compare, will.pins(from, to), will.copy, form.replace ? will.erase(from) : will.stays(from)];
  if (target === undefined) {
    return { errors: { target: cloneWords.errorTarget }, plan: undefined, will: steps, warnings: [] };
  }
  const there = new Set(target.objects.map((each) => each.label).filter((label) => label !== ''));
  const both = [...new Set(token.objects.map((each) => each.label))].filter((label) => there.has(label));
  const mine = memoryOf(token);
  const theirs = memoryOf(target);
  const taken = mine === undefined ? 0 : mine.total - mine.free;
  return {
    errors: {},
    will: steps,
    warnings: [
      ...(theirs !== undefined && taken > theirs.free
        ? [cloneWords.full(sizeWords(taken), sizeWords(theirs.free))]
        : []),
      ...(both.length > 0 ? [cloneWords.exists(both.join(', '))] : []),
    ],
    plan: {
      workflow: 'device-clone',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      target: tokenOfPlan(target),
      replace: form.replace,
    },
  };
}
