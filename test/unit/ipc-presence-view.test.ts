import { describe, expect, it } from 'vitest';
import { presenceViewSchema, type PresenceView } from '../../electron/contract/views.ts';
import type { ObservedStore } from '../../electron/ipc/observed-tokens.ts';
import { agreesWithReaders } from '../../electron/ipc/readers-and-tokens.ts';
import { toPresenceView } from '../../electron/ipc/views/presence-view.ts';
import type { PresenceDescription, UsbDeviceDescription } from '../../electron/workflows/device-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenDescription, TokenStore } from '../../electron/workflows/ports.ts';

const softHsm: TokenStore = {
  id: 'softhsm',
  name: 'SoftHSM',
  modulePath: '/usr/lib/softhsm/libsofthsm2.so',
  rehearsal: false,
};
const openSc: TokenStore = {
  id: 'opensc',
  name: 'OpenSC',
  modulePath: '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
  rehearsal: false,
};
const cloudHsm: TokenStore = { id: 'module-1', name: 'Cloud', modulePath: '/opt/cloud/libp11.so', rehearsal: false };

const hsmReader = 'Nitrokey Nitrokey HSM (DENK01040680000         ) 00 00';
const hsmOnUsb: UsbDeviceDescription = {
  vendorId: 0x20a0,
  productId: 0x4230,
  manufacturer: 'Nitrokey',
  product: 'Nitrokey HSM',
  serial: 'DENK01040680000         ',
  kind: 'nitrokey-hsm',
  name: 'Nitrokey HSM',
};
const fido: UsbDeviceDescription = {
  ...hsmOnUsb,
  productId: 0x42b1,
  product: 'Nitrokey FIDO2',
  serial: '',
  kind: 'other-nitrokey',
  name: 'Nitrokey FIDO2',
};
const cardReader: UsbDeviceDescription = {
  ...hsmOnUsb,
  vendorId: 0x076b,
  productId: 0x3031,
  serial: '',
  kind: 'smartcard-reader',
  name: 'OMNIKEY 3x21',
};

const token: TokenDescription = {
  storeId: 'opensc',
  slotId: 0,
  slotDescription: hsmReader.slice(0, 64),
  initialized: true,
  label: 'SmartCard-HSM (UserPIN)',
  reportedLabel: 'SmartCard-HSM (UserPIN)',
  serial: 'DENK0104068',
  manufacturer: 'www.CardContact.de',
  model: 'PKCS#15 emulated',
  firmwareVersion: '3.5',
  userPinSet: true,
  pinLengthMinimum: 6,
  pinLengthMaximum: 15,
  userPinState: 'ok',
  soPinState: 'ok',
  writeProtected: false,
  loggedIn: false,
};

const nothing: PresenceDescription = { pcsc: 'running', readers: [], usb: [], usbState: 'listed', holder: '' };

interface Scene {
  readonly presence?: Partial<PresenceDescription>;
  readonly stores?: readonly TokenStore[];
  readonly openSc?: ObservedStore;
  readonly isSettled?: boolean;
}

function view(scene: Scene): PresenceView {
  return presenceViewSchema.parse(
    toPresenceView({
      presence: {
        state: 'ready',
        description: { ...nothing, ...scene.presence },
        isSettled: scene.isSettled ?? true,
      },
      stores: scene.stores ?? [softHsm, openSc],
      observed: (storeId) => (storeId === 'opensc' ? (scene.openSc ?? success([])) : success([])),
    }),
  );
}

const kinds = (scene: Scene): readonly string[] => view(scene).problems.map(({ kind }) => kind);
const reader = (state: PresenceDescription['readers'][number]['state'], name = hsmReader) => ({ name, state });

