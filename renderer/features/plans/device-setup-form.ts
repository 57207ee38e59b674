/** What is decided before a SmartCard-HSM is initialised: its PINs' keepers and its DKEK. Pure. */
import type { TokenView } from '../../../electron/contract/views.ts';
import type { DeviceChoices, DkekProtection, DkekSharePlan } from '../../../electron/workflows/device-plans.ts';
import { text } from '../../text/en.ts';

const words = text.plans.deviceSetup;

export interface DkekShareForm {
  readonly fileName: string;
  /** '' until a file was chosen. */
  readonly fileBase64: string;
  readonly protection: 'password' | 'split';
  readonly custodian: string;
  /** As typed: one name a line. */
  readonly custodians: string;
  readonly threshold: number;
}

export interface DeviceSetupForm {
  readonly currentSoPin: 'factory' | 'typed';
  readonly newSoPin: boolean;
  readonly soPinHolder: string;
  readonly pinHolder: string;
  readonly retryLimit: number;
  readonly allowPinResetWithSoPin: boolean;
  readonly dkek: 'shares' | 'random' | 'none';
  readonly origin: 'new' | 'existing';
  readonly shares: readonly DkekShareForm[];
  /** As typed: hex, in groups or not. */
  readonly expectedKeyCheckValue: string;
}

export const freshShare: DkekShareForm = {
  fileName: '',
  fileBase64: '',
  protection: 'split',
  custodian: '',
  custodians: '',
  threshold: 2,
};

/** @param operator who acts at this desk, proposed as the keeper of the PIN */
export function freshDeviceForm(token: TokenView | undefined, operator: string): DeviceSetupForm {
  return {
    currentSoPin: token?.initialized === true ? 'typed' : 'factory',
    newSoPin: token?.initialized !== true,
    soPinHolder: '',
    pinHolder: operator,
    retryLimit: 3,
    allowPinResetWithSoPin: true,
    dkek: 'shares',
    origin: 'new',
    shares: [freshShare],
    expectedKeyCheckValue: '',
  };
}

/** As many shares as are asked for; those there keep what was typed. */
export function resizeShares(shares: readonly DkekShareForm[], count: number): readonly DkekShareForm[] {
  return Array.from({ length: Math.min(16, Math.max(1, count)) }, (_, at) => shares[at] ?? freshShare);
}

