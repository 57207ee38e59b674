/**
 * Recipes before the decoders that they are for: kube-apiserver with strict validation and the Vault CRD (unknown
 * fields refused), kubectl's kustomize, and a kube-apiserver that is started with the rendered EncryptionConfiguration.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { ObjectOutcome } from '../../electron/workflows/cluster-ports.ts';
import type { RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { exportFiles } from '../../k8s-bridge/manifests/export.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { toYaml } from '../../k8s-bridge/manifests/yaml-text.ts';
import { openPushEngine } from '../fixtures/push-engine.ts';
import { inputOf, recipeVariants } from '../fixtures/recipes.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const crd = fileURLToPath(new URL('../fixtures/kubernetes/vault-crd.yaml', import.meta.url));

let cluster: KubernetesServer;
let directory: string;
/** Of the person with just the rights that docs/clusters.md lists. */
let kubeconfig: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-recipes-'));
  cluster = await startKubernetes({ crds: [crd] });
  kubeconfig = await cluster.custodianKubeconfig();
  for (const name of ['vault', 'unseal']) await cluster.arrange(['create', 'namespace', name]);
});
afterAll(async () => {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

const documents = (manifests: readonly Parameters<typeof toYaml>[0][]): string =>
  manifests.map((manifest) => `---\n${toYaml(manifest)}`).join('');

const dryRun = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', '-'];

function fileOf(input: RecipeInput, name: string): string {
  const found = renderRecipe(input).files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`There is no file ${name}.`);
  return found.text;
}

describe('kube-apiserver takes', () => {
  const withObjects = recipeVariants.filter(([, input]) => renderRecipe(input).content.objects.length > 0);

  test.each(withObjects)('%s', async (_, input) => {
    const { objects } = renderRecipe(input).content;
    const taken = await cluster.kubectl(dryRun, { input: documents(objects), kubeconfig });
    expect(taken.stderr).toBe('');
    expect(taken.exitCode).toBe(0);
    expect(taken.stdout.trim().split('\n')).toHaveLength(objects.length);
  });

  const staticPods = recipeVariants.filter(
    ([, input]) => input.recipe === 'kms-plugin' && input.deployment === 'static-pod',
  );

  test.each(staticPods)('the file for the kubelet of %s', async (_, input) => {
    const taken = await cluster.kubectl(dryRun, { input: fileOf(input, 'kms-plugin-pod.yaml') });
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('the commented file of bank-vaults as the same object', async () => {
    const input = inputOf('bank-vaults');
    const vault = renderRecipe(input).content.objects.find(({ kind }) => kind === 'Vault');
    expect(parseAllDocuments(fileOf(input, 'vault.yaml')).map((document) => document.toJS() as unknown)).toEqual([
      vault,
    ]);
    const taken = await cluster.kubectl(dryRun, { input: fileOf(input, 'vault.yaml') });
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('nothing that it does not know: what passed above was really looked at', async () => {
    const vault = fileOf(inputOf('bank-vaults'), 'vault.yaml');
    const changed = vault.replace('    hsm:\n', '    hsm:\n      pinSecret: somewhere\n');
    expect(changed).not.toBe(vault);
    const refused = await cluster.kubectl(dryRun, { input: changed });
    expect(refused.stderr).toContain('spec.unsealConfig.hsm.pinSecret: field not declared in schema');
    const misspelt = fileOf(inputOf('kms-plugin', { deployment: 'static-pod' }), 'kms-plugin-pod.yaml').replaceAll(
      'limits:',
      'limites:',
    );
    expect((await cluster.kubectl(dryRun, { input: misspelt })).stderr).toContain('limites');
  });
});

/** The first variant of each recipe, and of each way to deploy one. */
function pushedVariants(): typeof recipeVariants {
  const ways = new Map<string, (typeof recipeVariants)[number]>();
  for (const variant of recipeVariants) {
    const [, input] = variant;
    if (renderRecipe(input).content.objects.length === 0) continue;
    const way = `${input.recipe} ${'deployment' in input ? input.deployment : ''}`;
    if (!ways.has(way)) ways.set(way, variant);
  }
  return [...ways.values()];
}

/** The controllers that let go of storage that is to be deleted and that no Pod uses. */
async function playStorageControllers(): Promise<void> {
  for (const [kind, name, ...place] of [
    ['persistentvolumeclaim', 'softhsm-tokens', '--namespace=vault'],
    ['persistentvolume', 'vault-softhsm-tokens'],
  ] as const) {
    const deleted = await cluster.kubectl(['get', kind, name, ...place, '-o=jsonpath={.metadata.deletionTimestamp}']);
    if (deleted.stdout === '') continue;
    const free = JSON.stringify({ metadata: { finalizers: null } });
    await cluster.arrange(['patch', kind, name, ...place, '--type=merge', '-p', free]);
  }
}

test.each(pushedVariants())('%s is pushed whole as it was shown, stays as pushed, and is undone', async (_, input) => {
  const engine = await openPushEngine(kubeconfig, cluster.kubectlPath);
  try {
    const { content } = renderRecipe(input);
    const changes = async (): Promise<readonly string[]> => {
      const { objects } = valueOf(await engine.ask('push.preview', { content }));
      return objects.map(({ reference, change, refusal }) => `${reference.kind} ${reference.name} ${change}${refusal}`);
    };
    const shown = await changes();
    // The namespace is there already, without the recipe's labels.
    expect(shown.filter((line) => !line.endsWith(' new')).every((line) => line.startsWith('Namespace '))).toBe(true);
    const outcomesAs = (words: { readonly new: string; readonly changed: string }): readonly string[] =>
      shown.map((line) => line.replace(/(new|changed)$/u, (change) => (change === 'new' ? words.new : words.changed)));
    const told = (outcomes: readonly ObjectOutcome[]): readonly string[] =>
      outcomes.map(({ reference, outcome, problem }) => `${reference.kind} ${reference.name} ${outcome}${problem}`);
    const record = valueOf(await engine.ask('push.prepare', { content, pushId: `push-of-${input.recipe}` }));
    const secrets = await Promise.all(
      content.secretSlots.map(({ reference, key }) => engine.seal(reference, key, 'typed-test-pin')),
    );
    const applied = valueOf(await engine.ask('push.apply', { record, takeOverConflicts: false, secrets }));
    expect(told(applied.outcomes)).toEqual(outcomesAs({ new: 'created', changed: 'changed' }));
    const { drift } = valueOf(await engine.ask('push.drift', { record }));
    expect(new Set(drift.map(({ state }) => state))).toEqual(new Set(['same']));
    const undone = valueOf(await engine.ask('push.undo', { record }));
    expect(told(undone.outcomes)).toEqual(outcomesAs({ new: 'deleted', changed: 'restored' }));
    await playStorageControllers();
    expect(await changes()).toEqual(shown);
  } finally {
    await engine.close();
  }
});

test('node patches are taken on status and metadata, and their units are told', async () => {
  const input = inputOf('node-setup', { nodes: [{ name: 'hsm-1', devices: 2 }] });
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'hsm-1', labels: { a: 'b' } } };
  await cluster.arrange(['create', '-f', '-'], JSON.stringify(node));
  // What its kubelet tells, without which there is no list to add to.
  const told = JSON.stringify({ status: { capacity: { cpu: '2' } } });
  await cluster.arrange(['patch', 'node', 'hsm-1', '--subresource=status', '--type=merge', '-p', told]);
  for (const { node: name, subresource, operations } of renderRecipe(input).content.patches) {
    await cluster.arrange([
      'patch',
      'node',
      name,
      ...(subresource === '' ? [] : [`--subresource=${subresource}`]),
      '--type=json',
      '-p',
      JSON.stringify(operations),
    ]);
  }
  const patched: unknown = JSON.parse(await cluster.arrange(['get', 'node', 'hsm-1', '-o', 'json']));
  expect(patched).toMatchObject({
    metadata: { labels: { a: 'b', 'nitrokey.com/hsm': 'true' } },
    status: { capacity: { cpu: '2', 'nitrokey.com/hsm': '4' } },
  });
});

test('the commands for a node that is set up by hand change just that, also the second time', async () => {
  const input = inputOf('node-setup', { nodes: [{ name: 'by-hand', devices: 1 }], taint: 'NoSchedule' });
  await cluster.arrange(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'by-hand' } }),
  );
  const told = JSON.stringify({ status: { capacity: { cpu: '2' } } });
  await cluster.arrange(['patch', 'node', 'by-hand', '--subresource=status', '--type=merge', '-p', told]);
  await mkdir(join(directory, 'path'));
  await symlink(cluster.kubectlPath, join(directory, 'path', 'kubectl'));
  const env = { PATH: `${join(directory, 'path')}:/usr/bin:/bin`, KUBECONFIG: kubeconfig, HOME: directory };
  for (let time = 0; time < 2; time += 1) {
    await promisify(execFile)('sh', ['-c', fileOf(input, 'node-setup.sh')], { env });
    expect(JSON.parse(await cluster.arrange(['get', 'node', 'by-hand', '-o', 'json']))).toMatchObject({
      metadata: { labels: { 'nitrokey.com/hsm': 'true' } },
      spec: { taints: expect.arrayContaining([{ key: 'nitrokey.com/hsm', effect: 'NoSchedule' }]) },
      status: { capacity: { cpu: '2', 'nitrokey.com/hsm': '2' } },
    });
  }
});

