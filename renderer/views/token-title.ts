import type { TokenView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';
import { isSmartCardHsm } from './devices.ts';

/** What a token is called on screens: its label, else its serial, else its slot. */
export function tokenTitle(token: TokenView): string {
  if (token.initialized && token.label !== '') return token.label;
  return token.serial !== '' && isSmartCardHsm(token)
    ? text.tokens.newDevice(token.serial)
    : `${text.tokens.unlabelled}, ${text.tokens.slot(token.slotId).toLowerCase()}`;
}
