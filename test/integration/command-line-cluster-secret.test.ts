/** Unseal keys in a Secret from the command line: SoftHSM, a real Vault and a real API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CustodianDesk } from '../fixtures/custodian.ts';
import { encryptToWrappingKey } from '../../electron/runs/interpreter/wrapping.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { markerOf, markersIn, searchFiles } from '../fixtures/markers.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { createTestTokenPort, sealTestPin, valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

/** Test PINs: markers that no argument, environment, file or answer may hold. */
const testPin = 'test-pin-Pq61smarker';
const testSoPin = 'test-sopin-Nd35tmarker';
const markers = [markerOf('PIN', testPin), markerOf('SO-PIN', testSoPin)];

const answerSchema = z.object({ ok: z.boolean(), error: z.object({ code: z.string() }).loose().optional() }).loose();

let cluster: KubernetesServer;
let vault: TestVault;
let desk: CustodianDesk;
let onCluster: readonly string[];

async function ask(argumentList: readonly string[], secrets: Readonly<Record<number, string>> = {}) {
  const result = await desk.run([...argumentList, '--json', '--data-dir', desk.dataDirectory], secrets);
  for (const text of [result.stdout, result.stderr, result.processes]) expect(markersIn(text, markers)).toEqual([]);
  return { ...result, code: answerSchema.parse(JSON.parse(result.stdout)).error?.code ?? 'ok' };
}

const secretSchema = z.object({ data: z.record(z.string(), z.string()) });
const readValues = async (name: string): Promise<Readonly<Record<string, Buffer>>> => {
  const { data } = secretSchema.parse(JSON.parse(await cluster.arrange(['get', 'secret', name, '-o', 'json'])));
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
};

/** Writes values to the token beside the command line. */
async function writeBeside(labels: readonly string[]): Promise<Readonly<Record<string, Buffer>>> {
  const { port } = createTestTokenPort({
    modulePath: softHsmModulePath,
    softhsmConfiguration: desk.environment['SOFTHSM2_CONF'] ?? '',
  });
  try {
    const [listed] = await port.listTokens();
    const found = listed === undefined ? [] : valueOf(listed.result);
    const serial = found.find(({ label }) => label === 'office')?.serial ?? '';
    const token = { storeId: 'test', serial };
    valueOf(await port.login(token, await sealTestPin(port, 'test', serial, testPin), false));
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
    const written: Record<string, Buffer> = {};
    for (const label of labels) {
      const ciphertext = encryptToWrappingKey(key.publicKeySpki, Buffer.from(`test value of ${label}`));
      valueOf(await port.writeData(token, label, ciphertext));
      written[label] = Buffer.from(ciphertext);
    }
    return written;
  } finally {
    await port.closeAll();
  }
}

beforeAll(async () => {
  [cluster, vault] = await Promise.all([startKubernetes(), startVaultServer()]);
  desk = await makeDesk({ KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath });
  onCluster = ['--kubeconfig', await cluster.custodianKubeconfig(), '--label', 'office'];
  const made = await ask(['token', 'init', '--label', 'office', '--so-pin-fd', '3', '--pin-fd', '4'], {
    3: `${testSoPin}\n`,
    4: `${testPin}\n${testPin}\n`,
  });
  expect(made.code).toBe('ok');
});
afterAll(async () => {
  await desk.remove();
  await Promise.all([cluster.stop(), vault.stop()]);
});

describe('unseal keys in a Secret', () => {
  const pin = { 3: `${testPin}\n` };

  it('are put there by an initialisation, in bank-vaults’ form: raw RSA output under its names', async () => {
    const init = ['vault', 'init', '--name', 'prod', '--address', vault.address, '--ca-file', vault.caPath];
    const toSecret = ['--to-secret', 'default/vault-unseal-keys', ...onCluster, '--pin-fd', '3'];
    expect((await ask([...init, '--share-to', 'secret', '--shares', '1', '--threshold', '1'])).exitCode).toBe(2);
    const labelled = ['--secret-label', 'app.kubernetes.io/part-of=vault'];
    const done = await ask([...init, '--shares', '3', '--threshold', '2', ...toSecret, ...labelled], pin);
    expect(done.code).toBe('ok');
    const values = await readValues('vault-unseal-keys');
    expect(Object.keys(values).sort()).toEqual(['vault-root', 'vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2']);
    for (const value of Object.values(values)) expect(value).toHaveLength(256);
    const label = ['get', 'secret', '--selector=app.kubernetes.io/part-of=vault', '--output=name'];
    expect((await cluster.arrange(label)).trim()).toBe('secret/vault-unseal-keys');
  });

  it('unseal the Vault after a restart: from the Secret that is named, and from where they are known to be', async () => {
    await vault.restart();
    const fromSecret = ['--from-secret', 'default/vault-unseal-keys'];
    const unseal = ['vault', 'unseal', '--name', 'prod', ...onCluster, '--pin-fd', '3'];
    expect((await ask([...unseal, '--from-secret', 'default/other'], pin)).code).toBe('Cluster_NotFound');
    expect((await ask([...unseal, ...fromSecret], pin)).code).toBe('ok');
    await vault.restart();
    expect((await ask(unseal, pin)).code).toBe('ok');
  });

  it('are copied from a token as they are, once, and never replace others', async () => {
    const store = ['value', 'store', ...onCluster, '--pin-fd', '3'];
    expect((await ask([...store, '--to-secret', 'no-slash'])).exitCode).toBe(2);
    expect((await ask(store)).exitCode).toBe(2);
    const ciphertexts = await writeBeside(['vault-unseal-0', 'vault-unseal-1']);
    expect((await ask([...store, '--to-secret', 'default/copied'], pin)).code).toBe('ok');
    expect(await readValues('copied')).toEqual(ciphertexts);
    expect((await ask([...store, '--to-secret', 'default/vault-unseal-keys'], pin)).code).toBe('Cluster_ValueExists');
  });

  it('and PINs are in no file of the desk', async () => {
    const { read, found } = await searchFiles(desk.directory, markers);
    expect(read).toBeGreaterThan(5);
    expect(found).toEqual([]);
  });
});
