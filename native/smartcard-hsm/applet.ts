/**
 * The SmartCard-HSM applet behind a connected card. SELECT of the applet is also a log-out, of every program's login,
 * so it is sent only where the card shows that nobody is logged in.
 */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { CardLink } from '../pcsc/card-link.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { decodeAnswer, encodeCommand, longestShort, statusWord, type Answer, type Command } from './apdu.ts';
import { findDataObject, readDataObject } from './tlv.ts';

/** 1.3.6.1.4.1.24991.2.1 behind E8 (OpenSC, card-sc-hsm.c). */
const applicationIdentifier = Buffer.from('e82b0601040181c31f0201', 'hex');

/**
 * Historical bytes of every SmartCard-HSM with contacts, Nitrokey HSM included: category 80, card capabilities,
 * "HSM1" (OpenSC, sc_hsm_atrs). Another card is sent nothing at all: what it would make of it is not known.
 */
const historicalBytes = Buffer.from('8031815448534d31738021408107', 'hex');

/** P2 of the PIN commands. */
export const pinReference = { user: 0x81, so: 0x88 } as const;

/** What the answer to SELECT says in its tag 85: two bytes of options, one of the platform, two of the version. */
export interface AppletVersion {
  /** '3.5' */
  readonly firmware: string;
  /** As INITIALIZE DEVICE took them. */
  readonly options: number;
}

export interface Applet {
  readonly readerName: string;
  /** Someone has given the user PIN since the card was last reset or the applet selected. */
  readonly userLoggedIn: boolean;
  /** Undefined where the applet was not selected anew, because that would have ended a login. */
  readonly version: AppletVersion | undefined;
  /**
   * Sends a command. Any status word is an answer here.
   * @param deadlineMilliseconds for what a card takes longer than seconds for
   */
  send(command: Command, deadlineMilliseconds?: number): Promise<TokenResult<Answer>>;
}

function notSmartCardHsm(readerName: string): Refused {
  return failure('Device_NotSmartCardHsm', 'The card in the reader is not a SmartCard-HSM.', 'Choose another device.', {
    reader: readerName,
  });
}

function readVersion(selected: Buffer): AppletVersion | undefined {
  const template = readDataObject(selected);
  const proprietary = template === undefined ? undefined : findDataObject(template.value, 0x85)?.value;
  if (proprietary === undefined || proprietary.length < 2) return undefined;
  const [major, minor] = proprietary.subarray(-2);
  // Applets before version 2 say their version only.
  const options = proprietary.length >= 5 ? proprietary.readUInt16BE(proprietary.length - 5) : 0;
  return { firmware: `${major ?? 0}.${minor ?? 0}`, options };
}

/** SELECT by name, which logs everybody out. */
export async function selectApplet(send: Applet['send'], readerName: string): Promise<TokenResult<AppletVersion>> {
  const selected = await send({
    cla: 0x00,
    ins: 0xa4,
    p1: 0x04,
    p2: 0x00,
    data: applicationIdentifier,
    expected: longestShort,
  });
  if (!selected.ok) return selected;
  const version = selected.value.status === statusWord.ok ? readVersion(selected.value.data) : undefined;
  return version === undefined ? notSmartCardHsm(readerName) : success(version);
}

/** VERIFY without a PIN: who is logged in, or how many tries are left. Costs no try. */
export function askPinState(send: Applet['send'], reference: number): Promise<TokenResult<Answer>> {
  return send({ cla: 0x00, ins: 0x20, p1: 0x00, p2: reference });
}

/**
 * Makes sure that the applet is selected.
 * Failures: Device_NotSmartCardHsm, and those of the link.
 */
export async function openApplet(link: CardLink): Promise<TokenResult<Applet>> {
  const { readerName } = link;
  if (!link.answerToReset.includes(historicalBytes)) return notSmartCardHsm(readerName);
  const send: Applet['send'] = async (command, deadlineMilliseconds) => {
    const bytes = encodeCommand(command);
    const answer = await link.transmit(bytes, deadlineMilliseconds);
    bytes.fill(0);
    return answer.ok ? success(decodeAnswer(answer.value)) : answer;
  };
  const state = await askPinState(send, pinReference.user);
  if (!state.ok) return state;
  if (state.value.status === statusWord.ok) {
    return success({ readerName, userLoggedIn: true, version: undefined, send });
  }
  const version = await selectApplet(send, readerName);
  if (!version.ok) return version;
  return success({ readerName, userLoggedIn: false, version: version.value, send });
}
