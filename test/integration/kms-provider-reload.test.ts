/**
 * The KMS provider comes into use while kube-apiserver runs: EncryptionConfiguration is read anew, what lay in etcd in
 * the clear or as kleidi wrote it is read on, and written anew.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDesk, type CustodianDesk } from '../fixtures/custodian.ts';
import {
  encryptionConfiguration,
  healthOf,
  kmsEntry,
  readValue,
  secretList,
  storedSecret,
} from '../fixtures/kms-cluster.ts';
import { startKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlace, createKmsToken, type KmsPlace, type KmsToken } from '../fixtures/kms-provider.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const name = 'key-custodian';
const kleidi = 'kleidi-kms-plugin';
const kleidiKey = randomBytes(32);
const patient = { timeout: 120_000, interval: 1000 };

let token: KmsToken;
let place: KmsPlace;
let provider: KmsProcess;
let desk: CustodianDesk;
let cluster: KubernetesServer;

/** Secrets as kleidi writes, ConfigMaps in the clear. */
function earlierConfiguration(kleidiSocket: string): string {
  const resources = [
    { resources: ['secrets'], providers: [kmsEntry(kleidi, kleidiSocket)] },
    { resources: ['configmaps'], providers: [{ identity: {} }] },
  ];
  return JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources });
}

const encryptionPath = (): string => join(place.directory, 'encryption.json');
const storedConfigMap = async (configMap: string): Promise<string> =>
  (await cluster.etcdGet(`/registry/configmaps/default/${configMap}`)).toString('latin1');

async function writeAnew(): Promise<void> {
  const { address, caPath, certificatePath, keyPath } = cluster.etcd;
  const etcd = ['--etcd', address, '--etcd-ca', caPath, '--etcd-cert', certificatePath, '--etcd-key', keyPath];
  const context = ['--kubeconfig', cluster.adminKubeconfig, '--data-dir', desk.dataDirectory];
  const what = ['--provider', name, '--resource', 'secrets', '--resource', 'configmaps', '--reencrypt'];
  const command = ['cluster', 'encryption', ...what, ...context, ...etcd, '--confirm', 'test-cluster', '--json'];
  const done = await desk.run(command);
  if (done.exitCode !== 0) throw new Error(`${done.stdout}${done.stderr}`);
}

beforeAll(async () => {
  token = await createKmsToken();
  token.addKey(kleidi, 1, kleidiKey);
  token.addKey('kms-key', 1, randomBytes(32));
  place = await createKmsPlace(token);
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  provider = await startKmsProcess(['--config', place.configurationPath], token);
  const kleidiSocket = join(place.directory, 'kleidi.socket');
  const plugin = await startKmsPlugin(kleidiSocket, kleidiKey);
  try {
    await writeFile(encryptionPath(), earlierConfiguration(kleidiSocket));
    const reload = '--encryption-provider-config-automatic-reload=true';
    cluster = await startKubernetes({
      extraArguments: [`--encryption-provider-config=${encryptionPath()}`, reload],
    });
    desk = await makeDesk({ KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath });
    await cluster.arrange(['create', '--filename=-'], secretList('old', 5));
    await cluster.arrange(['create', 'configmap', 'plain', '--from-literal=value=in-the-clear']);
  } finally {
    await plugin.stop();
  }
});

afterAll(async () => {
  await cluster.stop();
  await desk.remove();
  await provider.end('SIGKILL');
  await place.remove();
  await token.dispose();
});

it('is taken up by an API server that runs, from identity and from kleidi, and keeps what they wrote readable', async () => {
  expect(await storedSecret(cluster, 'old-0')).toContain(`k8s:enc:kms:v2:${kleidi}:`);
  expect(await storedConfigMap('plain')).toContain('in-the-clear');
  // One provider under two names: it decrypts for kleidi's, and writes under its own.
  const ours = kmsEntry(name, place.socketPath);
  const all = [ours, kmsEntry(kleidi, place.socketPath), { identity: {} }];
  await writeFile(encryptionPath(), encryptionConfiguration(all));
  let count = 0;
  // Kubernetes looks at the file once a minute.
  const writeAnother = async (): Promise<string> => {
    count += 1;
    await cluster.arrange(['create', 'configmap', `new-${count}`, '--from-literal=value=new']);
    return storedConfigMap(`new-${count}`);
  };
  await expect.poll(writeAnother, patient).toContain(`k8s:enc:kms:v2:${name}:`);
  expect(await readValue(cluster, 'old-4')).toBe('value 4');
  const readPlain = ['get', 'configmap', 'plain', '--output=jsonpath={.data.value}'];
  expect(await cluster.arrange(readPlain)).toBe('in-the-clear');
  await expect.poll(() => healthOf(cluster, '/readyz'), patient).toBe('ok');

  await writeAnew();
  expect(await storedSecret(cluster, 'old-0')).toContain(`k8s:enc:kms:v2:${name}:`);
  expect(await storedConfigMap('plain')).not.toContain('in-the-clear');
  // Neither is needed any more.
  await writeFile(encryptionPath(), encryptionConfiguration([ours]));
  await cluster.restart();
  expect(await readValue(cluster, 'old-4')).toBe('value 4');
  expect(await cluster.arrange(readPlain)).toBe('in-the-clear');
});