/** Names of custodians, one a line; empty lines are none. */
export function namesIn(lines: string): readonly string[] {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export interface DeviceErrors {
  readonly soPinHolder?: string;
  readonly pinHolder?: string;
  readonly retryLimit?: string;
  readonly keyCheckValue?: string;
  /** By the share's place, counted from 0. */
  readonly shares: Readonly<Record<number, string>>;
}

export interface CheckedDevice {
  readonly errors: DeviceErrors;
  readonly choices: DeviceChoices | undefined;
  readonly will: readonly string[];
  /** Split knowledge that is none. */
  readonly shareWarnings: readonly string[];
  readonly pinWarnings: readonly string[];
}

function protectionOf(share: DkekShareForm, number: number): DkekProtection | string {
  if (share.protection === 'password') {
    const custodian = share.custodian.trim();
    if (custodian === '') return words.errorCustodian(number);
    return custodian.length > 80 ? words.errorCustodianLong(number) : { kind: 'password', custodian };
  }
  const custodians = namesIn(share.custodians);
  if (custodians.length < 3) return words.errorCustodiansFew(number);
  if (custodians.length > 16) return words.errorCustodiansMany(number);
  if (custodians.some((name) => name.length > 80)) return words.errorCustodianLong(number);
  const twice = custodians.find((name, at) => custodians.indexOf(name) !== at);
  if (twice !== undefined) return words.errorCustodianTwice(twice, number);
  if (share.threshold > custodians.length) return words.errorThreshold(number);
  return { kind: 'split', threshold: share.threshold, custodians: [...custodians] };
}

function planShares(form: DeviceSetupForm): {
  readonly plans: readonly DkekSharePlan[];
  readonly errors: Readonly<Record<number, string>>;
} {
  const errors: Record<number, string> = {};
  const plans: DkekSharePlan[] = [];
  for (const [at, share] of form.shares.entries()) {
    const number = at + 1;
    const existing = form.origin === 'existing';
    if (existing && share.fileBase64 === '') {
      errors[at] = words.errorFile(number);
      continue;
    }
    if (existing && form.shares.findIndex((other) => other.fileBase64 === share.fileBase64) !== at) {
      errors[at] = words.errorFileTwice(number);
      continue;
    }
    const protection = protectionOf(share, number);
    if (typeof protection === 'string') errors[at] = protection;
    else if (existing)
      plans.push({ source: 'file', fileName: share.fileName, fileBase64: share.fileBase64, protection });
    else plans.push({ source: 'new', protection });
  }
  return { plans, errors };
}

export function checkDevice(form: DeviceSetupForm): CheckedDevice {
  const shared = form.dkek === 'shares';
  const { plans, errors: shareErrors } = shared ? planShares(form) : { plans: [], errors: {} };
  const errors: { -readonly [Field in keyof DeviceErrors]: DeviceErrors[Field] } = { shares: shareErrors };
  const soPinHolder = form.soPinHolder.trim();
  const pinHolder = form.pinHolder.trim();
  if (soPinHolder === '') errors.soPinHolder = words.errorHolderSo;
  if (pinHolder === '') errors.pinHolder = words.errorHolderPin;
  if (!Number.isInteger(form.retryLimit) || form.retryLimit < 1 || form.retryLimit > 10)
    errors.retryLimit = words.errorRetry;
  const expected = form.expectedKeyCheckValue.replace(/\s/gu, '').toLowerCase();
  const existing = shared && form.origin === 'existing';
  if (existing && !/^[0-9a-f]{16}$/u.test(expected)) errors.keyCheckValue = words.errorKeyCheckValue;
  const newSoPin = form.newSoPin || form.currentSoPin === 'factory';
  const right = Object.keys(errors).length === 1 && Object.keys(shareErrors).length === 0;
  const choices: DeviceChoices = {
    currentSoPin: form.currentSoPin,
    newSoPin,
    soPinHolder,
    pinHolder,
    retryLimit: form.retryLimit,
    allowPinResetWithSoPin: form.allowPinResetWithSoPin,
    dkek: shared
      ? { kind: 'shares', shares: [...plans], expectedKeyCheckValue: existing ? expected : '' }
      : { kind: form.dkek === 'random' ? 'random' : 'none' },
  };
  return {
    errors,
    choices: right ? choices : undefined,
    will: describe(form, newSoPin, expected),
    shareWarnings: warnOfShares(form),
    pinWarnings: soPinHolder !== '' && soPinHolder === pinHolder ? [words.sameHolder(pinHolder)] : [],
  };
}

/** All that is wrong, in the order of the page. */
export function deviceErrorList(errors: DeviceErrors): readonly string[] {
  const { shares, keyCheckValue, ...whole } = errors;
  return [
    ...Object.values(shares),
    ...(keyCheckValue === undefined ? [] : [keyCheckValue]),
    ...Object.values(whole).filter((each): each is string => typeof each === 'string'),
  ];
}

function warnOfShares(form: DeviceSetupForm): readonly string[] {
  const [only, second] = form.shares;
  const alone =
    form.dkek === 'shares' && only?.protection === 'password' && second === undefined ? only.custodian.trim() : '';
  return alone === '' ? [] : [words.warnOnePassword(alone)];
}

function describe(form: DeviceSetupForm, newSoPin: boolean, expected: string): readonly string[] {
  const { will } = words;
  const soHolder = form.soPinHolder.trim() === '' ? words.soPinHolder : form.soPinHolder.trim();
  const pinHolder = form.pinHolder.trim() === '' ? words.pinHolder : form.pinHolder.trim();
  const dkek = {
    none: [will.none],
    random: [will.random],
    shares:
      form.origin === 'new'
        ? [will.importShares(form.shares.length), will.keyCheckValue]
        : [will.importShares(form.shares.length), ...(expected === '' ? [] : [will.compare(expected.toUpperCase())])],
  }[form.dkek];
  const made = form.dkek === 'shares' && form.origin === 'new';
  return [
    ...(made ? [will.makeShares(form.shares.length)] : []),
    ...(form.currentSoPin === 'factory' ? [will.factory] : [will.soPin(soHolder)]),
    ...(form.currentSoPin === 'typed' && newSoPin ? [will.newSoPin(soHolder)] : []),
    will.initialize(pinHolder, form.retryLimit),
    will.readBack,
    ...dkek,
  ];
}
