/** What is shown of tokens and SmartCard-HSMs: states worst first, in words, a shape and a tone. Pure. */
import type { AppView, DeviceView, TokenView, UsbDeviceView, VaultView } from '../../electron/contract/views.ts';
import { sizeWords } from '../text/devices.ts';
import { text } from '../text/en.ts';
import type { Shape, Tone } from '../ui/StateMark.tsx';
import { tokenOfVault } from './glance.ts';

const words = text.devices;

export interface Mark {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly words: string;
}

/**
 * What a SmartCard-HSM keeps objects in, where the card tells no total: the 76 kB that the maker states for the
 * Nitrokey HSM 2.
 */
const memoryOfSmartCardHsm = 76_000;
/** Free memory below which a further key pair may not fit, bytes: RSA 4096 with its description and request. */
const lowMemory = 8000;

/** A SmartCard-HSM, even where its own facts could not be read: OpenSC names its maker. */
export function isSmartCardHsm(token: Pick<TokenView, 'device' | 'manufacturer' | 'model'>): boolean {
  return token.device !== null || /cardcontact/iu.test(token.manufacturer) || /smartcard-hsm/iu.test(token.model);
}

/** @returns the mark for a number of tries: a warning at 2 or fewer, a danger at 1, locked at 0; -1 is unknown */
export function triesMark(state: DeviceView['pinState'], triesLeft: number): Mark {
  if (state === 'not-initialized') return { tone: 'mute', shape: 'dashed', words: words.notSet };
  if (state === 'locked' || triesLeft === 0) return { tone: 'bad', shape: 'lock', words: words.locked };
  if (state === 'transport') return { tone: 'warn', shape: 'alert', words: words.transport };
  if (triesLeft < 0) return { tone: 'mute', shape: 'check', words: words.triesUnknown };
  const said = words.triesLeft(triesLeft);
  if (triesLeft === 1) return { tone: 'bad', shape: 'stop', words: said };
  return triesLeft === 2
    ? { tone: 'warn', shape: 'alert', words: said }
    : { tone: 'good', shape: 'check', words: said };
}

const flagMarks = {
  ok: ['good', 'check'],
  'count-low': ['warn', 'alert'],
  'final-try': ['bad', 'stop'],
  locked: ['bad', 'lock'],
} as const;

/** The PIN's state: the tries that a SmartCard-HSM counts, else what PKCS#11's flags say. */
export function pinMark(token: TokenView): Mark {
  if (token.device !== null && token.device.pinTriesLeft >= 0)
    return triesMark(token.device.pinState, token.device.pinTriesLeft);
  if (!token.userPinSet) return { tone: 'warn', shape: 'dashed', words: text.states.pinUnset };
  const [tone, shape] = flagMarks[token.userPinState];
  return { tone, shape, words: text.states.pin[token.userPinState] };
}

export function soPinMark(token: TokenView): Mark {
  if (token.device !== null && token.device.soPinTriesLeft >= 0)
    return triesMark(token.device.soPinState, token.device.soPinTriesLeft);
  const [tone, shape] = flagMarks[token.soPinState];
  return { tone, shape, words: text.states.soPin[token.soPinState] };
}

function dkekMark(dkek: DeviceView['dkek']): Mark {
  switch (dkek.kind) {
    case 'none':
      return { tone: 'mute', shape: 'none', words: words.dkekStates.none };
    case 'awaiting-shares':
      return {
        tone: 'warn',
        shape: 'dot',
        words: words.dkekStates['awaiting-shares'](dkek.outstanding, dkek.shares),
      };
    case 'ready':
      return { tone: 'good', shape: 'check', words: words.dkekStates.ready };
  }
}

/** What is known of the backup of its keys; on a device that is not set up nothing was decided. */
export function backupMark(token: TokenView, device: DeviceView): Mark {
  return token.initialized ? dkekMark(device.dkek) : { tone: 'mute', shape: 'dashed', words: words.dkekUndecided };
}