describe('the presence view', () => {
  it('says what is looked at before there is an answer, and that there is none', () => {
    const of = (state: 'looking' | 'unavailable'): PresenceView =>
      toPresenceView({
        presence: { state, description: undefined, isSettled: false },
        stores: [openSc],
        observed: () => undefined,
      });
    expect(of('looking')).toEqual({ state: 'looking', readers: [], usb: [], problems: [] });
    expect(of('unavailable').state).toBe('unavailable');
  });

  it('ties a USB device to its token by the serial, padding left out', () => {
    const shown = view({ presence: { usb: [hsmOnUsb], readers: [reader('card')] }, openSc: success([token]) });
    expect(shown.usb).toEqual([
      {
        id: '20a0:4230',
        serial: 'DENK01040680000',
        kind: 'nitrokey-hsm',
        name: 'Nitrokey HSM',
        tokenSerial: 'DENK0104068',
      },
    ]);
    expect(shown.problems).toEqual([]);
  });

  it('does not take a serial that only begins alike for the same device', () => {
    const other = { ...token, serial: 'DENK01040', slotDescription: 'another reader' };
    const shown = view({ presence: { usb: [hsmOnUsb], readers: [] }, openSc: success([other]) });
    expect(shown.usb[0]?.tokenSerial).toBe('');
  });

  it('ties it by the reader where USB did not tell its serial', () => {
    const silent = { ...hsmOnUsb, serial: '' };
    const shown = view({ presence: { usb: [silent], readers: [reader('card')] }, openSc: success([token]) });
    expect(shown.usb[0]?.tokenSerial).toBe('DENK0104068');
    expect(shown.problems).toEqual([]);
  });
});

describe('why a device that is plugged in is no token', () => {
  it('is silent where nothing is plugged in, whatever PC/SC does', () => {
    for (const pcsc of ['running', 'not-running', 'library-missing'] as const)
      expect(kinds({ presence: { pcsc } })).toEqual([]);
    expect(kinds({ presence: { pcsc: 'not-running', usbState: 'unavailable' } })).toEqual([]);
  });

  it.each([
    ['not-running', 'pcscd-not-running'],
    ['not-permitted', 'pcscd-not-permitted'],
    ['library-missing', 'pcsc-library-missing'],
    ['failed', 'unresponsive'],
  ] as const)('pcscd %s', (pcsc, kind) => {
    expect(kinds({ presence: { pcsc, usb: [hsmOnUsb] } })).toEqual([kind]);
    expect(kinds({ presence: { pcsc, usb: [cardReader] } })).toEqual([kind]);
  });

  it('says that pcscd refuses this user even where USB cannot be seen', () => {
    expect(kinds({ presence: { pcsc: 'not-permitted', usbState: 'unavailable' } })).toEqual(['pcscd-not-permitted']);
    expect(kinds({ presence: { pcsc: 'not-permitted' }, stores: [softHsm] })).toEqual([]);
  });

  it('names scdaemon, which takes the USB device away from pcscd', () => {
    expect(kinds({ presence: { usb: [hsmOnUsb], holder: 'scdaemon' } })).toEqual(['held-by-scdaemon']);
    expect(
      kinds({ presence: { usb: [hsmOnUsb], readers: [reader('card-in-exclusive-use')], holder: 'scdaemon' } }),
    ).toEqual(['held-by-scdaemon']);
  });

  it('says that another program uses the reader alone', () => {
    expect(kinds({ presence: { usb: [hsmOnUsb], readers: [reader('card-in-exclusive-use')] } })).toEqual([
      'reader-in-exclusive-use',
    ]);
    expect(
      kinds({
        presence: { usb: [hsmOnUsb], readers: [reader('card-in-exclusive-use')] },
        openSc: success([token]),
      }),
    ).toEqual([]);
  });

  it('says that no module for cards is installed', () => {
    const presence = { usb: [hsmOnUsb], readers: [reader('card')] };
    expect(kinds({ presence, stores: [softHsm, cloudHsm] })).toEqual(['module-missing']);
    expect(kinds({ presence, openSc: failure('Token_ModuleMissing', 'Gone.', 'Install it.') })).toEqual([
      'module-missing',
    ]);
  });

  it('says that this user may not look at USB', () => {
    expect(kinds({ presence: { usbState: 'no-permission' } })).toEqual(['no-usb-permission']);
    expect(
      kinds({ presence: { usbState: 'no-permission', readers: [reader('card')] }, openSc: success([token]) }),
    ).toEqual([]);
  });

  it('names another Nitrokey as what it is, beside an HSM that works', () => {
    const shown = view({
      presence: { usb: [fido, hsmOnUsb], readers: [reader('card')] },
      openSc: success([token]),
    });
    expect(shown.problems.map(({ kind }) => kind)).toEqual(['not-an-hsm']);
    expect(shown.problems[0]?.title).toContain('Nitrokey FIDO2');
  });

  it('says that a device does not answer, once the modules were given the time for it', () => {
    const scenes: readonly Scene[] = [
      { presence: { usb: [hsmOnUsb], readers: [reader('card')] } },
      { presence: { usb: [hsmOnUsb], readers: [reader('empty')] } },
      { presence: { usb: [hsmOnUsb] } },
      {
        presence: { usb: [hsmOnUsb], readers: [reader('card')] },
        openSc: failure('Token_ModuleHung', 'Hung.', 'Wait.'),
      },
    ];
    for (const scene of scenes) {
      expect(kinds(scene)).toEqual(['unresponsive']);
      expect(kinds({ ...scene, isSettled: false })).toEqual([]);
    }
    expect(kinds({ presence: { usb: [hsmOnUsb], readers: [reader('unresponsive')] } })).toEqual(['unresponsive']);
  });

  it('leaves cards that are no HSM alone', () => {
    expect(kinds({ presence: { readers: [reader('card', 'OMNIKEY 3x21 00 00')], usb: [cardReader] } })).toEqual([]);
    expect(kinds({ presence: { readers: [reader('empty', 'OMNIKEY 3x21 00 00')], usb: [cardReader] } })).toEqual([]);
  });

  it('counts each of two devices by itself', () => {
    const second = { ...hsmOnUsb, serial: 'DENK01099990000' };
    const secondReader = 'Nitrokey Nitrokey HSM (DENK01099990000         ) 01 00';
    const presence = { usb: [hsmOnUsb, second], readers: [reader('card'), reader('card', secondReader)] };
    expect(view({ presence, openSc: success([token]) }).problems).toMatchObject([
      { kind: 'unresponsive', title: expect.stringContaining('DENK01099990000') as string },
    ]);
  });

  it('says what happened and what to do, with commands only where there are some', () => {
    const everything: readonly Scene[] = [
      ...(['not-running', 'not-permitted', 'library-missing', 'failed'] as const).map((pcsc) => ({
        presence: { pcsc, usb: [hsmOnUsb] },
      })),
      { presence: { usb: [hsmOnUsb, fido], holder: 'scdaemon' } },
      { presence: { usb: [hsmOnUsb], readers: [reader('card-in-exclusive-use')] } },
      { presence: { usb: [hsmOnUsb], readers: [reader('card')] }, stores: [softHsm] },
      { presence: { usbState: 'no-permission' } },
    ];
    for (const { problems } of everything.map(view)) {
      expect(problems.length).toBeGreaterThan(0);
      for (const { title, text, next } of problems) {
        expect(title).not.toBe('');
        expect(text).toMatch(/\.$/u);
        expect(next).toMatch(/\.$/u);
      }
    }
  });
});

