import { describe, expect, it } from 'vitest';
import { choicesOf } from '../../electron/command-line/device-options.ts';
import type { WrittenChoices } from '../../electron/command-line/device-options.ts';
import { dkekSharesOf, readDkekShare } from '../../electron/command-line/dkek-shares.ts';
import { findSecretArgument } from '../../electron/command-line/refuse-secrets.ts';
import { deviceChoicesSchema } from '../../electron/workflows/device-plans.ts';

describe('a DKEK share on the command line', () => {
  const split = { kind: 'split', threshold: 2, custodians: ['Ada', 'Ben', 'Cleo Carter'] };
  it.each([
    ['password:Ada Lovelace', { path: '', protection: { kind: 'password', custodian: 'Ada Lovelace' } }],
    ['split:2:Ada, Ben,Cleo Carter', { path: '', protection: split }],
    [
      'file:/media/one.pbe:password:Ada',
      { path: '/media/one.pbe', protection: { kind: 'password', custodian: 'Ada' } },
    ],
    ['file:C:/a:b.pbe:split:2:Ada,Ben,Cleo Carter', { path: 'C:/a:b.pbe', protection: split }],
  ])('is read from %s', (text, written) => {
    expect(readDkekShare(text)).toEqual({ ok: true, value: written });
  });

  it.each([
    '',
    'password:',
    'password',
    'split:2:Ada,Ben',
    'split:1:Ada,Ben,Cleo',
    'split:4:Ada,Ben,Cleo',
    'split:2:Ada,,Cleo',
    'file:password:Ada',
    'file:/one.pbe',
    'file:/one.pbe:password:',
    `password:${'x'.repeat(81)}`,
  ])('is refused as “%s”', (text) => {
    expect(readDkekShare(text)).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
  });

  it('from a file that is none is refused before a device is asked for anything', async () => {
    const protection = { kind: 'password', custodian: 'Ada' } as const;
    expect(await dkekSharesOf([{ path: import.meta.filename, protection }])).toMatchObject({
      ok: false,
      error: { code: 'Device_ShareFileInvalid' },
    });
    expect(await dkekSharesOf([{ path: '/nowhere/share.pbe', protection }])).toMatchObject({
      ok: false,
      error: { code: 'App_BadRequest' },
    });
  });
});

describe('what a device is set up with', () => {
  const written: WrittenChoices = {
    factorySoPin: false,
    keepSoPin: false,
    pinTries: 3,
    allowReset: false,
    dkekShare: ['password:Ada'],
  };

  it('is what was chosen, and the person’s own name where no other was given', async () => {
    const choices = await choicesOf({ ...written, soPinHolder: 'Sofia' }, 'Paul', true);
    if (!choices.ok) throw new Error(choices.error.message);
    expect(deviceChoicesSchema.parse(choices.value)).toEqual({
      currentSoPin: 'factory',
      newSoPin: true,
      soPinHolder: 'Sofia',
      pinHolder: 'Paul',
      retryLimit: 3,
      allowPinResetWithSoPin: false,
      dkek: {
        kind: 'shares',
        shares: [{ source: 'new', protection: { kind: 'password', custodian: 'Ada' } }],
        expectedKeyCheckValue: '',
      },
    });
    expect(await choicesOf({ ...written, keepSoPin: true }, 'Paul', false)).toMatchObject({
      ok: true,
      value: { currentSoPin: 'typed', newSoPin: false },
    });
  });

  it('has no DKEK by default: that is chosen', async () => {
    const unsaid = await choicesOf({ ...written, dkekShare: [] }, 'Paul', true);
    expect(unsaid).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
    expect(unsaid.ok ? '' : unsaid.error.next).toContain('no key can ever be backed up');
    expect(await choicesOf({ ...written, dkek: 'none' }, 'Paul', true)).toMatchObject({ ok: false });
    expect(await choicesOf({ ...written, dkekShare: [], dkek: 'random' }, 'Paul', true)).toMatchObject({
      ok: true,
      value: { dkek: { kind: 'random' } },
    });
  });

  it('names nobody’s secret: holders, tries and descriptors pass, PINs and passwords do not', () => {
    expect(
      findSecretArgument(['--so-pin-holder', 'Sofia', '--pin-holder', 'Paul', '--pin-tries', '5', '--dkek-fd', '3']),
    ).toBeUndefined();
    for (const argument of ['--pin=1', '--so-pin', '--password', '--new-pin=1', '--share=x'])
      expect(findSecretArgument([argument])).toMatchObject({ code: 'App_BadRequest' });
  });
});