test('kubectl builds a kustomization to the same objects, but for the Secrets that wait for a value', async () => {
  for (const input of [inputOf('bank-vaults'), inputOf('softhsm-cluster'), inputOf('kms-plugin')]) {
    const rendered = renderRecipe(input);
    const folder = join(directory, `kustomize-${input.recipe}`);
    for (const file of exportFiles(rendered, input, 'kustomize')) {
      await mkdir(dirname(join(folder, file.name)), { recursive: true });
      await writeFile(join(folder, file.name), file.text);
    }
    const built = parseAllDocuments(await cluster.arrange(['kustomize', folder])).map(
      (document) => document.toJS() as unknown,
    );
    const expected = rendered.content.objects.filter(({ type }) => type !== 'Opaque');
    expect(built).toHaveLength(expected.length);
    for (const object of expected) expect(built).toContainEqual(object);
  }
});

describe('kube-apiserver starts with the rendered EncryptionConfiguration', () => {
  const secret = (name: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'default' },
      stringData: { a: 'plain text' },
    });

  /** The recipe's own file, with the socket where this test may put one. */
  const input = (): ReturnType<typeof inputOf<'kms-plugin'>> =>
    inputOf('kms-plugin', { name: 'custodian-kms', socketDirectory: directory, resources: ['secrets', 'configmaps'] });

  /** The flags that the recipe gives for RKE2, and in kubeadm's and kind's forms, with the file where this test put it. */
  async function arguments_(file: string): Promise<readonly string[]> {
    const path = join(directory, file);
    await writeFile(path, fileOf(input(), file), { mode: 0o600 });
    const rke2: unknown = parse(fileOf({ ...input(), platform: 'rke2' }, 'rke2-config.yaml'));
    const flags = z.object({ 'kube-apiserver-arg': z.array(z.string()) }).parse(rke2)['kube-apiserver-arg'];
    expect(flags).toHaveLength(2);
    return flags.map((flag) => `--${flag.replace(/=\/.+$/u, `=${path}`)}`);
  }

  test('the plugin’s name stands before what is written; on the way back it is still read', async () => {
    const plugin = await startKmsPlugin(join(directory, 'custodian-kms.socket'));
    try {
      await cluster.restart(await arguments_('encryption-configuration.yaml'));
      await cluster.arrange(['create', '-f', '-'], secret('encrypted'));
      const stored = await cluster.etcdGet('/registry/secrets/default/encrypted');
      expect(stored.subarray(0, 'k8s:enc:kms:v2:custodian-kms:'.length).toString('latin1')).toBe(
        'k8s:enc:kms:v2:custodian-kms:',
      );
      expect(stored.includes('plain text')).toBe(false);
      expect(plugin.encrypts).toBeGreaterThan(0);

      await cluster.restart(await arguments_('encryption-configuration-back.yaml'));
      const read = await cluster.arrange(['get', 'secret', 'encrypted', '-o', 'jsonpath={.data.a}']);
      expect(Buffer.from(read, 'base64').toString()).toBe('plain text');
      await cluster.arrange(['create', '-f', '-'], secret('plain'));
      expect((await cluster.etcdGet('/registry/secrets/default/plain')).includes('plain text')).toBe(true);
    } finally {
      await plugin.stop();
    }
  });
});
