/** IMPORT DKEK SHARE: one opened share goes to the card, which adds it to those before. */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, longestShort, statusWord } from './apdu.ts';
import type { Applet } from './applet.ts';
import { readDkekStatus, toDkekStatus, type DkekStatus } from './status.ts';

/** Why keys cannot be wrapped or unwrapped, or undefined where they can. */
export function refusalOfDkek(dkek: DkekStatus): Refused | undefined {
  if (dkek.kind === 'none') return dkekAbsent();
  if (dkek.kind === 'ready') return undefined;
  return failure(
    'Device_DkekIncomplete',
    `${dkek.outstanding} of ${dkek.shares} DKEK shares are missing on this device.`,
    'Import the outstanding shares first.',
    { shares: dkek.shares, outstanding: dkek.outstanding },
  );
}

function dkekAbsent(): Refused {
  return failure(
    'Device_DkekAbsent',
    'The device was set up without a DKEK: no key can leave it, and none can come from another device.',
    'To have backups, set it up anew with a DKEK, which erases it.',
  );
}

/** Failures: Device_DkekAbsent, Device_DkekNotExpected. */
export async function requireOutstandingShare(applet: Applet): Promise<TokenResult<DkekStatus>> {
  const dkek = await readDkekStatus(applet);
  if (!dkek.ok) return dkek;
  if (dkek.value.kind === 'none') return dkekAbsent();
  if (dkek.value.outstanding > 0) return dkek;
  return failure(
    'Device_DkekNotExpected',
    'The device waits for no DKEK share: all are in.',
    'Compare the key check values with the other device’s.',
    { shares: dkek.value.shares, keyCheckValue: dkek.value.keyCheckValue },
  );
}

/**
 * Imports one share. The same share twice spoils the DKEK, and the card cannot tell: after a cut-off, compare the
 * number of outstanding shares with that before.
 * @param share 32 bytes; the caller wipes them
 */
export async function importDkekShare(applet: Applet, share: Uint8Array): Promise<TokenResult<DkekStatus>> {
  const before = await requireOutstandingShare(applet);
  if (!before.ok) return before;
  const sent = await applet.send({ cla: 0x80, ins: 0x52, p1: 0x00, p2: 0x00, data: share, expected: longestShort });
  if (!sent.ok) return sent;
  const { status, data } = sent.value;
  if (status !== statusWord.ok) return failureOfStatus(status, 'IMPORT DKEK SHARE');
  // What the card says of itself afterwards counts, not what it answered.
  const after = await readDkekStatus(applet);
  if (!after.ok) return after;
  const answered = toDkekStatus(data);
  if (after.value.outstanding === before.value.outstanding - 1 && answered?.outstanding === after.value.outstanding) {
    return success(after.value);
  }
  return failure(
    'Device_StatusUnexpected',
    'The device does not count the share that it was given.',
    'Look at its status; where in doubt, set it up anew and import all shares again.',
    { before: before.value.outstanding, after: after.value.outstanding },
  );
}
