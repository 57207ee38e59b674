/** What is set up in Vault for a KMS plugin, and a seal migration, from the command line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { makeDesk, type CustodianDesk } from '../fixtures/custodian.ts';
import { inputOf, transit } from '../fixtures/recipes.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let vault: TestVault;
let byHand: ByHand;
let desk: CustodianDesk;
let testRootToken = '';
let recipe = '';

beforeAll(async () => {
  vault = await startVaultServer({ storage: 'inmem' });
  byHand = vaultByHand(vault);
  const initialized = await byHand.initialize(1, 1);
  testRootToken = initialized.testRootToken;
  await byHand.unseal(initialized.testShares);
  desk = await makeDesk();
  recipe = join(desk.directory, 'kms.json');
  // A log-in by certificate is Vault's own matter: no cluster is asked.
  await writeFile(recipe, JSON.stringify(inputOf('kms-plugin', { backend: { ...transit, login: 'certificate' } })));
});
afterAll(async () => {
  await desk.remove();
  await vault.stop();
});

const answerSchema = z.object({ ok: z.boolean(), error: z.object({ code: z.string() }).loose().optional() });

async function ask(
  words: readonly string[],
  secrets: Readonly<Record<number, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly code: string; readonly said: string }> {
  const where = ['--address', vault.address, '--ca-file', vault.caPath, '--data-dir', desk.dataDirectory, '--json'];
  const result = await desk.run(['vault', ...words, ...where], secrets);
  const answer = answerSchema.parse(JSON.parse(result.stdout));
  const said = `${result.stdout}${result.stderr}${result.processes}`;
  return { exitCode: result.exitCode, code: answer.error?.code ?? 'ok', said };
}

it('makes the key and the policy with a token from a descriptor, which is seen nowhere', async () => {
  expect(await ask(['setup-transit', recipe, '--pin-fd', '3'], { 3: 'hvs.not-one\n' })).toMatchObject({
    exitCode: 1,
    code: 'Vault_PermissionDenied',
  });
  const made = await ask(['setup-transit', recipe, '--pin-fd', '3'], { 3: `${testRootToken}\n` });
  expect(made).toMatchObject({ exitCode: 0, code: 'ok' });
  expect(made.said).not.toContain(testRootToken);
  expect(await byHand.call('GET', `${transit.mount}/keys/${transit.key}`, {}, testRootToken)).toMatchObject({
    data: { type: 'aes256-gcm96', exportable: false },
  });
  expect(await byHand.call('GET', `sys/policies/acl/${transit.policy}`, {}, testRootToken)).toMatchObject({
    data: { name: transit.policy },
  });
});

it('says which recipe it wants', async () => {
  const other = join(desk.directory, 'softhsm.json');
  await writeFile(other, JSON.stringify(inputOf('kms-plugin')));
  expect(await ask(['setup-transit', other])).toMatchObject({ exitCode: 2, code: 'App_BadRequest' });
  expect(await ask(['setup-transit'])).toMatchObject({ exitCode: 2, code: 'App_BadRequest' });
});

it('migrates no seal of a Vault that does not wait for it, nor without its name', async () => {
  const migrate = ['migrate-seal', '--to', 'transit', '--from', 'typed:Ada', '--share-fd', '3'];
  expect(await ask([...migrate, '--confirm', 'another'], { 3: 'x\n' })).toMatchObject({
    code: 'Custody_ConfirmationMismatch',
  });
  const name = new URL(vault.address).host;
  expect(await ask([...migrate, '--confirm', name], { 3: 'x\n' })).toMatchObject({
    exitCode: 1,
    code: 'Vault_MigrationNotOffered',
  });
  expect(await ask(['migrate-seal', '--to', 'elsewhere'])).toMatchObject({ exitCode: 2 });
});
