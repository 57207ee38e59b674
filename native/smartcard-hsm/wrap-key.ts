/** WRAP KEY: a key leaves the card under the DKEK, with what describes it, as sc-hsm-tool's file. */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, longestExtended, statusWord } from './apdu.ts';
import type { Applet } from './applet.ts';
import { refusalOfDkek } from './dkek-import.ts';
import { filePrefix, readFile } from './files.ts';
import { readKeys } from './key-description.ts';
import { readDkekStatus } from './status.ts';
import { readDataObject } from './tlv.ts';
import { keyCheckValueOf, writeWrappedKeyFile } from './wrapped-key-file.ts';

const wrapDeadline = 30_000;
/** P2: the algorithm, AES-CBC with CMAC under the DKEK. */
const underDkek = 0x92;

/**
 * Failures: Device_DkekAbsent, Device_DkekIncomplete, Token_KeyMissing, Token_KeyLabelDoubled (two keys of that id),
 * Token_NotLoggedIn.
 * @param keyId CKA_ID, hex
 */
export async function wrapKey(
  applet: Applet,
  keyId: string,
): Promise<TokenResult<{ readonly file: Buffer; readonly label: string; readonly keyCheckValue: string }>> {
  const dkek = await readDkekStatus(applet);
  if (!dkek.ok) return dkek;
  const refused = refusalOfDkek(dkek.value);
  if (refused !== undefined) return refused;
  const keys = await readKeys(applet);
  if (!keys.ok) return keys;
  const [key, ...others] = keys.value.filter(({ description }) => description?.id === keyId);
  if (key?.description === undefined) {
    return failure('Token_KeyMissing', 'The device has no key with that id.', 'List its keys again.', { id: keyId });
  }
  if (others.length > 0) {
    return failure(
      'Token_KeyLabelDoubled',
      'Several keys of the device have that id, so it is not clear which one is meant.',
      'Give one of them another id with pkcs11-tool, or delete the one that is not needed.',
      { id: keyId },
    );
  }
  const certificate = await readFile(applet, (filePrefix.certificate << 8) | key.number);
  if (!certificate.ok) return certificate;
  const wrapped = await applet.send(
    { cla: 0x80, ins: 0x72, p1: key.number, p2: underDkek, expected: longestExtended },
    wrapDeadline,
  );
  if (!wrapped.ok) return wrapped;
  const { status, data } = wrapped.value;
  if (status !== statusWord.ok) return failureOfStatus(status, 'WRAP KEY');
  const keyCheckValue = keyCheckValueOf({ blob: data });
  if (keyCheckValue !== dkek.value.keyCheckValue) {
    return failure(
      'Device_StatusUnexpected',
      'The wrapped key names another DKEK than the device does.',
      'Try again; if it stays, do not rely on backups of this device.',
      { wrapped: keyCheckValue, device: dkek.value.keyCheckValue },
    );
  }
  const file = writeWrappedKeyFile({
    blob: data,
    description: key.description,
    certificate: readDataObject(certificate.value ?? Buffer.alloc(0))?.encoded ?? Buffer.alloc(0),
  });
  return success({ file, label: key.description.label, keyCheckValue });
}
