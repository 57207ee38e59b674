import { describe, expect, it } from 'vitest';
import { planSchema } from '../../electron/workflows/plans.ts';
import {
  checkClone,
  checkDrill,
  copiedInWords,
  drillErrorList,
  freshCloneForm,
  freshDrillForm,
} from '../../renderer/features/plans/backup-forms.ts';
import {
  checkCertificate,
  commonNameOf,
  freshCertificateForm,
  keysForCertificate,
  takeCertificate,
} from '../../renderer/features/plans/certificate-form.ts';
import {
  checkDevice,
  freshDeviceForm,
  freshShare,
  namesIn,
  resizeShares,
  type DeviceSetupForm,
} from '../../renderer/features/plans/device-setup-form.ts';
import { checkPinChange, freshPinChangeForm, pinActsFor } from '../../renderer/features/plans/pin-change-form.ts';
import {
  checkTokenSetup,
  tokenSetupErrorList,
  tokenSetupFormFor,
} from '../../renderer/features/plans/token-setup-form.ts';
import {
  checkReadOut,
  checkRewrap,
  freshReadOutForm,
  freshRewrapForm,
} from '../../renderer/features/plans/value-forms.ts';
import {
  deviceView,
  newDevice,
  objectView,
  secondDevice,
  smartCardHsm,
  usualObjects,
  viewWithDevices,
} from '../screens/device-views.ts';
import { tokenView } from './renderer-views.ts';

const view = viewWithDevices();
const token = smartCardHsm();
const shareFile = (content: string): { readonly fileName: string; readonly fileBase64: string } => ({
  fileName: `${content}.pbe`,
  fileBase64: Buffer.from(content.padEnd(64, '.')).toString('base64'),
});
const right: DeviceSetupForm = {
  ...freshDeviceForm(newDevice, 'Ada'),
  soPinHolder: 'Olga',
  shares: [{ ...freshShare, custodians: 'Ada\nBen\n\n Cleo ', threshold: 2 }],
};

describe('the set-up of a SmartCard-HSM', () => {
  it('is part of a token’s plan only where one is initialised', () => {
    const form = { ...tokenSetupFormFor(view, 'opensc', '12', undefined), device: right };
    const { plan, will } = checkTokenSetup(view, form);
    expect(planSchema.parse(plan)).toMatchObject({
      expectedSerial: 'DENK0200417',
      device: {
        currentSoPin: 'factory',
        newSoPin: true,
        soPinHolder: 'Olga',
        pinHolder: 'Ada',
        retryLimit: 3,
        dkek: { kind: 'shares', expectedKeyCheckValue: '', shares: [{ source: 'new' }] },
      },
    });
    expect(will[0]).toContain('before anything is erased');
    const kept = tokenSetupFormFor(view, 'opensc', '0', undefined);
    expect(checkTokenSetup(view, kept).device).toBeUndefined();
    const software = viewWithDevices({ tokens: [tokenView({ initialized: false, serial: '', label: '' })] });
    expect(checkTokenSetup(software, tokenSetupFormFor(software, 'softhsm', '1', undefined)).plan).not.toHaveProperty(
      'device',
    );
  });

  it('stays with its device when the slot moves', () => {
    const form = { ...tokenSetupFormFor(view, 'opensc', '12', undefined), device: right };
    const replugged = viewWithDevices({ tokens: [{ ...newDevice, slotId: 40 }] });
    expect(checkTokenSetup(replugged, form).plan).toMatchObject({ slotId: 40, expectedSerial: 'DENK0200417' });
  });

  it('lists what is wrong in the order of the page', () => {
    const form = tokenSetupFormFor(view, 'opensc', '12', undefined);
    const { errors, device, plan } = checkTokenSetup(view, form);
    expect(plan).toBeUndefined();
    expect(tokenSetupErrorList(errors, device)).toEqual([
      'Share 1: a split needs at least three custodians.',
      'Name the keeper of the SO-PIN.',
    ]);
  });

  it('takes the SO-PIN that is typed for a device that was set up before', () => {
    expect(freshDeviceForm(token, 'Ada')).toMatchObject({ currentSoPin: 'typed', newSoPin: false });
    expect(freshDeviceForm(newDevice, 'Ada')).toMatchObject({ currentSoPin: 'factory', newSoPin: true });
    // The factory's SO-PIN never stays, whatever the form was left at.
    expect(checkDevice({ ...right, newSoPin: false }).choices?.newSoPin).toBe(true);
  });

  it('refuses custodians that are too few, twice there, or fewer than are needed', () => {
    const error = (part: Partial<(typeof right.shares)[0]>): string | undefined =>
      checkDevice({ ...right, shares: [{ ...freshShare, ...part }] }).errors.shares[0];
    expect(error({ custodians: 'Ada\nBen' })).toContain('at least three');
    expect(error({ custodians: 'Ada\nBen\nAda' })).toContain('Ada is there twice');
    expect(error({ custodians: 'Ada\nBen\nCleo', threshold: 4 })).toContain('more would be needed');
    expect(error({ custodians: Array.from({ length: 17 }, (_, at) => `Name ${String(at)}`).join('\n') })).toContain(
      '16',
    );
    expect(error({ protection: 'password' })).toContain('Name the custodian');
    expect(error({ protection: 'password', custodian: 'Ada' })).toBeUndefined();
  });

  it('warns where one person could do what two should', () => {
    const alone = checkDevice({
      ...right,
      soPinHolder: 'Ada',
      shares: [{ ...freshShare, protection: 'password', custodian: 'Ada' }],
    });
    expect(alone.pinWarnings).toHaveLength(1);
    expect(alone.shareWarnings).toHaveLength(1);
    expect(checkDevice(right)).toMatchObject({ pinWarnings: [], shareWarnings: [] });
  });

  it('imports the share files of another device, whose key check value must come out', () => {
    const existing: DeviceSetupForm = { ...right, origin: 'existing', expectedKeyCheckValue: '4F0C 91D2 A7B3 5E68' };
    expect(checkDevice(existing).errors.shares[0]).toContain('Choose the file');
    const one = { ...freshShare, custodians: 'Ada\nBen\nCleo', ...shareFile('one') };
    expect(checkDevice({ ...existing, shares: [one, one] }).errors.shares[1]).toContain('there twice');
    expect(
      checkDevice({ ...existing, shares: [one], expectedKeyCheckValue: '4f0c' }).errors.keyCheckValue,
    ).toBeDefined();
    expect(checkDevice({ ...existing, shares: [one] }).choices?.dkek).toMatchObject({
      kind: 'shares',
      expectedKeyCheckValue: '4f0c91d2a7b35e68',
      shares: [{ source: 'file', fileName: 'one.pbe' }],
    });
  });

  it('says that without a DKEK there is never a backup', () => {
    expect(checkDevice({ ...right, dkek: 'none' }).will.join()).toContain('never be backed up');
    expect(checkDevice({ ...right, dkek: 'none', shares: [] }).choices?.dkek).toEqual({ kind: 'none' });
    expect(checkDevice({ ...right, dkek: 'random' }).choices?.dkek).toEqual({ kind: 'random' });
  });

  it('keeps what was typed when the number of shares changes', () => {
    const typed = { ...freshShare, custodians: 'Ada' };
    expect(resizeShares([typed], 3)).toEqual([typed, freshShare, freshShare]);
    expect(resizeShares([typed, freshShare], 1)).toEqual([typed]);
    expect(namesIn(' Ada \n\nBen')).toEqual(['Ada', 'Ben']);
  });
});

