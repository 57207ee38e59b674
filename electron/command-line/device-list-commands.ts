import type { Command } from 'commander';
import type { DeviceDescription, DkekState } from '../workflows/device-ports.ts';
import { pgpWordsOfHex } from '../workflows/pgp-words.ts';
import { chooseDevice, findDevices } from './chosen-device.ts';
import type { ChosenDevice } from './chosen-device.ts';
import { storeOf } from './chosen-token.ts';
import { addDeviceOptions, deviceShape } from './device-options.ts';
import { addCommonOptions } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { failureText } from './print-outcome.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';
import { wordLines } from './transcript-text.ts';

const pinWords: Readonly<Record<DeviceDescription['pinState'], string>> = {
  set: 'set',
  'not-initialized': 'not set',
  locked: 'LOCKED',
  transport: 'transport PIN',
};

function triesText(state: DeviceDescription['pinState'], triesLeft: number): string {
  if (state !== 'set') return pinWords[state];
  if (triesLeft < 0) return 'set';
  return triesLeft === 1 ? 'ONE TRY LEFT' : `${String(triesLeft)} tries left`;
}

function dkekText({ kind, shares, outstanding, keyCheckValue }: DkekState): string {
  if (kind === 'none') return 'none';
  if (kind === 'awaiting-shares') return `${String(outstanding)} of ${String(shares)} shares missing`;
  return shares === 0 ? `random ${keyCheckValue}` : keyCheckValue;
}

const memoryText = (bytes: number): string => (bytes < 0 ? '–' : `${String(Math.floor(bytes / 1024))} kB`);

function deviceValue({ store, device, slotId }: ChosenDevice): Record<string, unknown> {
  return {
    serial: device.serial,
    label: device.label,
    firmwareVersion: device.firmwareVersion,
    freeMemory: device.freeMemory < 0 ? null : device.freeMemory,
    pinState: device.pinState,
    pinTriesLeft: device.pinTriesLeft < 0 ? null : device.pinTriesLeft,
    soPinState: device.soPinState,
    soPinTriesLeft: device.soPinTriesLeft < 0 ? null : device.soPinTriesLeft,
    dkek: { ...device.dkek, keyCheckWords: pgpWordsOfHex(device.dkek.keyCheckValue) },
    options: device.options,
    readerName: device.readerName,
    slotId: slotId ?? null,
    storeId: store.id,
    modulePath: store.modulePath,
  };
}

async function listDevices(session: Session, modulePath: string | undefined): Promise<CommandOutcome> {
  const store = await storeOf(session.core, modulePath);
  if (!store.ok) return failed(store.error);
  session.progress.begin('Looking for devices');
  const { devices, problems } = await findDevices(session.core, store.value);
  session.progress.end();
  const value = { devices: devices.map(deviceValue), problems: problems.map(({ error }) => error) };
  const [problem] = problems;
  if (devices.length === 0 && problem !== undefined) return failed(problem.error, { value });
  const rows = devices.map(({ device, slotId }) => [
    device.pinState === 'not-initialized' ? '(not initialised)' : device.label,
    device.serial,
    device.firmwareVersion,
    memoryText(device.freeMemory),
    triesText(device.pinState, device.pinTriesLeft),
    triesText(device.soPinState, device.soPinTriesLeft),
    dkekText(device.dkek),
    slotId === undefined ? '–' : String(slotId),
    device.readerName,
  ]);
  const text =
    devices.length === 0
      ? 'No SmartCard-HSM (Nitrokey HSM) is in a reader.'
      : tableLines(
          ['LABEL', 'SERIAL', 'FIRMWARE', 'FREE', 'PIN', 'SO-PIN', 'DKEK', 'SLOT', 'READER'],
          rows,
          session.style,
        ).join('\n');
  return done(value, [text, ...problems.map(({ error }) => failureText(error, session.style))].join('\n\n'));
}

function dkekLines({ kind, shares, outstanding, keyCheckValue }: DkekState): readonly string[] {
  if (kind === 'none')
    return ['No DKEK: no key on this device can be backed up or copied. Only erasing it could change that.'];
  if (kind === 'awaiting-shares')
    return [
      `${String(outstanding)} of ${String(shares)} DKEK shares are missing. No key can be made before all are imported.`,
    ];
  return [
    shares === 0
      ? 'A random DKEK: wrapped keys go back onto this device alone.'
      : `The DKEK is complete, of ${String(shares)} ${shares === 1 ? 'share' : 'shares'}.`,
    `Key check value ${keyCheckValue}`,
    ...wordLines(pgpWordsOfHex(keyCheckValue)).map((line) => `  ${line}`),
  ];
}

async function dkekStatus(
  session: Session,
  wish: { readonly module?: string | undefined; readonly serial?: string | undefined },
): Promise<CommandOutcome> {
  session.progress.begin('Looking for devices');
  const chosen = await chooseDevice(session.core, wish);
  session.progress.end();
  if (!chosen.ok) return chosen.error.code === 'App_BadRequest' ? misused(chosen.error) : failed(chosen.error);
  const { device } = chosen.value;
  return done(
    deviceValue(chosen.value),
    [`${device.label}, serial ${device.serial}`, ...dkekLines(device.dkek)].join('\n'),
  );
}

/** `custodian device list` and `custodian device dkek-status`. */
export function addDeviceListCommands(parent: Command, registry: Registry): void {
  const list = parent
    .command('list')
    .description('list SmartCard-HSMs (Nitrokey HSM): serial, firmware, free memory, tries left, DKEK, reader')
    .option('--module <path>', 'only those behind this PKCS#11 library');
  addCommonOptions(list);
  answersQuestion(list, registry, { module: deviceShape.module }, (session, { module }) =>
    listDevices(session, module),
  );

  const status = parent
    .command('dkek-status')
    .description('say whether a device has a DKEK, which shares are missing, and its key check value in words');
  addDeviceOptions(addCommonOptions(status));
  answersQuestion(status, registry, deviceShape, (session, options) => dkekStatus(session, options));
}
