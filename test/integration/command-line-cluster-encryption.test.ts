/** Encryption at rest from the command line: a real API server and etcd, and a KMS v2 plugin that stands in for one. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { CustodianDesk } from '../fixtures/custodian.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { startKmsPlugin, type KmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { yamlAfter } from '../servers/kubernetes-rights.ts';

let cluster: KubernetesServer;
let desk: CustodianDesk;
let plugin: KmsPlugin | undefined;

beforeAll(async () => {
  cluster = await startKubernetes({ kubelet: true });
  desk = await makeDesk({ KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath });
});
afterAll(async () => {
  await plugin?.stop();
  await desk.remove();
  await cluster.stop();
});

it('is told apart from none, counted, and brought to what was written before', async () => {
  const kubeconfig = await cluster.custodianKubeconfig();
  const { address, caPath, certificatePath, keyPath } = cluster.etcd;
  const etcd = ['--etcd', address, '--etcd-ca', caPath, '--etcd-cert', certificatePath, '--etcd-key', keyPath];
  const answerSchema = z.object({ ok: z.boolean(), error: z.object({ code: z.string() }).loose().optional() });
  const ask = async (more: readonly string[]) => {
    const command = ['cluster', 'encryption', '--provider', 'test-plugin', '--kubeconfig', kubeconfig];
    const result = await desk.run([...command, ...more, '--json', '--data-dir', desk.dataDirectory]);
    const answer = answerSchema.parse(JSON.parse(result.stdout));
    return { exitCode: result.exitCode, code: answer.error?.code ?? 'ok' };
  };
  await cluster.arrange(['create', 'secret', 'generic', 'older', '--from-literal=a=test-value']);
  expect(await ask([])).toMatchObject({ exitCode: 2, code: 'App_BadRequest' });
  expect(await ask(etcd)).toEqual({ exitCode: 1, code: 'Cluster_NotEncrypted' });

  plugin = await startKmsPlugin(join(desk.directory, 'kms.sock'));
  const kms = { apiVersion: 'v2', name: 'test-plugin', endpoint: `unix://${plugin.socketPath}`, timeout: '5s' };
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ kms }, { identity: {} }] }],
  };
  const path = join(desk.directory, 'encryption.json');
  await writeFile(path, JSON.stringify(configuration));
  await cluster.restart([`--encryption-provider-config=${path}`]);
  expect(await ask(etcd)).toEqual({ exitCode: 0, code: 'ok' });
  const stored = async (): Promise<string> =>
    (await cluster.etcdGet('/registry/secrets/default/older')).subarray(0, 27).toString('latin1');
  expect(await stored()).not.toContain('k8s:enc');
  expect((await ask([...etcd, '--reencrypt', '--confirm', 'another'])).code).toBe('Custody_ConfirmationMismatch');
  expect(await ask([...etcd, '--reencrypt', '--confirm', 'test-cluster'])).toEqual({ exitCode: 0, code: 'ok' });
  expect(await stored()).toBe('k8s:enc:kms:v2:test-plugin:');

  // Inside etcd's Pod, for whom may: the right that docs/clusters.md names apart.
  expect((await ask(['--etcd-pod'])).code).toBe('Cluster_RightsMissing');
  await cluster.arrange(['apply', '-f', '-'], await yamlAfter('<!-- exec -->'));
  expect(await ask(['--etcd-pod'])).toEqual({ exitCode: 0, code: 'ok' });
  expect(await ask(['--etcd-pod', 'etcd-control-plane-1', '--resource', '*.vault.example'])).toMatchObject({
    code: 'Cluster_KindMissing',
  });
  // Named as EncryptionConfiguration names them; what it does not encrypt is told and left.
  expect(await ask(['--etcd-pod', '--resource', 'secrets', '--resource', '*.batch'])).toEqual({
    exitCode: 0,
    code: 'ok',
  });
  expect((await ask(['--etcd-pod', ...etcd])).code).toBe('App_BadRequest');
});

it('says which key each API server uses, for whom may ask them', async () => {
  const kubeconfig = await cluster.custodianKubeconfig();
  const status = (...more: readonly string[]) =>
    desk.run(['kms', 'status', '--kubeconfig', kubeconfig, ...more, '--data-dir', desk.dataDirectory]);
  expect((await status('--etcd', 'https://127.0.0.1:1')).exitCode).toBe(2);
  const refused = await status();
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(/Cluster_RightsMissing .*\/metrics/u);
  await cluster.arrange(['apply', '-f', '-'], await yamlAfter('<!-- kms-status -->'));
  const seen = await status('--etcd-pod');
  expect(seen.exitCode).toBe(0);
  expect(seen.stdout).toContain('Plugin test-plugin: All API servers are healthy and use the same key.');
  expect(seen.stdout).toMatch(/sha256:[0-9a-f]{12} test-key-1 +1 +\d+ +all API servers use it/u);
  expect(seen.stdout).toMatch(/^Counted in etcd: .*secrets/mu);
  await plugin?.stop();
  plugin = undefined;
  const asked = async (): Promise<readonly unknown[]> => {
    const { exitCode, stdout } = await status('--json');
    const { error } = z.object({ error: z.object({ code: z.string() }).loose().optional() }).parse(JSON.parse(stdout));
    return [exitCode, error?.code];
  };
  await expect.poll(asked, { timeout: 60_000, interval: 1000 }).toEqual([1, 'Kms_NotConverged']);
});
