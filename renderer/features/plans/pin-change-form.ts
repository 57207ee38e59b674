/** What is decided before a PIN is changed: which act, and who keeps it. Pure. */
import type { TokenView } from '../../../electron/contract/views.ts';
import type { PinChangePlan } from '../../../electron/workflows/device-plans.ts';
import { text } from '../../text/en.ts';
import { isSmartCardHsm, pinMark, soPinMark } from '../../views/devices.ts';
import { tokenOfPlan } from '../../views/token-reference.ts';
import type { Checked } from './token-setup-form.ts';

const words = text.plans.pin;

export type PinAct = PinChangePlan['act'];
export const pinActs = ['change-pin', 'unblock-pin', 'reset-pin', 'change-so-pin'] as const satisfies readonly PinAct[];

/** What can be done with the PINs of a token as they stand now. */
export function pinActsFor(token: TokenView): readonly PinAct[] {
  if (!token.initialized || token.writeProtected) return [];
  const pinLocked = pinMark(token).shape === 'lock';
  const soLocked = soPinMark(token).shape === 'lock';
  const device = isSmartCardHsm(token);
  const mayReset = token.device === null || token.device.options.includes('pin-reset-with-so-pin');
  return pinActs.filter((act) => {
    switch (act) {
      case 'change-pin':
        return token.userPinSet && !pinLocked;
      case 'unblock-pin':
        return device && !soLocked;
      case 'reset-pin':
        return mayReset && !soLocked;
      case 'change-so-pin':
        return !soLocked;
    }
  });
}

export interface PinChangeForm {
  readonly act: PinAct;
  readonly holder: string;
}

export function freshPinChangeForm(token: TokenView | undefined, act: string, operator: string): PinChangeForm {
  const asked = pinActs.find((each) => each === act);
  const possible = token === undefined ? [] : pinActsFor(token);
  return { act: asked ?? possible[0] ?? 'change-pin', holder: operator };
}

export function checkPinChange(
  token: TokenView,
  form: PinChangeForm,
): Checked<PinChangePlan, Readonly<Partial<Record<'act' | 'holder', string>>>> {
  const holder = form.holder.trim();
  const errors = {
    ...(pinActsFor(token).includes(form.act) ? {} : { act: words.errorAct }),
    ...(holder === '' ? { holder: words.errorHolder } : {}),
  };
  const will = [...words.will[form.act](holder === '' ? words.nobody : holder), words.counted];
  if (Object.keys(errors).length > 0) return { errors, plan: undefined, will };
  return {
    errors,
    will,
    plan: {
      workflow: 'pin-change',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      act: form.act,
      smartCardHsm: isSmartCardHsm(token),
      holder,
    },
  };
}
