/** What is decided before a token is set up: checks in plain words, and the plan. Pure. */
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import type { WrappingKeyKind } from '../../../electron/workflows/key-kinds.ts';
import type { TokenSetupPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { isSmartCardHsm } from '../../views/devices.ts';
import { keyKindName, planOfKeyKind } from '../../views/key-kinds.ts';
import {
  checkDevice,
  deviceErrorList,
  freshDeviceForm,
  type CheckedDevice,
  type DeviceSetupForm,
} from './device-setup-form.ts';

const words = text.plans.tokenSetup;

export interface TokenSetupForm {
  /** '' or the key of a token, see `tokenKey`. */
  readonly token: string;
  readonly initialize: boolean;
  readonly label: string;
  readonly keyLabel: string;
  readonly keyKind: WrappingKeyKind;
  /** Only counts for a SmartCard-HSM that is initialised. */
  readonly device: DeviceSetupForm;
}

/** CK_TOKEN_INFO.label is 32 bytes of UTF-8 (PKCS#11 v2.40, section 3.2). */
export const tokenLabelBytes = 32;

/** Names one token in a list; slot numbers change, so one that has a serial already goes by that. */
export function tokenKey(token: Pick<TokenView, 'storeId' | 'serial' | 'slotId'>): string {
  return token.serial !== ''
    ? `${token.storeId}|serial ${token.serial}`
    : `${token.storeId}|slot ${String(token.slotId)}`;
}

export function byteLength(value: string): number {
  return new TextEncoder().encode(value).length;
}

export type TokenSetupErrors = Readonly<Partial<Record<'token' | 'label' | 'keyLabel' | 'mode', string>>>;

export interface Checked<Plan, Errors> {
  readonly errors: Errors;
  /** Only where there is no error. */
  readonly plan: Plan | undefined;
  /** What will happen, in order. */
  readonly will: readonly string[];
}

export function freshTokenSetupForm(view: AppView, token: TokenView | undefined): TokenSetupForm {
  return {
    token: token === undefined ? '' : tokenKey(token),
    initialize: token?.initialized !== true,
    label: proposeLabel(view, token),
    keyLabel: 'bank-vaults',
    keyKind: 2048,
    device: freshDeviceForm(token, view.settings.operatorName),
  };
}

/**
 * The form as it stands with what is listed now: the page may open before the tokens are. The token that was
 * asked for (its slot, else the store's first empty one) is taken when it comes; nothing chosen or typed is lost.
 * @param form undefined when the page opens
 */
export function tokenSetupFormFor(
  view: AppView,
  storeId: string,
  slotId: string,
  form: TokenSetupForm | undefined,
): TokenSetupForm {
  if (form !== undefined && form.token !== '') return form;
  const inStore = storeId === '' ? [] : view.tokens.filter((each) => each.storeId === storeId);
  const token = inStore.find((each) => String(each.slotId) === slotId) ?? inStore.find((each) => !each.initialized);
  const fresh = freshTokenSetupForm(view, token);
  if (form === undefined) return fresh;
  if (token === undefined) return form;
  const untouched = form.label === proposeLabel(view, undefined);
  const { currentSoPin, newSoPin } = fresh.device;
  return {
    ...form,
    token: fresh.token,
    initialize: fresh.initialize,
    label: untouched ? fresh.label : form.label,
    device: { ...form.device, currentSoPin, newSoPin },
  };
}

/** "rehearsal" or "vault-unseal", numbered where that is taken. */
export function proposeLabel(view: AppView, token: TokenView | undefined): string {
  const stem = token?.rehearsal === true ? 'rehearsal' : 'vault-unseal';
  const taken = new Set(view.tokens.map((each) => each.label));
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem}-${String(number)}`)) number += 1;
  return `${stem}-${String(number)}`;
}

export function checkTokenSetup(
  view: AppView,
  form: TokenSetupForm,
): Checked<TokenSetupPlan, TokenSetupErrors> & {
  /** Undefined where no SmartCard-HSM is initialised. */
  readonly device: CheckedDevice | undefined;
} {
  const token = view.tokens.find((each) => tokenKey(each) === form.token);
  if (token === undefined) return { errors: { token: words.errorToken }, plan: undefined, will: [], device: undefined };
  const initialize = form.initialize || !token.initialized;
  const device = initialize && isSmartCardHsm(token) ? checkDevice(form.device) : undefined;
  const errors: { -readonly [Field in keyof TokenSetupErrors]: string } = {};
  if (token.writeProtected) errors.token = words.errorWriteProtected;
  if (initialize) {
    const label = form.label.trim();
    if (label === '') errors.label = words.errorLabelEmpty;
    else if (byteLength(label) > tokenLabelBytes) errors.label = words.errorLabelLong(byteLength(label));
    else if (view.tokens.some((each) => each !== token && each.label === label))
      errors.label = words.errorLabelInUse(label);
  } else {
    if (!token.userPinSet) errors.mode = words.errorPinUnset;
    else if (token.userPinState === 'locked') errors.mode = words.errorPinLocked;
  }
  const keyLabel = form.keyLabel.trim();
  if (keyLabel === '') errors.keyLabel = words.errorKeyLabelEmpty;
  else if (!initialize && token.wrappingKeys.some((key) => key.label === keyLabel))
    errors.keyLabel = words.errorKeyLabelInUse(keyLabel);
  const plan: TokenSetupPlan = {
    workflow: 'token-setup',
    rehearsal: token.rehearsal,
    storeId: token.storeId,
    storeName: token.storeName,
    slotId: token.slotId,
    // A SmartCard-HSM has its serial from the factory; other tokens get one when they are initialised.
    expectedSerial: token.initialized || isSmartCardHsm(token) ? token.serial : '',
    initialize,
    currentLabel: token.initialized ? token.label : '',
    label: initialize ? form.label.trim() : token.label,
    keyLabel,
    ...planOfKeyKind(form.keyKind),
    ...(device?.choices === undefined ? {} : { device: device.choices }),
  };
  const right = Object.keys(errors).length === 0 && (device === undefined || device.choices !== undefined);
  return { errors, plan: right ? plan : undefined, will: describe(plan, token, device), device };
}

/** All that is wrong, in the order of the page. */
export function tokenSetupErrorList(errors: TokenSetupErrors, device: CheckedDevice | undefined): readonly string[] {
  return [...Object.values(errors), ...(device === undefined ? [] : deviceErrorList(device.errors))];
}

function describe(plan: TokenSetupPlan, token: TokenView, device: CheckedDevice | undefined): readonly string[] {
  return [
    ...(plan.initialize && token.initialized ? [words.will.erase(plan.expectedSerial)] : []),
    ...(plan.initialize ? (device?.will ?? [words.will.initialize, words.will.readBack]) : []),
    words.will.key(keyKindName(plan.curve ?? plan.modulusBits), plan.keyLabel),
    words.will.verify,
  ];
}

/** What erasing a token takes with it. */
export function lossesOf(token: TokenView): readonly string[] {
  return [
    words.lost(token.label, token.serial),
    ...token.wrappingKeys.map((key) => words.lostKey(key.label)),
    ...token.dataObjects.map((object) => words.lostObject(object.label)),
  ];
}
