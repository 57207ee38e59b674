import { describe, expect, it } from 'vitest';
import { createTokenObserver, type TokenObserver, type TokenSources } from '../../electron/ipc/token-observer.ts';
import type { DeviceDescription, PresenceDescription, TokenObject } from '../../electron/workflows/device-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenDescription, TokenStore } from '../../electron/workflows/ports.ts';

const softHsm: TokenStore = { id: 'softhsm', name: 'SoftHSM', modulePath: '/libsofthsm2.so', rehearsal: false };
const openSc: TokenStore = { id: 'opensc', name: 'OpenSC', modulePath: '/opensc-pkcs11.so', rehearsal: false };

const token = (storeId: string, part: Partial<TokenDescription> = {}): TokenDescription => ({
  storeId,
  slotId: 0,
  slotDescription: '',
  initialized: true,
  label: 'token',
  reportedLabel: 'token',
  serial: `of-${storeId}`,
  manufacturer: '',
  model: '',
  firmwareVersion: '',
  userPinSet: true,
  pinLengthMinimum: 6,
  pinLengthMaximum: 15,
  userPinState: 'ok',
  soPinState: 'ok',
  writeProtected: false,
  loggedIn: false,
  ...part,
});

const device: DeviceDescription = {
  serial: 'of-opensc',
  readerName: 'reader',
  label: 'token',
  firmwareVersion: '3.5',
  freeMemory: 70_000,
  pinState: 'set',
  pinTriesLeft: 3,
  soPinState: 'set',
  soPinTriesLeft: 15,
  dkek: { kind: 'ready', shares: 1, outstanding: 0, keyCheckValue: '0011223344556677' },
  options: [],
};

const value: TokenObject = {
  objectClass: 'data',
  label: 'vault-unseal-0',
  id: '',
  kind: '',
  bits: 0,
  curve: '',
  size: 256,
  attributes: ['TOKEN'],
  subject: '',
  notAfter: '',
  sha256: '',
};

interface Rig {
  readonly observer: TokenObserver;
  readonly asked: string[];
  readonly changes: () => number;
  busy: readonly string[];
  present: boolean;
  /** What PC/SC says of the reader that the token is in; undefined where nothing is known of readers. */
  presence: PresenceDescription | undefined;
  deviceAnswers: boolean;
  /** Milliseconds that were waited before a device was asked again. */
  readonly pauses: number[];
  /** Before a device is asked. */
  onDevices: () => void;
  /** Lets the listings that wait go on. */
  release: () => void;
  hold: boolean;
}

function rig(): Rig {
  const asked: string[] = [];
  let changes = 0;
  let waiting: (() => void)[] = [];
  const sources: TokenSources = {
    stores: () => [softHsm, openSc],
    presence: {
      get current() {
        return made.presence;
      },
    },
    tokens: {
      async listTokens(storeId = '') {
        asked.push(`tokens ${storeId}`);
        if (made.hold && storeId === 'opensc')
          await new Promise<void>((settle) => {
            waiting.push(settle);
          });
        const store = storeId === 'opensc' ? openSc : softHsm;
        return [{ store, result: success(made.present ? [token(storeId)] : []) }];
      },
      async listObjects({ storeId }) {
        asked.push(`objects ${storeId}`);
        return success({ keyPairs: [], dataObjects: [] });
      },
    },
    objects: {
      async listAllObjects({ storeId }) {
        asked.push(`all ${storeId}`);
        return success({ objects: [value], freePublicMemory: 1000, totalPublicMemory: 2000 });
      },
    },
    devices: {
      async listDevices(storeId) {
        asked.push(`devices ${storeId}`);
        made.onDevices();
        return made.deviceAnswers ? success([device]) : failure('Device_ReaderInUse', 'In use.', 'Wait.');
      },
    },
  };
  const made: Rig = {
    observer: createTokenObserver(
      sources,
      () => {
        changes += 1;
      },
      (storeId) => made.busy.includes(storeId),
      async (milliseconds) => {
        made.pauses.push(milliseconds);
      },
    ),
    asked,
    pauses: [],
    onDevices: () => undefined,
    changes: () => changes,
    busy: [],
    present: true,
    presence: undefined,
    deviceAnswers: true,
    hold: false,
    release: () => {
      const settles = waiting;
      waiting = [];
      for (const settle of settles) settle();
    },
  };
  return made;
}