describe('whether the module lists what the readers hold', () => {
  const agrees = (presence: Partial<PresenceDescription>, tokens: readonly TokenDescription[]): boolean =>
    agreesWithReaders({ ...nothing, ...presence }, [softHsm, openSc], (storeId) =>
      storeId === 'opensc' ? success(tokens) : success([]),
    );

  it('agrees where every card is a token and every token has its card', () => {
    expect(agrees({ readers: [reader('card')], usb: [hsmOnUsb] }, [token])).toBe(true);
    expect(agrees({}, [])).toBe(true);
    expect(agrees({ readers: [reader('empty')] }, [])).toBe(true);
  });

  it('disagrees while a card is not listed yet, or one that is gone still is', () => {
    expect(agrees({ readers: [reader('card')] }, [])).toBe(false);
    expect(agrees({ readers: [reader('empty')] }, [token])).toBe(false);
    expect(agrees({}, [token])).toBe(false);
    expect(agrees({ pcsc: 'not-running' }, [token])).toBe(false);
    expect(agrees({ usb: [hsmOnUsb] }, [])).toBe(false);
  });

  it('expects nothing where no module speaks to cards', () => {
    expect(agreesWithReaders({ ...nothing, readers: [reader('card')] }, [softHsm, cloudHsm], () => success([]))).toBe(
      true,
    );
  });
});
