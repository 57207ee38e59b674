/** SmartCard-HSMs in the readers of this machine, found by their serials. */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';
import { withCardReaders, type CardReaders } from '../pcsc/readers.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { openApplet, selectApplet, type Applet, type AppletVersion } from './applet.ts';
import { serialOf } from './cv-certificate.ts';
import { fileIdentifier, readFile } from './files.ts';

/** A SmartCard-HSM while it is held. */
export interface Device extends Applet {
  readonly serial: string;
}

/** By serial: what a device said the last time that nobody was logged in. */
const versions = new Map<string, AppletVersion>();

/** EF.C_DevAut names the device in its first certificate. */
async function openDevice(applet: Applet): Promise<TokenResult<Device>> {
  const named = await readFile(applet, fileIdentifier.deviceCertificates, (content) => serialOf(content) !== '');
  if (!named.ok && named.error.code !== 'Device_CardFault') return named;
  const serial = named.ok && named.value !== undefined ? serialOf(named.value) : '';
  if (serial === '') {
    return failure(
      'Device_NotSmartCardHsm',
      'The card in the reader has no device certificate of a SmartCard-HSM.',
      'Choose another device.',
      { reader: applet.readerName },
    );
  }
  if (applet.version !== undefined) versions.set(serial, applet.version);
  return success({ ...applet, version: applet.version ?? versions.get(serial), serial });
}

/** Selects the applet anew after something was changed: everybody is logged out, and the options are read again. */
export async function selectAnew(device: Device): Promise<TokenResult<Device>> {
  const version = await selectApplet(device.send, device.readerName);
  if (!version.ok) return version;
  versions.set(device.serial, version.value);
  return success({ ...device, userLoggedIn: false, version: version.value });
}

function inReader<Value>(
  readers: CardReaders,
  name: string,
  work: (device: Device) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  return readers.withCard(name, async (link) => {
    const applet = await openApplet(link);
    if (!applet.ok) return applet;
    const device = await openDevice(applet.value);
    return device.ok ? work(device.value) : device;
  });
}

/** What is said of a reader that no device was found in, where the failure says more than “not here”. */
function worthSaying(failed: Refused): boolean {
  return failed.error.code !== 'Device_NotSmartCardHsm' && failed.error.code !== 'Token_Gone';
}

/**
 * Works with every device, one after the other. A reader whose card cannot be reached is left out where others can;
 * where none can, its failure is the answer: Device_ReaderInUse, Device_PcscUnavailable, Device_PcscNotPermitted.
 */
export function withEachDevice<Value>(
  work: (device: Device) => Promise<TokenResult<Value>>,
): Promise<TokenResult<readonly Value[]>> {
  return withCardReaders(async (readers) => {
    const values: Value[] = [];
    let failed: Refused | undefined;
    for (const name of readers.names) {
      const worked = await inReader(readers, name, work);
      if (worked.ok) values.push(worked.value);
      else if (worthSaying(worked)) failed ??= worked;
    }
    return values.length === 0 && failed !== undefined ? failed : success(values);
  });
}

const elsewhere = Symbol('another device');

/**
 * Works with the device that has the serial, wherever it is plugged in: readers are looked through until it is found,
 * and no other device is asked more than its name.
 * Failures besides those of the work: Token_NotFound, Device_ReaderInUse (where a reader could not be looked into and
 * it is in no other), Token_Gone, Device_PcscUnavailable, Device_PcscNotPermitted.
 */
export function withDevice<Value>(
  serial: string,
  work: (device: Device) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  return withCardReaders(async (readers) => {
    let failed: Refused | undefined;
    for (const name of readers.names) {
      // Two results in one: that the device was reached, and what became of the work.
      const reached = await inReader<TokenResult<Value> | typeof elsewhere>(readers, name, async (device) =>
        success(device.serial === serial ? await work(device) : elsewhere),
      );
      if (!reached.ok) {
        if (worthSaying(reached)) failed ??= reached;
      } else if (reached.value !== elsewhere) return reached.value;
    }
    return (
      failed ??
      failure(
        'Token_NotFound',
        `No SmartCard-HSM with serial ${serial} is in a reader.`,
        'Plug the device in, or choose another one from the list.',
        { serial },
      )
    );
  });
}
