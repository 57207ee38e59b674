/** What main does with requests to set up Transit, with the files by which etcd is read, and with plans that name them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channels } from '../../electron/contract/channels.ts';
import type { KnownVault } from '../../electron/core/core.ts';
import { createChosenFiles, type ChosenFiles } from '../../electron/ipc/chosen-files.ts';
import type { ChosenFileKind, DesktopPort } from '../../electron/ipc/desktop-port.ts';
import { createEtcdHandlers } from '../../electron/ipc/handlers/etcd.ts';
import { createRunHandlers, type RunHandlerParts } from '../../electron/ipc/handlers/runs.ts';
import { createTransitHandlers, type TransitHandlerParts } from '../../electron/ipc/handlers/transit.ts';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import type { RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { checkAndRender as renderInput } from '../../k8s-bridge/manifests/render.ts';
import { inputOf, transit } from '../fixtures/recipes.ts';
import { valueOf } from '../fixtures/token-port.ts';

const pin: ClusterPin = {
  context: 'production',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  clusterName: 'production',
  server: 'https://api.example:6443',
  caSha256: '',
  userName: 'ada',
  clusterUid: '',
};
const vault: KnownVault = {
  id: 'vault-1',
  name: 'Production',
  addresses: ['https://vault.example:8200'],
  trust: { kind: 'system' },
  rehearsal: false,
  tokenStoreId: '',
  tokenSerial: '',
  keyLabel: '',
};
const byServiceAccount = inputOf('kms-plugin', { backend: { ...transit } });
const byCertificate = inputOf('kms-plugin', { backend: { ...transit, login: 'certificate' } });

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-transit-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function desktop(path: string | undefined, asked: ChosenFileKind[] = []): DesktopPort {
  return {
    chooseFile: async (kind) => {
      asked.push(kind);
      return path;
    },
    chooseSavePath: async () => undefined,
    chooseFolder: async () => undefined,
    copyText: () => undefined,
    renderPdf: async () => new Uint8Array(),
  };
}

function rig(path?: string, change: Partial<KnownVault> = {}) {
  const started: Plan[] = [];
  const pinned: string[] = [];
  const parts = {
    desktop: desktop(path),
    clusters: {
      pin: async (contextId: string) => {
        pinned.push(contextId);
        return success(pin);
      },
    },
    core: {
      vaults: () => [{ ...vault, ...change }],
      connections: (one: KnownVault) => one.addresses.map((address) => ({ address, trust: one.trust })),
      clusters: { render: renderInput },
      review: { readAuthority: async () => success({ certificateAuthorityPem: 'from the cluster' }) },
      settings: { preferences: { operatorName: 'Ada' } },
      runner: {
        start: async (plan: Plan) => {
          started.push(plan);
          return success({ runId: 'run-1' });
        },
      },
    },
  };
  // Only what a set-up needs of the core is there.
  return { handlers: createTransitHandlers(parts as unknown as TransitHandlerParts), started, pinned };
}

const request = (form: RecipeInput, change: Record<string, unknown> = {}) =>
  channels['transit.start'].request.parse({
    vaultId: vault.id,
    form,
    contextId: 'a1b2c3d4e5f60718',
    host: '',
    certificateAuthorityPem: '',
    replaceDiffering: false,
    ...change,
  });

describe('transit.start', () => {
  it('plans what the recipe wants, with the cluster that main pinned and what the cluster says of itself', async () => {
    const { handlers, started, pinned } = rig();
    expect(valueOf(await handlers['transit.start'](request(byServiceAccount)))).toEqual({ runId: 'run-1' });
    expect(pinned).toEqual(['a1b2c3d4e5f60718']);
    expect(started).toMatchObject([
      {
        workflow: 'transit-setup',
        vaultName: 'Production',
        connection: { address: 'https://vault.example:8200' },
        tried: { policy: 'kleidi', mount: 'transit', key: 'kleidi' },
        replaceDiffering: false,
      },
    ]);
    const [plan] = started;
    if (plan?.workflow !== 'transit-setup') throw new Error('no set-up was planned');
    expect(plan.wanted.find(({ kind }) => kind === 'kubernetes-config')).toMatchObject({
      host: pin.server,
      certificateAuthorityPem: 'from the cluster',
      reviewer: { kind: 'service-account', cluster: pin, secret: { name: 'kleidi-vault-auth-token' } },
    });
  });

  it('takes another address and authority of the API server where they are given', async () => {
    const { handlers, started } = rig();
    const other = { host: 'https://10.0.0.5:6443', certificateAuthorityPem: 'chosen', replaceDiffering: true };
    valueOf(await handlers['transit.start'](request(byServiceAccount, other)));
    const { replaceDiffering, ...asked } = other;
    expect(JSON.stringify(started)).toContain(JSON.stringify(asked).slice(1, -1));
    expect(started).toMatchObject([{ replaceDiffering }]);
  });

  it('asks no cluster where the plugin logs in by a certificate', async () => {
    const { handlers, started, pinned } = rig();
    valueOf(await handlers['transit.start'](request(byCertificate, { contextId: '' })));
    expect(pinned).toEqual([]);
    const [plan] = started;
    if (plan?.workflow !== 'transit-setup') throw new Error('no set-up was planned');
    expect(plan.wanted.map(({ kind }) => kind)).toEqual(['transit-engine', 'transit-key', 'policy']);
  });

  it.each([
    ['a Vault that is not known', 'App_NotFound', byCertificate, { vaultId: '../../etc' }],
    ['a recipe without Transit', 'App_BadRequest', inputOf('kms-plugin'), {}],
    ['another recipe', 'App_BadRequest', inputOf('softhsm-cluster'), {}],
    [
      'a mount that leads elsewhere',
      'App_BadRequest',
      inputOf('kms-plugin', { backend: { ...transit, login: 'certificate', mount: '../sys/policies/acl' } }),
      {},
    ],
    [
      'a key that would end the policy’s path',
      'App_BadRequest',
      inputOf('kms-plugin', { backend: { ...transit, login: 'certificate', key: 'a" { capabilities = ["sudo"] } #' } }),
      {},
    ],
  ] as const)('begins nothing for %s', async (_what, code, form, change) => {
    const { handlers, started } = rig();
    expect(await handlers['transit.start'](request(form, change))).toMatchObject({ error: { code } });
    expect(started).toEqual([]);
  });

  it('touches no cluster in a rehearsal', async () => {
    const { handlers, started, pinned } = rig(undefined, { rehearsal: true });
    expect(await handlers['transit.start'](request(byServiceAccount))).toMatchObject({
      error: { code: 'Custody_PlanInvalid' },
    });
    expect([started, pinned]).toEqual([[], []]);
  });

  it.each(['http://api.example:6443', 'file:///etc/passwd', 'api.example', 'javascript:alert(1)'])(
    'is not asked with the address %s',
    (host) => {
      expect(() => request(byServiceAccount, { host })).toThrow();
    },
  );
});

describe('transit.policy', () => {
  it('is the policy that the set-up writes, and nothing for any other form', async () => {
    const { handlers } = rig();
    const { policy } = valueOf(await handlers['transit.policy']({ form: byServiceAccount }));
    expect(policy).toContain('path "transit/encrypt/kleidi"');
    expect(policy).not.toContain('sudo');
    expect(valueOf(await handlers['transit.policy']({ form: inputOf('kms-plugin') }))).toEqual({ policy: '' });
    expect(valueOf(await handlers['transit.policy']({ form: { recipe: 'kms-plugin' } }))).toEqual({ policy: '' });
  });
});

describe('transit.choose-authority', () => {
  it('reads a certificate, and leaves alone what is none or has a key beside it', async () => {
    const key = join(directory, 'key.pem');
    const path = join(directory, 'ca.crt');
    const newCertificate = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await promisify(execFile)('openssl', [...newCertificate, '-subj', '/CN=test-ca', '-keyout', key, '-out', path]);
    const chosen = valueOf(await rig(path).handlers['transit.choose-authority']({}));
    expect(chosen).toMatchObject({ chosen: true, fileName: 'ca.crt', subject: 'CN=test-ca' });
    expect(chosen.sha256).toMatch(/^[0-9a-f]{64}$/u);
    channels['transit.choose-authority'].reply.parse(chosen);

    expect(await rig(key).handlers['transit.choose-authority']({})).toMatchObject({
      error: { code: 'App_BadRequest' },
    });
    const both = join(directory, 'both.pem');
    await writeFile(both, `${chosen.certificateAuthorityPem}\n-----BEGIN PRIVATE KEY-----\n`);
    const answer = await rig(both).handlers['transit.choose-authority']({});
    expect(answer).toMatchObject({ error: { code: 'App_BadRequest' } });
    const gone = await rig(join(directory, 'gone')).handlers['transit.choose-authority']({});
    expect(gone).toMatchObject({ error: { code: 'Custody_ReadFailed' } });
    expect(valueOf(await rig().handlers['transit.choose-authority']({}))).toMatchObject({ chosen: false });
  });
});

const etcdHandlers = (shown: DesktopPort, chosenFiles: ChosenFiles) =>
  createEtcdHandlers({
    desktop: shown,
    chosenFiles,
    clusters: {
      pin: async (contextId) =>
        contextId === 'known' ? success(pin) : failure('App_NotFound', 'It is not there.', 'Choose another.'),
    },
    core: { kms: { listResources: async () => success(['secrets', 'deployments.apps']) } },
  });

describe('etcd.list-kinds', () => {
  it('lists what a cluster of this app keeps', async () => {
    const handlers = etcdHandlers(desktop(undefined), createChosenFiles());
    const reply = valueOf(await handlers['etcd.list-kinds']({ contextId: 'known' }));
    expect(channels['etcd.list-kinds'].reply.parse(reply)).toEqual({ kinds: ['secrets', 'deployments.apps'] });
    expect(await handlers['etcd.list-kinds']({ contextId: '--flag' })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
  });
});

describe('the files by which etcd is read', () => {
  it('are chosen in a dialog for what they are', async () => {
    const chosenFiles = createChosenFiles();
    const asked: ChosenFileKind[] = [];
    const handlers = etcdHandlers(desktop('/pki/etcd/ca.crt', asked), chosenFiles);
    for (const part of ['ca', 'certificate', 'key'] as const)
      expect(valueOf(await handlers['etcd.choose-file']({ part }))).toEqual({ path: '/pki/etcd/ca.crt' });
    expect(asked).toEqual(['ca-file', 'etcd-certificate', 'etcd-key']);
    const cancelled = etcdHandlers(desktop(undefined), chosenFiles);
    expect(valueOf(await cancelled['etcd.choose-file']({ part: 'ca' }))).toEqual({ path: '' });
    expect([chosenFiles.has('/pki/etcd/ca.crt'), chosenFiles.has('/etc/shadow'), chosenFiles.has('')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are remembered to a number', () => {
    const files = createChosenFiles();
    for (let index = 0; index < 70; index += 1) files.remember(`/file-${index.toString()}`);
    expect([files.has('/file-5'), files.has('/file-6'), files.has('/file-69')]).toEqual([false, true, true]);
  });
});

describe('runs.start', () => {
  const etcd = {
    address: 'https://127.0.0.1:2379',
    caPath: '/pki/ca.crt',
    certificatePath: '/pki/client.crt',
    keyPath: '/pki/client.key',
    prefix: '/registry',
  };
  const verification: Plan = {
    workflow: 'kms-verify',
    rehearsal: false,
    cluster: pin,
    provider: 'key-custodian-kms',
    etcd,
    namespace: 'default',
    resources: ['secrets'],
    reencrypt: false,
  };
  const migration: Plan = {
    workflow: 'seal-migration',
    rehearsal: false,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: [{ address: 'https://vault.example:8200', trust: { kind: 'system' } }],
    sealType: 'transit',
    sources: [
      {
        kind: 'secret',
        cluster: pin,
        secret: { namespace: 'vault', name: 'vault-unseal-keys' },
        token: { storeId: 'softhsm', serial: '01', label: 'token' },
        keyLabel: 'bank-vaults',
      },
    ],
  };

  function runs(ownPins: boolean, chosen: readonly string[]) {
    const started: Plan[] = [];
    const parts = {
      clusters: { isOwnPin: () => ownPins },
      chosenFiles: { has: (path: string) => chosen.includes(path) },
      core: {
        vaults: () => [vault],
        stores: () => [],
        settings: { preferences: { operatorName: 'Ada' } },
        runner: {
          start: async (plan: Plan) => {
            started.push(plan);
            return success({ runId: 'run-1' });
          },
        },
      },
    };
    // Only what a start needs of the core is there.
    return { handlers: createRunHandlers(parts as unknown as RunHandlerParts), started };
  }
  const files = [etcd.caPath, etcd.certificatePath, etcd.keyPath];

  it('takes a verification with a cluster and files that were chosen here, and no other', async () => {
    expect(await runs(true, files).handlers['runs.start']({ plan: verification })).toMatchObject({ ok: true });
    expect(await runs(false, files).handlers['runs.start']({ plan: verification })).toMatchObject({
      error: { code: 'Cluster_ContextChanged' },
    });
    for (const missing of files) {
      const chosen = files.filter((path) => path !== missing);
      expect(await runs(true, chosen).handlers['runs.start']({ plan: verification })).toMatchObject({
        error: { code: 'Custody_PlanInvalid' },
      });
    }
    expect(
      await runs(true, files).handlers['runs.start']({ plan: { ...verification, rehearsal: true } }),
    ).toMatchObject({ error: { code: 'Custody_PlanInvalid' } });
  });

  it('takes a seal migration with shares from a Secret of a cluster that was chosen here', async () => {
    expect(await runs(true, []).handlers['runs.start']({ plan: migration })).toMatchObject({ ok: true });
    const { handlers, started } = runs(false, []);
    expect(await handlers['runs.start']({ plan: migration })).toMatchObject({
      error: { code: 'Cluster_ContextChanged' },
    });
    expect(started).toEqual([]);
  });

  it('takes no set-up in a Vault that a window planned: its policy would be the window’s', async () => {
    const { handlers, started } = rig();
    valueOf(await handlers['transit.start'](request(byCertificate, { contextId: '' })));
    const [plan] = started;
    if (plan?.workflow !== 'transit-setup') throw new Error('no set-up was planned');
    const hostile = plan.wanted.map((wanted) =>
      wanted.kind === 'policy' ? { ...wanted, text: 'path "*" { capabilities = ["sudo"] }' } : wanted,
    );
    const { handlers: runHandlers, started: none } = runs(true, []);
    for (const wanted of [plan.wanted, hostile])
      expect(await runHandlers['runs.start']({ plan: { ...plan, wanted } })).toMatchObject({
        error: { code: 'Custody_PlanInvalid' },
      });
    expect(none).toEqual([]);
  });
});
