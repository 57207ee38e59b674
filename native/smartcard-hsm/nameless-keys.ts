/**
 * Keys that nobody described: made on the card, then cut off before the description was written. No PKCS#11 program
 * shows them; they take memory until they are deleted by their number.
 */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import type { Applet } from './applet.ts';
import { deleteFile, enumerateObjects, filePrefix, keyNumbers } from './files.ts';
import { readKeys } from './key-description.ts';

/** Their numbers on the card. No PIN is needed. */
export async function listNamelessKeys(applet: Applet): Promise<TokenResult<readonly number[]>> {
  const keys = await readKeys(applet);
  return keys.ok
    ? success(keys.value.filter(({ description }) => description === undefined).map(({ number }) => number))
    : keys;
}

/**
 * Deletes one such key, and what lies under its number. One that is not there is what is wanted.
 * Failures: Device_KeyExists where the key has a description (nothing was deleted); Token_NotLoggedIn.
 */
export async function deleteNamelessKey(applet: Applet, number: number): Promise<TokenResult<Record<string, never>>> {
  const keys = await readKeys(applet);
  if (!keys.ok) return keys;
  const key = keys.value.find((candidate) => candidate.number === number);
  if (key?.description !== undefined) {
    return failure(
      'Device_KeyExists',
      `The key under number ${number} has a name: “${key.description.label}”. It was not deleted.`,
      'Delete a key that has a name among the device’s objects.',
      { number, label: key.description.label },
    );
  }
  // The key first: what is left without it belongs to no key and is overwritten by the next one.
  for (const prefix of [filePrefix.key, filePrefix.keyDescription, filePrefix.certificate]) {
    const deleted = await deleteFile(applet, (prefix << 8) | number);
    if (!deleted.ok) return deleted;
  }
  const left = await enumerateObjects(applet);
  if (!left.ok) return left;
  return keyNumbers(left.value).includes(number)
    ? failure('Device_StatusUnexpected', 'The device still lists the key.', 'Unplug the device and try again.', {
        number,
      })
    : success({});
}
