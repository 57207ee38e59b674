/** What a SmartCard-HSM says of itself, read through its own commands: also where no PKCS#11 library takes it for a token yet. */
import type { DeviceDescription, DkekState } from '../../workflows/device-ports.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import { pgpWordsOfHex } from '../../workflows/pgp-words.ts';
import type { TokenReference } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { StepContext } from './context.ts';

/** The SmartCard-HSMs behind a store's module, as they are now. */
export async function devicesOf(context: StepContext, storeId: string): Promise<Result<readonly DeviceDescription[]>> {
  return context.ports.devices.listDevices(storeId);
}

/** One device as it is now. Token_NotFound where it is in no reader. */
export async function describeDevice(context: StepContext, device: TokenReference): Promise<Result<DeviceDescription>> {
  const devices = await devicesOf(context, device.storeId);
  if (!devices.ok) return devices;
  const found = devices.value.find(({ serial }) => serial === device.serial);
  return found === undefined
    ? failure(
        'Token_NotFound',
        `The SmartCard-HSM with serial ${device.serial} is in no reader.`,
        'Plug it in, wait until it is listed, and go on.',
        { serial: device.serial },
      )
    : success(found);
}

export function dkekInWords({ kind, shares, outstanding }: DkekState): string {
  if (kind === 'none') return 'none';
  if (kind === 'awaiting-shares')
    return `${outstanding.toString()} of ${shares.toString()} ${shares === 1 ? 'share' : 'shares'} outstanding`;
  return shares === 0 ? 'random' : `complete, of ${shares.toString()} ${shares === 1 ? 'share' : 'shares'}`;
}

/** The key check value in hex and in words, nothing where there is none yet. */
export function evidenceOfKeyCheck({ keyCheckValue }: DkekState): Evidence {
  return keyCheckValue === '' ? {} : { keyCheckValue, keyCheckWords: pgpWordsOfHex(keyCheckValue).join(' ') };
}

/** A DKEK that wraps: Device_DkekAbsent and Device_DkekIncomplete otherwise. */
export function usableDkek({ serial, dkek }: DeviceDescription): Result<DkekState> {
  if (dkek.kind === 'none')
    return failure(
      'Device_DkekAbsent',
      `The device with serial ${serial} has no DKEK: no key on it can be wrapped, and it takes no wrapped key.`,
      'A DKEK is chosen when a device is initialised, which erases it. Set up another device with DKEK shares for new keys.',
      { serial },
    );
  if (dkek.kind === 'awaiting-shares')
    return failure(
      'Device_DkekIncomplete',
      `The device with serial ${serial} waits for ${dkek.outstanding.toString()} more DKEK shares.`,
      'Import the shares that are missing, then go on.',
      { serial, outstanding: dkek.outstanding },
    );
  return success(dkek);
}