/** What the token is like as a whole: the worst of what is known. */
export function conditionOfToken(token: TokenView): Mark {
  if (!token.initialized) return { tone: 'calm', shape: 'dashed', words: words.uninitialized };
  const named = (name: string, mark: Mark): Mark => ({ ...mark, words: `${name}: ${mark.words.toLowerCase()}` });
  const pin = pinMark(token);
  const so = soPinMark(token);
  if (pin.tone === 'bad') return named(words.pin, pin);
  if (so.tone === 'bad') return named(words.soPin, so);
  if (token.device?.dkek.kind === 'awaiting-shares') return { tone: 'warn', shape: 'dot', words: words.dkekWaits };
  return pin.tone === 'warn' ? named(words.pin, pin) : { tone: 'good', shape: 'check', words: words.ready };
}

/** What kind of thing it is, in its maker's words where USB tells them. */
export function modelWords(view: AppView, token: TokenView): string {
  const usb = findUsbDevice(view, token);
  if (usb !== undefined) return usb.name;
  if (isSmartCardHsm(token)) return words.smartCardHsm;
  return [token.manufacturer, token.model].filter((part) => part !== '').join(' ');
}

export interface Memory {
  readonly free: number;
  readonly total: number;
  /** 0 to 1, of what is taken. */
  readonly taken: number;
  readonly low: boolean;
  readonly words: string;
}

/** Memory of a token that tells it; undefined where it does not, as software tokens. */
export function memoryOf(token: TokenView): Memory | undefined {
  const free = token.device !== null && token.device.freeMemory >= 0 ? token.device.freeMemory : token.freeMemory;
  if (free < 0) return undefined;
  const total = token.totalMemory > 0 ? token.totalMemory : token.device === null ? 0 : memoryOfSmartCardHsm;
  if (total <= 0) return undefined;
  const whole = Math.max(total, free);
  return {
    free,
    total: whole,
    taken: 1 - free / whole,
    low: free < lowMemory,
    words: words.memoryOf(sizeWords(free), sizeWords(whole)),
  };
}

/** The Vaults whose shares this app put on the token. */
export function vaultsOnToken(view: AppView, token: Pick<TokenView, 'storeId' | 'serial'>): readonly VaultView[] {
  return view.vaults.filter(
    (vault) =>
      vault.tokenSerial !== '' &&
      vault.tokenSerial === token.serial &&
      (vault.tokenStoreId === '' || vault.tokenStoreId === token.storeId),
  );
}

/** Labels of wrapping keys that values can be read with, each once; bank-vaults' own first. */
export function wrappingLabels(token: TokenView): readonly string[] {
  const usable = token.wrappingKeys.filter((key) => key.complete && !key.doubled).map((key) => key.label);
  return [...new Set(usable)].toSorted((one, other) => Number(other === 'bank-vaults') - Number(one === 'bank-vaults'));
}

export function findUsbDevice(view: AppView, token: Pick<TokenView, 'serial'>): UsbDeviceView | undefined {
  return token.serial === '' ? undefined : view.presence.usb.find((each) => each.tokenSerial === token.serial);
}

/** Tokens with their own DKEK complete and the same key check value, other than this one. */
export function twinsOf(view: AppView, token: TokenView): readonly TokenView[] {
  const keyCheckValue = token.device?.dkek.kind === 'ready' ? token.device.dkek.keyCheckValue : '';
  if (keyCheckValue === '') return [];
  return view.tokens.filter(
    (each) =>
      each.serial !== token.serial &&
      each.device?.dkek.kind === 'ready' &&
      each.device.dkek.keyCheckValue === keyCheckValue,
  );
}

export interface AbsentDevice {
  readonly serial: string;
  readonly vaults: readonly VaultView[];
}

/**
 * Devices that hold key shares of known Vaults and are not plugged in. A store that still looks, or does not open,
 * is told of by itself.
 */
export function absentDevices(view: AppView): readonly AbsentDevice[] {
  const absent = new Map<string, VaultView[]>();
  for (const vault of view.vaults) {
    if (vault.tokenSerial === '' || tokenOfVault(view, vault) !== undefined) continue;
    const store = view.stores.find((each) => each.id === vault.tokenStoreId);
    if (store !== undefined && store.state !== 'ready') continue;
    if (store === undefined && view.stores.some((each) => each.state === 'looking')) continue;
    absent.set(vault.tokenSerial, [...(absent.get(vault.tokenSerial) ?? []), vault]);
  }
  return [...absent].map(([serial, vaults]) => ({ serial, vaults }));
}
