/** The cluster that other tests rely on is a real one: authentication, RBAC, admission, etcd, and an end to it. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startTcpProxy } from '../servers/tcp-proxy.ts';

let cluster: KubernetesServer;

beforeAll(async () => {
  cluster = await startKubernetes();
});
afterAll(async () => {
  await cluster.stop();
  expect(existsSync(cluster.directory)).toBe(false);
});

const configMap = (name: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { a: '1' } });

describe('the test cluster', () => {
  test('is the version that it says, within the skew of its kubectl', async () => {
    const version: unknown = JSON.parse(await cluster.arrange(['version', '-o', 'json']));
    expect(version).toMatchObject({ serverVersion: { major: '1', minor: '34', gitVersion: 'v1.34.4' } });
    expect((await cluster.kubectl(['version'])).stderr).not.toContain('skew');
  });

  test('asks for a certificate of its own CA, and lets nobody in without rights', async () => {
    const stranger = await cluster.kubeconfigFor('stranger');
    const refused = await cluster.kubectl(['get', 'configmaps'], { kubeconfig: stranger });
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('User "stranger" cannot list resource "configmaps"');
    const whoami = await cluster.kubectl(['auth', 'whoami', '-o', 'json'], {
      kubeconfig: await cluster.kubeconfigFor('somebody', ['group one', 'two']),
    });
    expect(JSON.parse(whoami.stdout)).toMatchObject({
      status: { userInfo: { username: 'somebody', groups: ['group one', 'two', 'system:authenticated'] } },
    });
  });

  test('the custodian may push and no more; the limited user may look', async () => {
    const kubeconfig = await cluster.custodianKubeconfig();
    const made = await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: configMap('made'), kubeconfig });
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    const tooMuch = await cluster.kubectl(
      ['create', 'clusterrolebinding', 'x', '--clusterrole=cluster-admin', '--user=y'],
      {
        kubeconfig,
      },
    );
    expect(tooMuch.stderr).toContain('attempting to grant RBAC permissions not currently held');

    const limited = await cluster.limitedKubeconfig();
    expect(await cluster.kubectl(['get', 'configmap', 'made', '-o', 'name'], { kubeconfig: limited })).toMatchObject({
      exitCode: 0,
    });
    const input = configMap('made');
    const refused = await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input, kubeconfig: limited });
    expect(refused.stderr).toContain('cannot patch resource "configmaps"');
    expect((await cluster.kubectl(['get', 'secrets'], { kubeconfig: limited })).exitCode).not.toBe(0);
  });

  test('keeps what it is given in etcd, in the clear unless it is told to encrypt', async () => {
    const marker = 'test-marker-0f7d';
    await cluster.arrange(['create', 'secret', 'generic', 'in-the-clear', `--from-literal=a=${marker}`]);
    const stored = await cluster.etcdGet('/registry/secrets/default/in-the-clear');
    expect(stored.includes(marker)).toBe(true);
    expect(stored.subarray(0, 4).toString('latin1')).toBe('k8s\0');
    expect(await cluster.etcdGet('/registry/secrets/default/none')).toHaveLength(0);
  });

  test('knows a custom resource as soon as its definition was given to it', async () => {
    await cluster.arrange(['apply', '-f', '-'], JSON.stringify(widgetDefinition));
    await cluster.arrange(['wait', '--for=condition=Established', 'crd/widgets.test.example']);
    const widget = { apiVersion: 'test.example/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { unknown: 1 } };
    const refused = await cluster.kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], {
      input: JSON.stringify(widget),
    });
    expect(refused.stderr).toMatch(/spec\.unknown/u);
  });

  test('a namespace goes, though nobody is there to tidy it', async () => {
    await cluster.arrange(['create', 'namespace', 'short-lived']);
    await cluster.removeNamespace('short-lived');
    expect((await cluster.kubectl(['get', 'namespace', 'short-lived'])).stderr).toContain('NotFound');
  });

  test('can be slow, silent and away, and comes back with what it had', async () => {
    const proxy = await startTcpProxy(cluster.port);
    try {
      const server = `https://127.0.0.1:${proxy.port}`;
      const kubeconfig = await cluster.custodianKubeconfig({ server });
      const ask = ['get', 'configmap', 'made', '-o', 'name', '--request-timeout=2s'];
      expect(await cluster.kubectl(ask, { kubeconfig })).toMatchObject({ exitCode: 0 });
      proxy.swallow();
      const silent = await cluster.kubectl(ask, { kubeconfig });
      expect(silent.exitCode).not.toBe(0);
      proxy.pass();
      await cluster.kill();
      expect((await cluster.kubectl(ask, { kubeconfig })).exitCode).not.toBe(0);
      await cluster.restart();
      expect(await cluster.kubectl(ask, { kubeconfig })).toMatchObject({ exitCode: 0 });
    } finally {
      await proxy.close();
    }
  });
});

const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.example' },
  spec: {
    group: 'test.example',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
          },
        },
      },
    ],
  },
};