describe('a backup drill', () => {
  it('takes the first key and the first device with the same DKEK', () => {
    const { plan } = checkDrill(view, token, freshDrillForm(view, token, ''));
    expect(planSchema.parse(plan)).toMatchObject({ keyLabel: 'bank-vaults', target: { serial: secondDevice.serial } });
    expect(plan).not.toHaveProperty('reset');
  });

  it('wants a second device where none is there', () => {
    const alone = viewWithDevices({ tokens: [token] });
    const { plan, errors, reset } = checkDrill(alone, token, freshDrillForm(alone, token, ''));
    expect(plan).toBeUndefined();
    expect(drillErrorList(errors, reset)).toEqual(['Choose the second device.']);
  });

  it('on the device itself needs every share file, and says that it is erased', () => {
    const form = { ...freshDrillForm(view, token, 'release-signing'), target: token.serial };
    const missing = checkDrill(view, token, form);
    expect(missing.plan).toBeUndefined();
    expect(missing.reset?.errors.shares[0]).toContain('Choose the file');
    const whole = {
      ...form,
      reset: {
        ...form.reset,
        soPinHolder: 'Olga',
        shares: [{ ...freshShare, protection: 'password' as const, custodian: 'Ada', ...shareFile('one') }],
      },
    };
    const { plan, will } = checkDrill(view, token, whole);
    expect(planSchema.parse(plan)).toMatchObject({
      keyLabel: 'release-signing',
      reset: { dkek: { expectedKeyCheckValue: '4f0c91d2a7b35e68' } },
    });
    expect(will.join()).toContain('erased');
  });
});

describe('a clone', () => {
  it('says what goes over and what is there already', () => {
    expect(copiedInWords(token)).toEqual(['2 keys', '6 values and data objects', '1 certificate']);
    const { plan, will } = checkClone(view, token, { ...freshCloneForm, replace: true });
    expect(planSchema.parse(plan)).toMatchObject({ replace: true, target: { serial: secondDevice.serial } });
    expect(will.at(-1)).toContain('vault-unseal is erased');
    const full = {
      ...secondDevice,
      freeMemory: 3000,
      device: deviceView({ freeMemory: 3000 }),
      objects: [objectView({})],
    };
    const crowded = viewWithDevices({ tokens: [token, full] });
    expect(checkClone(crowded, token, freshCloneForm).warnings).toHaveLength(2);
  });

  it('wants a device with the same DKEK', () => {
    const alone = viewWithDevices({ tokens: [token] });
    expect(checkClone(alone, token, freshCloneForm)).toMatchObject({
      plan: undefined,
      errors: { target: 'Choose the second device.' },
    });
  });
});

