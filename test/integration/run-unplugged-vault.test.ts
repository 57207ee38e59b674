/**
 * A device that keeps the shares of a Vault, pulled out of every step from the initialisation to the migration of the
 * seal, twice each. One Vault and one device through all of it, as the scenes follow one another.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import { createSecretInMemory } from '../fixtures/secret-in-memory.ts';
import { connectionsOf } from '../fixtures/run-desk.ts';
import { temporaryDirectory } from '../fixtures/run-harness.ts';
import { testPin } from '../fixtures/device-person.ts';
import { loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { runPkcs11Tool } from '../fixtures/smartcard-hsm/tools.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { openPullDesk, type PullDesk } from '../fixtures/unplugged/pull-through.ts';
import { scenesAt } from '../fixtures/unplugged/scenes.ts';
import { prepareDevices, type PreparedDevices } from '../fixtures/unplugged/stage.ts';
import { vaultByHand } from '../fixtures/vault-by-hand.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let readers: CardReaders;
let prepared: PreparedDevices;
let pulling: PullDesk;
let card: Card;
let vault: TestVault;
let sealing: TestVault;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const clusters = createSecretInMemory();

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  [prepared, vault, sealing, directory] = await Promise.all([
    prepareDevices(),
    startVaultServer(),
    startVaultServer({ storage: 'inmem' }),
    temporaryDirectory('unplugged-vault'),
  ]);
  card = loadCard(prepared.saved);
});

afterEach(async () => {
  card.unplug();
  await pulling.desk.close();
});

afterAll(async () => {
  await readers.stop();
  await Promise.all([vault.stop(), sealing.stop(), directory.dispose()]);
});

/** A value once more under its label, as bank-vaults or a person at a terminal may leave it. */
async function doubleValue(label: string): Promise<void> {
  const path = join(directory.path, 'value');
  const { tokens } = pulling.desk.harness;
  await writeFile(path, valueOf(await tokens.readData(prepared.things.token, label)));
  await tokens.closeAll();
  const written = await runPkcs11Tool([
    ...['--login', '--pin', testPin, '--write-object', path, '--type', 'data'],
    ...['--label', label, '--application-label', label],
  ]);
  expect(written.exitCode, written.output).toBe(0);
}

/** The same Vault under a seal by Transit of another one. */
async function sealByTransit(): Promise<void> {
  const byHand = vaultByHand(sealing);
  const { testShares, testRootToken } = await byHand.initialize(1, 1);
  await byHand.unseal(testShares);
  await byHand.call('PUT', 'sys/mounts/transit', { type: 'transit' }, testRootToken);
  await byHand.call('PUT', 'transit/keys/seal', {}, testRootToken);
  await vault.restart(`seal "transit" {
  address = "${sealing.address}"
  token = "${testRootToken}"
  key_name = "seal"
  mount_path = "transit"
  tls_ca_cert = "${sealing.caPath}"
}`);
}

const before: Readonly<Record<string, () => Promise<void>>> = {
  'an unseal from the device': () => vault.restart(),
  'an unseal from the Secret': () => vault.restart(),
  'a repair of doubled values': () => doubleValue('vault-unseal-0'),
  'a migration of the seal': sealByTransit,
};

const after: Readonly<Record<string, (run: RunSnapshot) => void>> = {
  'an initialisation': () => expect(pulling.desk.person.pieces.has('vault-unseal-2')).toBe(true),
  'an unseal from the device': (run) => expect(run.state.facts['sealedNodes']).toBe(0),
  'an unseal from the Secret': (run) => expect(run.state.facts['sealedNodes']).toBe(0),
  'a migration of the seal': (run) => expect(run.state.facts['sealType']).toBe('transit'),
};

test.each(scenesAt('vault'))('$name goes on each time', async ({ name, plan }) => {
  pulling = await openPullDesk((options) => ({ ...options, clusters }));
  await card.plugIn(0);
  await before[name]?.();
  const things = { ...prepared.things, connections: connectionsOf(vault) };
  const run = await pulling.pullThrough(plan(things), [{ card, reader: 0 }]);
  after[name]?.(run);
});
