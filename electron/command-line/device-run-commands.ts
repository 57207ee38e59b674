import type { Command } from 'commander';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import type { TokenObject } from '../workflows/device-ports.ts';
import type { BackupDrillPlan, DeviceClonePlan, TokenResetPlan } from '../workflows/device-plans.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { TokenSetupPlan } from '../workflows/plans.ts';
import { chooseDevice, planned } from './chosen-device.ts';
import type { ChosenDevice } from './chosen-device.ts';
import {
  addChoicesOptions,
  addDeviceOptions,
  choicesOf,
  choicesShape,
  deviceShape,
  targetShape,
} from './device-options.ts';
import type { WrittenChoices } from './device-options.ts';
import { addKeyOptions, addRunOptions, addSoPinOptions, keyShape, keyWish, runShape, soPinShape } from './options.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { RunCommand } from './run-command.ts';

type Facts = Parameters<RunCommand['summary']>[0];

const fact = (facts: Facts, name: string): string => String(facts[name] ?? '');

const setUpShape = {
  ...runShape,
  ...deviceShape,
  ...keyShape,
  ...choicesShape,
  label: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').default('key-custodian'),
};

async function setUpPlan(
  core: Core,
  by: string,
  wish: z.output<z.ZodObject<typeof setUpShape>>,
): Promise<Result<TokenSetupPlan>> {
  const chosen = await chooseDevice(core, wish);
  if (!chosen.ok) return chosen;
  const { store, device, slotId } = chosen.value;
  const isNew = device.pinState === 'not-initialized';
  const choices = await choicesOf(wish, by, isNew);
  if (!choices.ok) return choices;
  return success({
    workflow: 'token-setup',
    rehearsal: store.rehearsal,
    storeId: store.id,
    storeName: store.name,
    slotId: slotId ?? 0,
    expectedSerial: device.serial,
    initialize: true,
    currentLabel: isNew ? '' : device.label,
    label: wish.label,
    keyLabel: wish.keyLabel,
    ...keyWish(wish),
    device: choices.value,
  });
}

function addSetUp(parent: Command, registry: Registry): void {
  const command = parent
    .command('set-up')
    .description('initialise a device (erases it) with its PINs and DKEK, and make the wrapping key pair')
    .option('--label <label>', 'what the device is called from now on, up to 32 bytes (default: key-custodian)');
  addRunOptions(addChoicesOptions(addKeyOptions(addDeviceOptions(command))));
  addRunAction(command, registry, setUpShape, (options) =>
    success({
      options,
      workflow: 'token-setup',
      plan: ({ core, by }) => setUpPlan(core, by, options),
      summary: (facts) =>
        [
          `The device is ready: serial ${fact(facts, 'serial')}, key “${fact(facts, 'keyLabel')}”.`,
          facts['keyCheckValue'] === undefined
            ? 'It has no DKEK of shares: no key on it can be brought onto another device.'
            : `Note its DKEK’s key check value: ${fact(facts, 'keyCheckValue')}. Keep share files and passwords apart, and prove the backup with: custodian device drill.`,
        ].join('\n'),
    }),
  );
}

const drillShape = {
  ...runShape,
  ...targetShape,
  ...deviceShape,
  ...choicesShape,
  keyLabel: keyShape.keyLabel,
};

/** How the same device is set up again in the middle of a drill: its PINs anew, its DKEK from its share files. */
async function resetOf(
  written: WrittenChoices,
  by: string,
  { device }: ChosenDevice,
): Promise<Result<BackupDrillPlan['reset']>> {
  const { keyCheckValue } = device.dkek;
  const choices = await choicesOf({ ...written, expectKeyCheck: written.expectKeyCheck ?? keyCheckValue }, by, false);
  if (!choices.ok) return choices;
  return success({ ...choices.value, newSoPin: false, currentSoPin: 'typed' });
}

async function drillPlan(
  core: Core,
  by: string,
  wish: z.output<z.ZodObject<typeof drillShape>>,
): Promise<Result<BackupDrillPlan>> {
  if (wish.target === undefined) {
    return failure(
      'App_BadRequest',
      'A drill needs to know where the wrapped key is tried.',
      'Name another device with the same DKEK: --target SERIAL. The same serial as --serial erases the device in between.',
    );
  }
  const source = await chooseDevice(core, wish);
  if (!source.ok) return source;
  const target = await chooseDevice(core, { module: wish.module, serial: wish.target });
  if (!target.ok) return target;
  const plan = {
    workflow: 'backup-drill',
    rehearsal: source.value.store.rehearsal,
    token: planned(source.value),
    keyLabel: wish.keyLabel,
    target: planned(target.value),
  } as const;
  if (target.value.device.serial !== source.value.device.serial) return success(plan);
  const reset = await resetOf(wish, by, source.value);
  if (!reset.ok) return reset;
  return success(reset.value === undefined ? plan : { ...plan, reset: reset.value });
}