describe('a change of PINs', () => {
  it('offers what the token can do as it stands', () => {
    expect(pinActsFor(token)).toEqual(['change-pin', 'unblock-pin', 'reset-pin', 'change-so-pin']);
    expect(pinActsFor(smartCardHsm({ device: deviceView({ pinTriesLeft: 0, options: [] }) }))).toEqual([
      'unblock-pin',
      'change-so-pin',
    ]);
    expect(pinActsFor(smartCardHsm({ device: deviceView({ soPinTriesLeft: 0 }) }))).toEqual(['change-pin']);
    expect(pinActsFor(tokenView())).toEqual(['change-pin', 'reset-pin', 'change-so-pin']);
    expect(pinActsFor(newDevice)).toEqual([]);
  });

  it('names who keeps it', () => {
    const form = freshPinChangeForm(token, 'unblock-pin', 'Olga');
    expect(planSchema.parse(checkPinChange(token, form).plan)).toMatchObject({
      act: 'unblock-pin',
      holder: 'Olga',
      smartCardHsm: true,
    });
    expect(checkPinChange(token, { ...form, holder: ' ' }).errors.holder).toBeDefined();
    expect(checkPinChange(tokenView(), form).errors.act).toBeDefined();
  });
});

describe('stored values', () => {
  it('are read out to one named person', () => {
    const form = { ...freshReadOutForm('vault-root'), custodian: 'Ben' };
    const { plan, warnings } = checkReadOut(token, form);
    expect(planSchema.parse(plan)).toMatchObject({
      valueLabel: 'vault-root',
      keyLabel: 'bank-vaults',
      custodian: 'Ben',
    });
    expect(warnings.join()).toContain('root token');
    expect(checkReadOut(token, { ...form, custodian: '' }).errors.custodian).toBeDefined();
    expect(checkReadOut(token, freshReadOutForm('gone')).errors.value).toBeDefined();
    expect(checkReadOut(smartCardHsm({ wrappingKeys: [] }), form).errors.key).toBeDefined();
  });

  it('are encrypted anew under a key that is another one and whole', () => {
    const form = freshRewrapForm(token, 'bank-vaults');
    expect(planSchema.parse(checkRewrap(token, form).plan)).toMatchObject({
      fromKeyLabel: 'bank-vaults',
      toKeyLabel: 'bank-vaults-2',
      removeOldKey: false,
    });
    expect(checkRewrap(token, { ...form, toKeyLabel: 'bank-vaults' }).errors.to).toContain('another');
    expect(checkRewrap(token, { ...form, toKeyLabel: '' }).errors.to).toBeDefined();
    expect(checkRewrap(smartCardHsm({ objects: [] }), form).errors.values).toContain('No value');
    const doubled = smartCardHsm({ objects: [...usualObjects, objectView({ valueKind: 'share' })] });
    expect(checkRewrap(doubled, form).errors.values).toContain('more than once');
  });
});

describe('a certificate', () => {
  const chosen = {
    fileName: 'web.pem',
    fileBase64: Buffer.from('certificate').toString('base64'),
    subject: 'O=Example, CN=web.example',
    notAfter: '2027-01-01T00:00:00Z',
    sha256: 'ef'.repeat(32),
  };
  const now = new Date('2026-11-22T00:00:00Z');

  it('takes its label from its subject and its id from a key', () => {
    expect(commonNameOf(chosen.subject)).toBe('web.example');
    expect(keysForCertificate(token).map((row) => row.id)).toEqual(['01', 'a7']);
    const form = { ...takeCertificate(freshCertificateForm, chosen), id: '01' };
    const { plan, expired } = checkCertificate(token, form, now);
    expect(planSchema.parse(plan)).toMatchObject({ certificateLabel: 'web.example', id: '01', fileName: 'web.pem' });
    expect(expired).toBe(false);
    expect(checkCertificate(token, form, new Date('2028-01-01')).expired).toBe(true);
  });

  it('takes the place of a key’s request on a SmartCard-HSM, which it says, and of no certificate', () => {
    const form = takeCertificate(freshCertificateForm, chosen);
    expect(checkCertificate(token, form, now)).toMatchObject({ requestLost: false, errors: {} });
    expect(checkCertificate(token, { ...form, id: '01' }, now)).toMatchObject({ requestLost: true, errors: {} });
    const over = checkCertificate(token, { ...form, id: 'a7' }, now);
    expect(over.requestLost).toBe(false);
    expect(over.errors.id).toContain('it has that of CN=Release signing,O=Example Ltd,C=DE.');
    expect(over.plan).toBeUndefined();
    // A software token keeps as many as it is given.
    expect(checkCertificate({ ...token, device: null }, { ...form, id: 'a7' }, now).errors).toEqual({});
  });

  it('is not stored twice under one name and id', () => {
    const form = { ...takeCertificate(freshCertificateForm, chosen), label: 'release-signing', id: 'a7' };
    expect(checkCertificate(token, form, now).errors.label).toContain('already');
    expect(checkCertificate(token, freshCertificateForm, now).errors).toMatchObject({
      file: 'Choose the certificate’s file.',
    });
  });
});
