import type { Core } from '../core/core.ts';
import type { DeviceDescription } from '../workflows/device-ports.ts';
import type { TokenOfPlan } from '../workflows/device-plans.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import type { TokenStore } from '../workflows/ports.ts';
import { storeOf } from './chosen-token.ts';

export interface ChosenDevice {
  readonly store: TokenStore;
  readonly device: DeviceDescription;
  /** Of its PKCS#11 token; undefined where the library takes it for none yet. */
  readonly slotId: number | undefined;
}

export interface FoundDevices {
  readonly devices: readonly ChosenDevice[];
  /** Stores that could not be asked. */
  readonly problems: readonly { readonly store: TokenStore; readonly error: Failure }[];
}

/** Every SmartCard-HSM behind every store, or one; each once, with the slot that the store's library gives it. */
export async function findDevices(core: Core, store: TokenStore | undefined): Promise<FoundDevices> {
  const devices: ChosenDevice[] = [];
  const problems: { readonly store: TokenStore; readonly error: Failure }[] = [];
  for (const entry of await core.tokens.listTokens()) {
    if (store === undefined ? entry.store.rehearsal : entry.store.id !== store.id) continue;
    const listed = await core.devices.listDevices(entry.store.id);
    if (!listed.ok) {
      problems.push({ store: entry.store, error: listed.error });
      continue;
    }
    const tokens = entry.result.ok ? entry.result.value : [];
    for (const device of listed.value) {
      const slotId = tokens.find(({ serial }) => serial === device.serial)?.slotId;
      const known = devices.findIndex((one) => one.device.serial === device.serial);
      const found = { store: entry.store, device, slotId };
      // The store whose library shows it as a token is the one through which it is used.
      if (known === -1) devices.push(found);
      else if (devices[known]?.slotId === undefined && slotId !== undefined) devices[known] = found;
    }
  }
  return { devices, problems };
}

/** How a device is named in a plan. */
export const planned = ({ store, device }: ChosenDevice): TokenOfPlan => ({
  storeId: store.id,
  serial: device.serial,
  label: device.label,
});

/**
 * One SmartCard-HSM, by serial, or the only one there is. Never guessed among several: a PIN given to the wrong
 * device burns one of its tries.
 */
export async function chooseDevice(
  core: Core,
  wish: { readonly module?: string | undefined; readonly serial?: string | undefined },
): Promise<Result<ChosenDevice>> {
  const store = await storeOf(core, wish.module);
  if (!store.ok) return store;
  const { devices, problems } = await findDevices(core, store.value);
  const candidates = devices.filter(({ device }) => wish.serial === undefined || device.serial === wish.serial);
  const [first, second] = candidates;
  if (first === undefined) {
    const [problem] = problems;
    if (problem !== undefined) return { ok: false, error: problem.error };
    return failure(
      'Token_NotFound',
      wish.serial === undefined
        ? 'There is no SmartCard-HSM (Nitrokey HSM) in a reader.'
        : 'No SmartCard-HSM with that serial is in a reader.',
      'See what there is with: custodian device list.',
    );
  }
  if (second !== undefined) {
    return failure(
      'App_BadRequest',
      `${String(candidates.length)} devices could be meant: ${candidates.map(({ device }) => `${device.label} (${device.serial})`).join(', ')}.`,
      'Name one with --serial.',
    );
  }
  return success(first);
}