const cardInReader: PresenceDescription = {
  pcsc: 'running',
  readers: [{ name: 'reader', state: 'card' }],
  usb: [],
  usbState: 'listed',
  holder: '',
};
const emptyReader: PresenceDescription = { ...cardInReader, readers: [{ name: 'reader', state: 'empty' }] };

const turn = (): Promise<void> => new Promise((settle) => setImmediate(settle));

describe('the token observer', () => {
  it('asks a SmartCard-HSM for itself, and SoftHSM for nothing of the kind', async () => {
    const { observer, asked } = rig();
    await observer.refresh();
    expect(asked.filter((what) => what.startsWith('devices'))).toEqual(['devices opensc']);
    expect(observer.describe(token('opensc')).device).toEqual(device);
    expect(observer.describe(token('softhsm')).device).toBe(undefined);
  });

  it('keeps what a device said where it does not answer now, until its token is gone', async () => {
    const made = rig();
    await made.observer.refresh();
    made.deviceAnswers = false;
    await made.observer.refresh();
    expect(made.observer.describe(token('opensc')).device).toEqual(device);
    made.present = false;
    await made.observer.refresh();
    expect(made.observer.describe(token('opensc')).device).toBe(undefined);
  });

  it('shows a device that names itself before its module lists it, and asks it once', async () => {
    const made = rig();
    made.presence = cardInReader;
    made.hold = true;
    const refreshing = made.observer.refresh();
    await turn();
    expect(made.observer.observed('opensc')).toBe(undefined);
    const [shown] = made.observer.shown('opensc');
    expect(shown).toMatchObject({ storeId: 'opensc', serial: device.serial, slotDescription: 'reader' });
    expect(shown === undefined ? undefined : made.observer.describe(shown).device).toEqual(device);
    made.hold = false;
    made.release();
    await refreshing;
    expect(made.observer.shown('opensc')).toEqual([token('opensc')]);
    expect(made.observer.describe(token('opensc')).device).toEqual(device);
    expect(made.asked.filter((what) => what.startsWith('devices'))).toHaveLength(1);
  });

  it('goes on showing a device that its module does not list yet, until it is pulled out', async () => {
    const made = rig();
    made.presence = cardInReader;
    made.present = false;
    await made.observer.refresh();
    expect(made.observer.observed('opensc')).toEqual(success([]));
    expect(made.observer.shown('opensc').map((shown) => made.observer.describe(shown).device)).toEqual([device]);
    made.presence = emptyReader;
    await made.observer.refreshReaderStores();
    expect(made.observer.shown('opensc')).toEqual([]);
  });

  it('waits for the module where a device does not name itself', async () => {
    const made = rig();
    made.presence = cardInReader;
    made.deviceAnswers = false;
    made.hold = true;
    const refreshing = made.observer.refresh();
    await turn();
    expect(made.observer.shown('opensc')).toEqual([]);
    made.hold = false;
    made.release();
    await refreshing;
    expect(made.observer.shown('opensc')).toEqual([token('opensc')]);
  });

  it('lists no store that a run began to work on while its device was asked', async () => {
    const made = rig();
    made.presence = cardInReader;
    made.onDevices = () => {
      made.busy = ['opensc'];
    };
    await made.observer.refresh();
    expect(made.asked).not.toContain('tokens opensc');
    expect(made.observer.isBehindReaders).toBe(true);
  });

  it('asks a device again that did not answer, with pauses and not without end', async () => {
    const made = rig();
    made.deviceAnswers = false;
    await made.observer.refresh();
    await turn();
    expect(made.asked.filter((what) => what.startsWith('devices'))).toHaveLength(4);
    expect(made.pauses).toEqual([500, 1500, 4000]);
    await made.observer.refreshReaderStores();
    await turn();
    expect(made.pauses).toEqual([500, 1500, 4000, 500, 1500, 4000]);
  });

  it('shows a device as soon as it answers', async () => {
    const made = rig();
    made.deviceAnswers = false;
    made.onDevices = () => {
      made.deviceAnswers = made.asked.filter((what) => what.startsWith('devices')).length > 2;
    };
    await made.observer.refresh();
    await turn();
    expect(made.observer.describe(token('opensc')).device).toEqual(device);
    expect(made.pauses).toEqual([500, 1500]);
  });

  it('asks no device while a run that began meanwhile is at work, and says that it is behind', async () => {
    const made = rig();
    made.hold = true;
    const refreshing = made.observer.refresh();
    await turn();
    made.busy = ['opensc'];
    made.hold = false;
    made.release();
    await refreshing;
    expect(made.asked).not.toContain('devices opensc');
    expect(made.observer.isBehindReaders).toBe(true);
  });

  it('shows a store that answers at once while another takes its time', async () => {
    const made = rig();
    made.hold = true;
    const refreshing = made.observer.refresh();
    await turn();
    expect(made.observer.observed('softhsm')).toMatchObject({ ok: true });
    expect(made.observer.observed('opensc')).toBe(undefined);
    expect(made.observer.isBehindReaders).toBe(true);
    made.hold = false;
    made.release();
    await refreshing;
    expect(made.observer.observed('opensc')).toMatchObject({ ok: true });
    expect(made.observer.isBehindReaders).toBe(false);
  });

  it('takes a burst of changes for one further look, and looks at no store that a reader cannot change', async () => {
    const made = rig();
    made.hold = true;
    const burst = Array.from({ length: 20 }, () => made.observer.refreshReaderStores());
    await turn();
    made.hold = false;
    made.release();
    await Promise.all(burst);
    expect(made.asked.filter((what) => what.startsWith('tokens'))).toEqual(['tokens opensc', 'tokens opensc']);
  });

  it('leaves a reader’s store alone while a run is at work on it, and says that it is behind', async () => {
    const made = rig();
    made.busy = ['opensc', 'softhsm'];
    await made.observer.refresh();
    expect(made.asked).toEqual(['tokens softhsm']);
    expect(made.observer.isBehindReaders).toBe(true);
    made.busy = [];
    await made.observer.refresh();
    expect(made.asked).toContain('tokens opensc');
    expect(made.observer.isBehindReaders).toBe(false);
  });

  it('reads everything that lies on an inspected token, again at each refresh, and nothing after a lock', async () => {
    const made = rig();
    await made.observer.refresh();
    await made.observer.inspect({ storeId: 'opensc', serial: 'of-opensc' });
    expect(made.observer.describe(token('opensc')).objects).toEqual({
      keyPairs: [],
      dataObjects: [],
      all: [value],
      freeMemory: 1000,
      totalMemory: 2000,
    });
    made.asked.length = 0;
    await made.observer.refresh();
    expect(made.asked).toContain('all opensc');
    made.observer.forget();
    expect(made.observer.observed('opensc')).toBe(undefined);
    expect(made.observer.describe(token('opensc'))).toMatchObject({ objects: undefined, device: undefined });
  });

  it('takes nothing in that was asked before a lock, and asks nothing more for it', async () => {
    const made = rig();
    made.hold = true;
    const refreshing = [made.observer.refresh(), made.observer.refreshReaderStores()];
    await turn();
    made.observer.forget();
    made.release();
    await Promise.all(refreshing);
    expect(made.observer.observed('opensc')).toBe(undefined);
    // The look that was still to come would have started the host again that the lock has ended.
    expect(made.asked.filter((what) => what === 'tokens opensc')).toHaveLength(1);
  });
});
