import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import type { DeviceChoices } from '../workflows/device-plans.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { dkekSharesOf, readDkekShare } from './dkek-shares.ts';
import type { WrittenDkekShare } from './dkek-shares.ts';
import { addDkekOptions, addSoPinOptions, dkekShape, repeatable, soPinShape } from './options.ts';

const name = z.string().trim().min(1, 'needs a name').max(80, 'takes at most 80 characters').optional();

/** How a SmartCard-HSM is named. */
export const deviceShape = {
  module: z.string().min(1, 'needs the path of a PKCS#11 library').optional(),
  serial: z.string().min(1, 'needs a serial number').max(32, 'takes at most 32 characters').optional(),
};

export const targetShape = {
  target: z.string().min(1, 'needs a serial number').max(32, 'takes at most 32 characters').optional(),
};

/** What a SmartCard-HSM is asked at its initialisation. */
export const choicesShape = {
  ...soPinShape,
  ...dkekShape,
  factorySoPin: z.boolean().default(false),
  keepSoPin: z.boolean().default(false),
  soPinHolder: name,
  pinHolder: name,
  pinTries: z
    .string()
    .regex(/^(?:[1-9]|10)$/u, 'takes 1 to 10')
    .default('3')
    .transform(Number),
  allowReset: z.boolean().default(false),
  dkek: z.enum(['none', 'random'], 'takes none or random; shares are named with --dkek-share').optional(),
  dkekShare: z.array(z.string()).max(16, 'may be given 16 times at most').default([]),
  expectKeyCheck: z
    .string()
    .transform((text) => text.replaceAll(/[\s:]/gu, '').toLowerCase())
    .pipe(z.string().regex(/^[0-9a-f]{16}$/u, 'needs a key check value: 16 hex digits'))
    .optional(),
};

export type WrittenChoices = z.output<z.ZodObject<typeof choicesShape>>;

export function addDeviceOptions(command: Command): Command {
  return command
    .option('--module <path>', 'PKCS#11 library (default: OpenSC’s); kept in the settings once it has worked')
    .option('--serial <serial>', 'the device, by its serial number');
}

export function addChoicesOptions(command: Command): Command {
  return addDkekOptions(addSoPinOptions(command))
    .option('--factory-so-pin', 'the SO-PIN is still the one that every device leaves the factory with')
    .option('--keep-so-pin', 'leave the SO-PIN as it is (never the factory’s)')
    .option('--so-pin-holder <name>', 'who keeps the SO-PIN (default: --by)')
    .option('--pin-holder <name>', 'who keeps the PIN (default: --by)')
    .option('--pin-tries <n>', 'wrong PINs before it is blocked, 1 to 10 (default: 3; 5 wants 7 characters, more 8)')
    .option('--allow-reset', 'let the SO-PIN set a new PIN, not only unblock it')
    .option('--dkek <kind>', 'none: no backup, ever. random: on this device alone. Or name shares:')
    .addOption(
      new Option(
        '--dkek-share <share>',
        'once for each DKEK share: password:NAME, split:2:ADA,BEN,CLEO; file:PATH: before it for one that is there',
      ).argParser(repeatable),
    )
    .option('--expect-key-check <hex>', 'the key check value that the shares must give, 16 hex digits');
}

/** --dkek and --dkek-share as one choice; there is no default, since it cannot be changed without erasing the device. */
async function dkekOf(written: WrittenChoices): Promise<Result<DeviceChoices['dkek']>> {
  const shares: WrittenDkekShare[] = [];
  for (const text of written.dkekShare) {
    const share = readDkekShare(text);
    if (!share.ok) return share;
    shares.push(share.value);
  }
  if ((written.dkek === undefined) === (shares.length === 0)) {
    return failure(
      'App_BadRequest',
      'A device is set up with a DKEK or without one, and it cannot be changed later without erasing the device.',
      'Give --dkek none (no key can ever be backed up), --dkek random (not onto another device), or --dkek-share once for each share.',
    );
  }
  if (written.dkek !== undefined) return success({ kind: written.dkek });
  const plans = await dkekSharesOf(shares);
  if (!plans.ok) return plans;
  return success({ kind: 'shares', shares: plans.value, expectedKeyCheckValue: written.expectKeyCheck ?? '' });
}

/**
 * What the options choose.
 * @param by who acts, and keeps what no other name was given for
 * @param isNew the device was never initialised, so that the factory's SO-PIN is in force
 */
export async function choicesOf(written: WrittenChoices, by: string, isNew: boolean): Promise<Result<DeviceChoices>> {
  const dkek = await dkekOf(written);
  if (!dkek.ok) return dkek;
  return success({
    currentSoPin: written.factorySoPin || isNew ? 'factory' : 'typed',
    newSoPin: !written.keepSoPin,
    soPinHolder: written.soPinHolder ?? by,
    pinHolder: written.pinHolder ?? by,
    retryLimit: written.pinTries,
    allowPinResetWithSoPin: written.allowReset,
    dkek: dkek.value,
  });
}