function addDrill(parent: Command, registry: Registry): void {
  const command = parent
    .command('drill')
    .description('prove a key’s backup: wrap it, unwrap it on another device, and decrypt the same on both')
    .option('--target <serial>', 'the other device, with the same DKEK; the same one is erased in between')
    .option('--key-label <label>', 'label of the wrapping key pair (default: bank-vaults)');
  addRunOptions(addChoicesOptions(addDeviceOptions(command)));
  addRunAction(command, registry, drillShape, (options) =>
    success({
      options,
      workflow: 'backup-drill',
      plan: ({ core, by }) => drillPlan(core, by, options),
      summary: (facts) =>
        `The backup is proven: ${fact(facts, 'provenOn')} decrypt the same test ciphertext (SHA-256 ${fact(facts, 'testCiphertextSha256')}).`,
    }),
  );
}

const cloneShape = { ...runShape, ...deviceShape, ...soPinShape, ...targetShape };

async function clonePlan(
  core: Core,
  wish: z.output<z.ZodObject<typeof cloneShape>>,
  replace: boolean,
): Promise<Result<DeviceClonePlan>> {
  if (wish.target === undefined)
    return failure(
      'App_BadRequest',
      'A clone needs a second device.',
      'Name it with --target SERIAL; it needs the same DKEK. See: custodian device list.',
    );
  const source = await chooseDevice(core, wish);
  if (!source.ok) return source;
  const target = await chooseDevice(core, { module: wish.module, serial: wish.target });
  if (!target.ok) return target;
  return success({
    workflow: 'device-clone',
    rehearsal: source.value.store.rehearsal,
    token: planned(source.value),
    target: planned(target.value),
    replace,
  });
}

function addClone(parent: Command, registry: Registry, replace: boolean): void {
  const command = parent
    .command(replace ? 'replace' : 'clone')
    .description(
      replace
        ? 'copy everything to another device with the same DKEK, prove it there, and erase the first'
        : 'copy every key, certificate and data object to another device with the same DKEK',
    )
    .option('--target <serial>', 'the device that everything goes to');
  addRunOptions(addDeviceOptions(replace ? addSoPinOptions(command) : command));
  addRunAction(command, registry, cloneShape, (options) =>
    success({
      options,
      workflow: 'device-clone',
      plan: ({ core }) => clonePlan(core, options, replace),
      summary: (facts) =>
        `Copied and proven: ${fact(facts, 'keysProven')} keys; ${fact(facts, 'objectsCompared')} objects compared.${replace ? ' The first device is erased.' : ''}`,
    }),
  );
}

const resetShape = { ...runShape, ...deviceShape, ...soPinShape };

function lossOf({ objectClass, label, id, kind, bits }: TokenObject): string | undefined {
  const name = label === '' ? id : label;
  if (objectClass === 'private-key' || objectClass === 'public-key')
    return `Key pair “${name}”${kind === '' ? '' : `, ${kind}${bits === 0 ? '' : ` ${String(bits)}`}`}`;
  if (objectClass === 'secret-key') return `Secret key “${name}”`;
  if (objectClass === 'certificate') return `Certificate “${name}”`;
  return objectClass === 'data' ? `Data object “${name}”` : undefined;
}

async function resetPlan(core: Core, wish: z.output<z.ZodObject<typeof resetShape>>): Promise<Result<TokenResetPlan>> {
  const chosen = await chooseDevice(core, wish);
  if (!chosen.ok) return chosen;
  const { store, device, slotId } = chosen.value;
  // What can be seen without the PIN; keys show by their public halves.
  const listed = await core.objects.listAllObjects({ storeId: store.id, serial: device.serial });
  const losses = listed.ok ? listed.value.objects.map(lossOf).filter((loss) => loss !== undefined) : [];
  return success({
    workflow: 'token-reset',
    rehearsal: store.rehearsal,
    token: planned(chosen.value),
    slotId: slotId ?? 0,
    smartCardHsm: true,
    losses: [
      ...new Set(losses),
      'Every key and object that shows only after a login',
      ...(device.dkek.kind === 'none'
        ? []
        : ['Its DKEK: wrapped keys can come back only after its shares are imported']),
    ].slice(0, 300),
  });
}

function addReset(parent: Command, registry: Registry): void {
  const command = parent
    .command('reset')
    .description('erase a device for good; needs its SO-PIN, and its serial typed');
  addRunOptions(addSoPinOptions(addDeviceOptions(command)));
  addRunAction(command, registry, resetShape, (options) =>
    success({
      options,
      workflow: 'token-reset',
      plan: ({ core }) => resetPlan(core, options),
      summary: (facts) => `The device with serial ${fact(facts, 'serial')} is erased. It has no DKEK now.`,
    }),
  );
}

/** `custodian device set-up`, `drill`, `clone`, `replace` and `reset`. */
export function addDeviceRunCommands(parent: Command, registry: Registry): void {
  addSetUp(parent, registry);
  addDrill(parent, registry);
  addClone(parent, registry, false);
  addClone(parent, registry, true);
  addReset(parent, registry);
}
