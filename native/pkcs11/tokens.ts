import pkcs11js, { type Handle, type TokenInfo } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import { listsSlotsOnlyAtStart, restartLibrary, trimPadding, type TokenModule } from './module.ts';
import { attempt, failureOfReturnValue, meansGone, type TokenResult } from './return-values.ts';

export type TokenEntry = TokenHostReply<'listTokens'>[number];
export type PinState = TokenEntry['userPinState'];

/** CK_SLOT_ID is an unsigned long in the byte order of the machine; pkcs11js hands it out as its bytes. */
function slotNumber(slot: Handle): number {
  return Number(slot.length === 8 ? slot.readBigUInt64LE() : slot.readUInt32LE());
}

function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

function pinState(flags: number, low: number, final: number, locked: number): PinState {
  if (has(flags, locked)) return 'locked';
  if (has(flags, final)) return 'final-try';
  return has(flags, low) ? 'count-low' : 'ok';
}

function describe(module: TokenModule, slot: Handle, info: TokenInfo, slotDescription: string): TokenEntry {
  const { flags } = info;
  const initialized = has(flags, pkcs11js.CKF_TOKEN_INITIALIZED);
  const serial = trimPadding(info.serialNumber);
  return {
    slotId: slotNumber(slot),
    slotDescription,
    initialized,
    label: trimPadding(info.label),
    serial,
    manufacturer: trimPadding(info.manufacturerID),
    model: trimPadding(info.model),
    firmwareVersion: `${info.firmwareVersion.major}.${info.firmwareVersion.minor}`,
    userPinSet: has(flags, pkcs11js.CKF_USER_PIN_INITIALIZED),
    pinLengthMinimum: info.minPinLen,
    pinLengthMaximum: info.maxPinLen,
    userPinState: pinState(
      flags,
      pkcs11js.CKF_USER_PIN_COUNT_LOW,
      pkcs11js.CKF_USER_PIN_FINAL_TRY,
      pkcs11js.CKF_USER_PIN_LOCKED,
    ),
    // SoftHSM marks the SO-PIN of a token that was never initialised as locked; it has none yet.
    soPinState: initialized
      ? pinState(flags, pkcs11js.CKF_SO_PIN_COUNT_LOW, pkcs11js.CKF_SO_PIN_FINAL_TRY, pkcs11js.CKF_SO_PIN_LOCKED)
      : 'ok',
    writeProtected: has(flags, pkcs11js.CKF_WRITE_PROTECTED),
    loggedIn: module.logins.has(serial),
  };
}

export interface FoundToken {
  readonly slot: Handle;
  readonly entry: TokenEntry;
}

/** What sits in a slot now. Failures: what C_GetTokenInfo answered. */
export function readToken(module: TokenModule, slot: Handle): TokenResult<FoundToken> {
  const read = attempt(() => ({
    info: module.cryptoki.C_GetTokenInfo(slot),
    description: module.cryptoki.C_GetSlotInfo(slot).slotDescription,
  }));
  if (!read.ok) return failureOfReturnValue(read.returnValue);
  return success({ slot, entry: describe(module, slot, read.value.info, trimPadding(read.value.description)) });
}

/** Every slot with a token in it, as the library sees them now. A token that goes away meanwhile is left out. */
function readTokens(module: TokenModule): TokenResult<FoundToken[]> {
  const slots = attempt(() => module.cryptoki.C_GetSlotList(true));
  if (!slots.ok) return failureOfReturnValue(slots.returnValue);
  const tokens: FoundToken[] = [];
  for (const slot of slots.value) {
    const read = attempt(() => module.cryptoki.C_GetTokenInfo(slot));
    if (!read.ok) {
      if (meansGone(read.returnValue) || read.returnValue.code === pkcs11js.CKR_TOKEN_NOT_RECOGNIZED) continue;
      return failureOfReturnValue(read.returnValue);
    }
    const slotInformation = attempt(() => module.cryptoki.C_GetSlotInfo(slot));
    const description = slotInformation.ok ? trimPadding(slotInformation.value.slotDescription) : '';
    tokens.push({ slot, entry: describe(module, slot, read.value, description) });
  }
  return success(tokens);
}

/**
 * Every token, uninitialised ones too, with those that other processes made meanwhile. While a session is
 * open on SoftHSM the library cannot be asked to look again, and new tokens appear after logging out.
 */
export function findTokens(module: TokenModule): TokenResult<FoundToken[]> {
  if (module.stale || listsSlotsOnlyAtStart(module)) {
    const restarted = restartLibrary(module);
    if (!restarted.ok) return restarted;
  }
  const seen = readTokens(module);
  if (seen.ok || seen.error.code !== 'Token_GeneralError') return seen;
  // A library from under which a token was taken may answer nothing else until it is started anew; its sessions end with it.
  module.logins.clear();
  const restarted = restartLibrary(module);
  return restarted.ok ? readTokens(module) : restarted;
}

/**
 * The slot that a token sits in now; slots move, serials stay.
 * Failures: Token_NotFound, Token_NotInitialized.
 */
export function findToken(module: TokenModule, serial: string): TokenResult<FoundToken> {
  for (const look of [readTokens, findTokens]) {
    const tokens = look(module);
    if (!tokens.ok && look === findTokens) return tokens;
    if (!tokens.ok) continue;
    const found = tokens.value.find(({ entry }) => entry.serial === serial);
    if (found === undefined) continue;
    if (found.entry.initialized) return success(found);
    return failure(
      'Token_NotInitialized',
      `The token with serial ${serial} is not initialised.`,
      'Set the token up first.',
      { serial },
    );
  }
  return failure(
    'Token_NotFound',
    `No token with serial ${serial} is there.`,
    'Plug the token in, or choose another one from the list.',
    { serial },
  );
}
