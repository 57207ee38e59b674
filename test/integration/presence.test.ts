/** The presence host on the real pcscd with virtual readers, and on a USB bus that umockdev plays. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { createPresencePort } from '../../electron/tokens/presence.ts';
import type { PresenceDescription, PresencePort } from '../../electron/workflows/device-ports.ts';
import { createCard } from '../fixtures/smartcard-hsm/card.ts';
import { startCardReaders, virtualReaderNames, type CardReaders } from '../servers/pcscd.ts';

const root = join(import.meta.dirname, '..', '..');
const entryPath = join(root, 'native', 'presence', 'presence-host.ts');

let presence: PresencePort | undefined;
let readers: CardReaders | undefined;
afterEach(async () => {
  await presence?.stop();
  await readers?.stop();
  presence = undefined;
  readers = undefined;
});

function open(): PresencePort {
  presence = createPresencePort({ launch: createNodeLauncher({ entryPath: () => entryPath }) });
  return presence;
}

/** Waits until what was last seen is as wanted, going by the port's own announcements. */
async function until(port: PresencePort, wanted: (seen: PresenceDescription) => boolean): Promise<PresenceDescription> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (port.current === undefined || !wanted(port.current)) return;
      clearTimeout(timer);
      unsubscribe();
      resolve(port.current);
    };
    const unsubscribe = port.subscribe(look);
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(`Not seen in time; last seen: ${JSON.stringify(port.current)}`));
    }, 15_000);
    look();
  });
}

const stateOf = (seen: PresenceDescription, name: string): string | undefined =>
  seen.readers.find((reader) => reader.name === name)?.state;

describe('card readers', () => {
  test('a card that is plugged in and pulled out is told of, unasked', async () => {
    readers = await startCardReaders({ patience: 300_000 });
    const port = open();
    port.start();
    const before = await until(port, (seen) => seen.readers.length === virtualReaderNames.length);
    expect(before.pcsc).toBe('running');
    expect(before.readers.map(({ state }) => state)).toEqual(['empty', 'empty']);
    const card = createCard({ serial: 'DECC0900001' });
    await card.plugIn(0);
    try {
      const plugged = await until(port, (seen) => stateOf(seen, virtualReaderNames[0]) === 'card');
      expect(stateOf(plugged, virtualReaderNames[1])).toBe('empty');
    } finally {
      card.unplug();
    }
    await until(port, (seen) => stateOf(seen, virtualReaderNames[0]) === 'empty');
  });

  test('a service that ends is told of, and found again when it is back', async () => {
    readers = await startCardReaders({ patience: 300_000 });
    const port = open();
    port.start();
    await until(port, (seen) => seen.readers.length === virtualReaderNames.length);
    await readers.kill();
    const gone = await until(port, (seen) => seen.pcsc === 'not-running');
    expect(gone.readers).toEqual([]);
    await readers.start();
    await until(port, (seen) => seen.pcsc === 'running' && seen.readers.length === virtualReaderNames.length);
  });
});

test('asked once, the host answers and ends', async () => {
  const port = open();
  const seen = await port.refresh();
  expect(seen).toMatchObject({ ok: true });
  expect(port.current).toBeDefined();
});

test('a Nitrokey HSM is read off the USB bus with its serial', async () => {
  const script =
    "import { listUsbDevices } from './native/usb/list-usb-devices.ts'; console.log(JSON.stringify(await listUsbDevices()));";
  const { stdout } = await promisify(execFile)(
    'umockdev-run',
    [
      '-d',
      'test/fixtures/nitrokey-usb.umockdev',
      '--',
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      script,
    ],
    { cwd: root },
  );
  expect(JSON.parse(stdout)).toEqual({
    usbState: 'listed',
    usb: [
      {
        vendorId: 0x20a0,
        productId: 0x4230,
        manufacturer: 'Nitrokey',
        product: 'Nitrokey HSM',
        serial: 'DENK0100000',
        kind: 'nitrokey-hsm',
        name: 'Nitrokey HSM',
      },
    ],
  });
});

test('a machine without a USB bus is an answer', async () => {
  // umockdev without a device plays a machine whose /sys has no USB.
  const script =
    "import { listUsbDevices } from './native/usb/list-usb-devices.ts'; console.log(JSON.stringify(await listUsbDevices()));";
  const { stdout } = await promisify(execFile)(
    'umockdev-run',
    ['--', process.execPath, '--input-type=module-typescript', '-e', script],
    { cwd: root },
  );
  expect(JSON.parse(stdout)).toMatchObject({ usb: [] });
});
