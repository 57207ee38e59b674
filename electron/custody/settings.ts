/**
 * The settings file: preferences, known servers, added modules. No secret is ever in it. Written whole,
 * fsynced, renamed into place; a damaged file is set aside, never overwritten.
 */
import { rename } from 'node:fs/promises';
import { z } from 'zod';
import type { KnownVault, Preferences, SettingsStore } from '../core/core.ts';
import type { CustodyFailureCode, Failure, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import { sharesInSecretSchema } from '../workflows/cluster-plans.ts';
import { allowanceSchema } from '../workflows/cluster-ports.ts';
import { vaultTrustSchema } from '../workflows/vault-connection.ts';
import { readIfPresent, writeDurably, writeFailure } from './durable-file.ts';

const preferencesSchema = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']),
  lockAfterMinutes: z.number().int().min(1).max(240),
  operatorName: z.string().max(80),
});

const vaultSchema = z.strictObject({
  id: z.string().min(1).max(80),
  name: z.string().min(1).max(80),
  addresses: z.array(z.string().min(1).max(2048)).min(1).max(32),
  trust: vaultTrustSchema,
  rehearsal: z.boolean(),
  tokenStoreId: z.string().max(80),
  tokenSerial: z.string().max(32),
  keyLabel: z.string().max(255),
  secret: sharesInSecretSchema.optional(),
});

const moduleSchema = z.strictObject({
  id: z.string().min(1).max(80),
  name: z.string().min(1).max(80),
  modulePath: z.string().min(1).max(4096),
});

const settingsSchema = z.strictObject({
  version: z.literal(1),
  preferences: preferencesSchema,
  vaults: z.array(vaultSchema).max(1000),
  modules: z.array(moduleSchema).max(100),
  /** Missing in files of before there were clusters. */
  allowances: z.array(allowanceSchema).max(1000).default([]),
});

interface SettingsContent {
  readonly version: 1;
  readonly preferences: Preferences;
  readonly vaults: readonly KnownVault[];
  readonly modules: SettingsStore['modules'];
  readonly allowances: SettingsStore['allowances'];
}

const defaults: SettingsContent = {
  version: 1,
  preferences: { theme: 'system', lockAfterMinutes: 10, operatorName: '' },
  vaults: [],
  modules: [],
  allowances: [],
};

function parse(bytes: Uint8Array): SettingsContent | undefined {
  try {
    const parsed = settingsSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

async function setAside(path: string): Promise<Result<Failure, CustodyFailureCode>> {
  const asidePath = path.replace(/\.json$/u, `.damaged-${new Date().toISOString().replaceAll(':', '')}.json`);
  try {
    await rename(path, asidePath);
  } catch (cause) {
    return writeFailure('The settings file', cause);
  }
  return success(
    failure(
      'Custody_SettingsDamaged',
      'The settings file was damaged. It was set aside and the settings are as on the first start.',
      'Add your Vault servers and modules again, or repair the file that was set aside and put it back while the app is closed.',
      { setAside: asidePath },
    ).error,
  );
}

/**
 * Reads the settings, or starts with defaults.
 * @returns Custody_ReadFailed where the file is there and cannot be read; a damaged file is no failure
 * but the store's `problem`
 */
export async function openSettings(path: string): Promise<Result<SettingsStore, CustodyFailureCode>> {
  const read = await readIfPresent(path, 'The settings file');
  if (!read.ok) return read;
  let content = read.value === undefined ? defaults : parse(read.value);
  let problem: Failure | undefined;
  if (content === undefined) {
    const aside = await setAside(path);
    if (!aside.ok) return aside;
    problem = aside.value;
    content = defaults;
  }
  let current: SettingsContent = content;
  const listeners = new Set<() => void>();
  let last: Promise<unknown> = Promise.resolve();

  /** One change after the other; what is on disk and what is in force stay the same. */
  const change = (make: (from: SettingsContent) => SettingsContent): Promise<Result<Record<string, never>>> => {
    const done = last.then(async (): Promise<Result<Record<string, never>>> => {
      const next = make(current);
      if (!settingsSchema.safeParse(next).success) {
        return failure('App_BadRequest', 'These settings are not valid.', 'Check the fields and try again.');
      }
      const written = await writeDurably(
        path,
        'The settings file',
        Buffer.from(`${JSON.stringify(next, null, 2)}\n`, 'utf8'),
      );
      if (!written.ok) return written;
      current = next;
      for (const listener of listeners) listener();
      return success({});
    });
    last = done;
    return done;
  };

  return success({
    get preferences() {
      return current.preferences;
    },
    get vaults() {
      return current.vaults;
    },
    get modules() {
      return current.modules;
    },
    get allowances() {
      return current.allowances;
    },
    get problem() {
      return problem;
    },
    changePreferences: (preferences) => change((from) => ({ ...from, preferences })),
    addVault: (vault) =>
      change((from) => ({ ...from, vaults: [...from.vaults.filter(({ id }) => id !== vault.id), vault] })),
    changeVault: (vault) =>
      change((from) => ({ ...from, vaults: from.vaults.map((known) => (known.id === vault.id ? vault : known)) })),
    removeVault: (id) => change((from) => ({ ...from, vaults: from.vaults.filter((vault) => vault.id !== id) })),
    addModule: (module) =>
      change((from) => ({ ...from, modules: [...from.modules.filter(({ id }) => id !== module.id), module] })),
    allow: (allowances) =>
      change((from) => ({
        ...from,
        allowances: [
          ...from.allowances.filter(
            ({ kind, path, detail }) =>
              !allowances.some((one) => one.kind === kind && one.path === path && one.detail === detail),
          ),
          ...allowances,
        ],
      })),
    removeModule: (id) => change((from) => ({ ...from, modules: from.modules.filter((module) => module.id !== id) })),
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  });
}
