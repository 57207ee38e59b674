/**
 * UNWRAP KEY: a wrapped key comes onto the card, with its description and certificate. Those are written first: cut
 * off in between they belong to no key, nobody sees them, and the next attempt overwrites them. A key without a
 * description, the other way round, would stay for good where no PKCS#11 program shows it.
 */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, statusWord } from './apdu.ts';
import type { Applet } from './applet.ts';
import { refusalOfDkek } from './dkek-import.ts';
import { deleteFile, enumerateObjects, fileIdentifier, filePrefix, keyNumbers, writeFile } from './files.ts';
import { readKeys } from './key-description.ts';
import { readDkekStatus } from './status.ts';
import { keyCheckValueOf, readWrappedKeyFile, type WrappedKey } from './wrapped-key-file.ts';

type Nothing = Record<string, never>;

const unwrapDeadline = 30_000;
/** P2: the algorithm, AES-CBC with CMAC under the DKEK. */
const underDkek = 0x93;
const mostKeys = 255;

function dkekMismatch(ofFile: string, ofDevice: string): Refused {
  return failure(
    'Device_DkekMismatch',
    'The key was wrapped under another DKEK than this device has.',
    'Set the device up with the same DKEK shares as the one that the key comes from.',
    { wrapped: ofFile, device: ofDevice },
  );
}

/** Removes what is in the way; a card that does not let it go is met at the next write. */
async function removeFiles(applet: Applet, identifiers: readonly number[]): Promise<TokenResult<Nothing>> {
  for (const identifier of identifiers) {
    const deleted = await deleteFile(applet, identifier);
    if (!deleted.ok && deleted.error.code !== 'Device_CardFault') return deleted;
  }
  return success({});
}

/** The number that the key gets, and what else lies under that number. */
async function findPlace(
  applet: Applet,
  { description }: WrappedKey,
): Promise<TokenResult<{ readonly number: number; readonly leftovers: readonly number[] }>> {
  const keys = await readKeys(applet);
  if (!keys.ok) return keys;
  const same = keys.value.find(
    ({ description: other }) => other?.id === description.id && other.label === description.label,
  );
  if (same !== undefined) {
    return failure(
      'Device_KeyExists',
      `The key “${description.label}” is on the device already.`,
      'Nothing needs to be done; look at the device’s objects.',
      { label: description.label, keyId: description.id },
    );
  }
  const taken = new Set(keys.value.map(({ number }) => number));
  const number = Array.from({ length: mostKeys }, (_, index) => index + 1).find((one) => !taken.has(one));
  if (number === undefined) {
    return failure('Device_KeyExists', 'The device has no free place for a key.', 'Delete a key that is not needed.');
  }
  const identifiers = await enumerateObjects(applet);
  if (!identifiers.ok) return identifiers;
  const under = [filePrefix.keyDescription, filePrefix.certificate].map((prefix) => (prefix << 8) | number);
  return success({ number, leftovers: identifiers.value.filter((identifier) => under.includes(identifier)) });
}

async function writeParts(
  applet: Applet,
  number: number,
  { blob, certificate, description }: WrappedKey,
): Promise<TokenResult<Nothing>> {
  const parts: readonly (readonly [identifier: number, content: Buffer])[] = [
    [fileIdentifier.wrappedKey, blob],
    ...(certificate.length === 0 ? [] : [[(filePrefix.certificate << 8) | number, certificate] as const]),
    [(filePrefix.keyDescription << 8) | number, description.encoded],
  ];
  for (const [identifier, content] of parts) {
    const written = await writeFile(applet, identifier, content);
    if (!written.ok) return written;
  }
  return success({});
}

/**
 * Failures: Device_KeyFileInvalid, Device_DkekAbsent, Device_DkekIncomplete, Device_DkekMismatch, Device_KeyExists
 * (nothing was written); Token_NotLoggedIn; Token_MemoryFull.
 */
export async function unwrapKey(
  applet: Applet,
  file: Buffer,
): Promise<TokenResult<{ readonly label: string; readonly keyId: string }>> {
  const wrapped = readWrappedKeyFile(file);
  if (wrapped === undefined) {
    return failure(
      'Device_KeyFileInvalid',
      'The file is no wrapped key of a SmartCard-HSM with its description.',
      'Choose the file that this app or sc-hsm-tool saved as a wrapped key.',
    );
  }
  const dkek = await readDkekStatus(applet);
  if (!dkek.ok) return dkek;
  const refused = refusalOfDkek(dkek.value);
  if (refused !== undefined) return refused;
  const keyCheckValue = keyCheckValueOf(wrapped);
  if (keyCheckValue !== dkek.value.keyCheckValue) return dkekMismatch(keyCheckValue, dkek.value.keyCheckValue);
  const place = await findPlace(applet, wrapped);
  if (!place.ok) return place;
  const { number, leftovers } = place.value;
  // A longer file of an earlier attempt would keep its end behind what is written now.
  const cleared = await removeFiles(applet, [...leftovers, fileIdentifier.wrappedKey]);
  if (!cleared.ok) return cleared;
  const result = await bringIn(applet, number, wrapped);
  const inTheWay: number[] = [fileIdentifier.wrappedKey];
  if (!result.ok) inTheWay.push((filePrefix.keyDescription << 8) | number, (filePrefix.certificate << 8) | number);
  const isThere = result.ok || !['Token_Gone', 'Device_PcscUnavailable'].includes(result.error.code);
  const tidied = isThere ? await removeFiles(applet, inTheWay) : result;
  if (!result.ok) return result;
  if (!tidied.ok) return tidied;
  const { label, id } = wrapped.description;
  return success({ label, keyId: id });
}

async function bringIn(applet: Applet, number: number, wrapped: WrappedKey): Promise<TokenResult<Nothing>> {
  const written = await writeParts(applet, number, wrapped);
  if (!written.ok) return written;
  const sent = await applet.send({ cla: 0x80, ins: 0x74, p1: number, p2: underDkek }, unwrapDeadline);
  if (!sent.ok) return sent;
  const { status } = sent.value;
  if (status === statusWord.wrongData || status === statusWord.wrongParameters) {
    return failure(
      'Device_KeyFileInvalid',
      'The device does not accept the wrapped key: the file was changed, or is of a kind that it does not know.',
      'Choose another copy of the file.',
      { status: status.toString(16) },
    );
  }
  if (status !== statusWord.ok) return failureOfStatus(status, 'UNWRAP KEY');
  const identifiers = await enumerateObjects(applet);
  if (!identifiers.ok) return identifiers;
  if (keyNumbers(identifiers.value).includes(number)) return success({});
  return failure(
    'Device_StatusUnexpected',
    'The device accepted the key but does not list it.',
    'Look at the device’s objects and try again.',
  );
}
