/** The card's files: READ BINARY and UPDATE BINARY with the odd instruction codes, DELETE FILE, ENUMERATE OBJECTS. */
import { success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, longestExtended, longestShort, statusWord } from './apdu.ts';
import type { Applet } from './applet.ts';
import { writeDataObject } from './tlv.ts';

/** High bytes of file identifiers (OpenSC, card-sc-hsm.h); the low byte is the key's or object's number. */
export const filePrefix = {
  keyDescription: 0xc4,
  certificateDescription: 0xc8,
  key: 0xcc,
  certificate: 0xce,
} as const;

export const fileIdentifier = {
  /** EF.C_DevAut: the device's certificate, then its issuer's. */
  deviceCertificates: 0x2f02,
  /** EF.TokenInfo (PKCS#15): the label. */
  tokenInfo: 0x2f03,
  /** Where a wrapped key waits for UNWRAP KEY. */
  wrappedKey: 0x2f10,
} as const;

/** Files of a SmartCard-HSM are small; one that goes on beyond this is a card that answers nonsense. */
const longestFile = 16 * 1024;
/** Data of one UPDATE BINARY: fits a short command with its offset and headers, which every reader takes. */
const longestPart = 240;

const offsetObject = (offset: number): Buffer => writeDataObject(0x54, Buffer.of(offset >> 8, offset & 0xff));

/**
 * The whole file; undefined where there is none. Failures: Token_NotLoggedIn for a protected one, Device_CardFault.
 * @param isEnough for one who needs its beginning only: each part of 256 bytes costs a card 10 to 40 ms
 */
export async function readFile(
  applet: Applet,
  identifier: number,
  isEnough: (content: Buffer) => boolean = () => false,
): Promise<TokenResult<Buffer | undefined>> {
  const parts: Buffer[] = [];
  for (let offset = 0; offset < longestFile;) {
    const read = await applet.send({
      cla: 0x00,
      ins: 0xb1,
      p1: identifier >> 8,
      p2: identifier & 0xff,
      data: offsetObject(offset),
      expected: longestShort,
    });
    if (!read.ok) return read;
    const { status, data } = read.value;
    if (status === statusWord.fileNotFound) return success(undefined);
    const isEnd = status === statusWord.endOfFile || (status === statusWord.wrongOffset && offset > 0);
    if (status !== statusWord.ok && !isEnd) return failureOfStatus(status, 'READ BINARY');
    parts.push(data);
    offset += data.length;
    if (isEnd || data.length < longestShort || isEnough(Buffer.concat(parts))) break;
  }
  return success(Buffer.concat(parts));
}

/** Writes from the beginning; what a longer file had behind that stays. Needs login. */
export async function writeFile(
  applet: Applet,
  identifier: number,
  content: Uint8Array,
): Promise<TokenResult<Record<string, never>>> {
  for (let offset = 0; offset < content.length || offset === 0; offset += longestPart) {
    const part = content.subarray(offset, offset + longestPart);
    const written = await applet.send({
      cla: 0x00,
      ins: 0xd7,
      p1: identifier >> 8,
      p2: identifier & 0xff,
      data: Buffer.concat([offsetObject(offset), writeDataObject(0x53, part)]),
    });
    if (!written.ok) return written;
    if (written.value.status !== statusWord.ok) return failureOfStatus(written.value.status, 'UPDATE BINARY');
  }
  return success({});
}

/** Deletes a file; one that is not there is what is wanted. Needs login. */
export async function deleteFile(applet: Applet, identifier: number): Promise<TokenResult<Record<string, never>>> {
  const deleted = await applet.send({
    cla: 0x00,
    ins: 0xe4,
    p1: 0x02,
    p2: 0x00,
    data: Buffer.of(identifier >> 8, identifier & 0xff),
  });
  if (!deleted.ok) return deleted;
  const { status } = deleted.value;
  return status === statusWord.ok || status === statusWord.fileNotFound
    ? success({})
    : failureOfStatus(status, 'DELETE FILE');
}

/** Identifiers of all keys and files that belong to objects. */
export async function enumerateObjects(applet: Applet): Promise<TokenResult<readonly number[]>> {
  // Up to 256 objects of two bytes each and more files: only an extended answer holds them all.
  const listed = await applet.send({ cla: 0x80, ins: 0x58, p1: 0x00, p2: 0x00, expected: longestExtended });
  if (!listed.ok) return listed;
  const { status, data } = listed.value;
  if (status !== statusWord.ok) return failureOfStatus(status, 'ENUMERATE OBJECTS');
  return success(Array.from({ length: data.length >> 1 }, (_, index) => data.readUInt16BE(index * 2)));
}

/** Numbers of the keys among enumerated identifiers, without 0, the device's own. */
export function keyNumbers(identifiers: readonly number[]): readonly number[] {
  return identifiers
    .filter((identifier) => identifier >> 8 === filePrefix.key)
    .map((identifier) => identifier & 0xff)
    .filter((number) => number !== 0);
}
