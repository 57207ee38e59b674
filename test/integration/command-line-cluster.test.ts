/**
 * Clusters and recipes from the command line, as a process of its own, on a real API server: as the user who has just
 * the rights that docs/clusters.md lists, and as one who has less.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CustodianDesk } from '../fixtures/custodian.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { markerOf, markersIn, searchFiles } from '../fixtures/markers.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

/** Test PINs: markers that no argument, environment, file or answer may hold. */
const testPin = 'test-pin-Kc82vmarker';
const testSoPin = 'test-sopin-Jw47nmarker';
const markers = [markerOf('PIN', testPin), markerOf('SO-PIN', testSoPin)];

const answerSchema = z.object({
  ok: z.boolean(),
  error: z
    .object({ code: z.string(), message: z.string(), next: z.string(), details: z.unknown().optional() })
    .optional(),
  resume: z.string().optional(),
  value: z.unknown().optional(),
});
const runSchema = z.object({ run: z.object({ id: z.string(), facts: z.record(z.string(), z.unknown()) }) });

let cluster: KubernetesServer;
let desk: CustodianDesk;
let kubeconfig = '';
let recipeFile = '';

async function ask(argumentList: readonly string[], secrets: Readonly<Record<number, string>> = {}) {
  const result = await desk.run([...argumentList, '--json', '--data-dir', desk.dataDirectory], secrets);
  for (const text of [result.stdout, result.stderr, result.processes]) expect(markersIn(text, markers)).toEqual([]);
  const answer = answerSchema.parse(JSON.parse(result.stdout));
  return { ...result, answer, code: answer.error?.code ?? 'ok' };
}

const on = (argumentList: readonly string[]): readonly string[] => [...argumentList, '--kubeconfig', kubeconfig];
const plain = (argumentList: readonly string[]) => desk.run([...argumentList, '--data-dir', desk.dataDirectory]);

const readSecret = async (name: string): Promise<Record<string, string>> => {
  const text = await cluster.arrange(['get', 'secret', name, '-n', 'vault', '-o', 'json']);
  const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(JSON.parse(text));
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
};

/** No controller is here: the rollout is what the test says it is. */
async function playRollout(): Promise<void> {
  const status = { desiredNumberScheduled: 0, currentNumberScheduled: 0, numberReady: 0, numberMisscheduled: 0 };
  const text = await cluster.kubectl([
    'get',
    'daemonset',
    'softhsm',
    '-n',
    'vault',
    '-o',
    'jsonpath={.metadata.generation}',
  ]);
  if (text.exitCode !== 0) return;
  const patch = { status: { ...status, observedGeneration: Number(text.stdout) } };
  await cluster.kubectl([
    ...['patch', 'daemonset', 'softhsm', '-n', 'vault', '--subresource=status', '--type=merge'],
    ...['-p', JSON.stringify(patch)],
  ]);
}

beforeAll(async () => {
  cluster = await startKubernetes();
  desk = await makeDesk({ KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath });
  kubeconfig = await cluster.custodianKubeconfig({ context: 'test', cluster: 'test-cluster' });
  const defaults = await plain(['recipe', 'defaults', 'softhsm-cluster']);
  recipeFile = join(desk.directory, 'softhsm.yaml');
  await writeFile(recipeFile, defaults.stdout);
});
afterAll(async () => {
  await desk.remove();
  await cluster.stop();
});

describe('clusters', () => {
  it('are listed from files alone, and asked on demand', async () => {
    const listed = await plain(on(['cluster', 'list']));
    expect(listed.exitCode).toBe(0);
    expect(listed.stdout).toMatch(/\* +test +https:\/\/127\.0\.0\.1:\d+ +custodian \(certificate\) .*ready/u);
    const probed = await plain(on(['cluster', 'list', '--probe']));
    expect(probed.stdout).toContain('v1.34.4, as custodian');
    const shown = await plain(on(['cluster', 'show', '--context', 'test']));
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/CA SHA-256 +[0-9a-f]{64}\n/u);
  });

  it('that are away, unknown or without rights are told apart', async () => {
    expect((await ask(on(['cluster', 'show', '--context', 'other']))).code).toBe('App_BadRequest');
    const away = await cluster.kubeconfigFor('custodian', [], { server: 'https://127.0.0.1:9' });
    const shown = await ask(['cluster', 'show', '--kubeconfig', away]);
    expect(shown).toMatchObject({ exitCode: 1, code: 'Cluster_Unreachable' });
    expect((await plain(on(['cluster', 'rights', '--recipe', 'softhsm-cluster']))).exitCode).toBe(0);
    const limited = await cluster.limitedKubeconfig();
    const less = await ask(['cluster', 'rights', '--recipe', 'softhsm-cluster', '--kubeconfig', limited]);
    expect(less).toMatchObject({ exitCode: 1, code: 'Cluster_RightsMissing' });
  });

  it('whose kubeconfig runs a program wait until it was allowed, by its content', async () => {
    const program = join(desk.directory, 'get-token');
    const ran = join(desk.directory, 'ran');
    await writeFile(program, `#!/bin/sh\ntouch '${ran}'\nexit 1\n`);
    await chmod(program, 0o755);
    const config: unknown = JSON.parse(await readFile(kubeconfig, 'utf8'));
    const whole = z.looseObject({}).parse(config);
    const user = {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never' },
    };
    const withProgram = join(desk.directory, 'with-program');
    await writeFile(withProgram, JSON.stringify({ ...whole, users: [{ name: 'custodian', user }] }), { mode: 0o600 });
    const wait = ['--kubeconfig', withProgram];
    expect((await plain(['cluster', 'list', '--probe', ...wait])).stdout).toContain('to be allowed first');
    expect((await ask(['recipe', 'diff', recipeFile, ...wait])).code).toBe('Cluster_NotAllowed');
    await expect(readFile(ran)).rejects.toThrow('ENOENT');

    const asked = await ask(['cluster', 'allow', ...wait]);
    expect(asked.code).toBe('Cluster_NotAllowed');
    const { outside } = z.object({ outside: z.array(z.object({ sha256: z.string() })) }).parse(asked.answer.value);
    const hashes = outside.flatMap(({ sha256 }) => ['--sha256', sha256]);
    expect((await ask(['cluster', 'allow', '--sha256', '0'.repeat(64), ...wait])).code).toBe('Cluster_NotAllowed');
    expect((await ask(['cluster', 'allow', ...hashes, ...wait])).code).toBe('ok');
    expect((await ask(['cluster', 'show', ...wait])).code).not.toBe('Cluster_NotAllowed');
    await readFile(ran);

    await writeFile(program, '#!/bin/sh\nexit 2\n');
    expect((await ask(['recipe', 'diff', recipeFile, ...wait])).code).toBe('Cluster_NotAllowed');
  });
});

describe('a recipe', () => {
  it('is rendered for kubectl and for git, without a secret', async () => {
    const listed = await plain(['recipe', 'list']);
    expect(listed.stdout).toContain('softhsm-cluster');
    const rendered = await plain(['recipe', 'render', recipeFile]);
    expect(rendered.exitCode).toBe(0);
    // It reads as objects; the Secret, whose values come at the push, is not among them.
    const applied = await cluster.kubectl(['create', '--dry-run=client', '--validate=false', '-o', 'name', '-f', '-'], {
      input: rendered.stdout,
    });
    expect(applied.stdout).toContain('daemonset.apps/softhsm');
    expect(applied.stdout).not.toContain('secret/');
    const folder = join(desk.directory, 'git');
    for (const output of ['manifests', 'kustomize', 'helm-values'])
      expect((await ask(['recipe', 'render', recipeFile, '--output', output, '--to', join(folder, output)])).code).toBe(
        'ok',
      );
    const kustomized = await cluster.kubectl(['kustomize', join(folder, 'kustomize')]);
    expect(kustomized.stderr).toBe('');
    const again = ['recipe', 'render', recipeFile, '--set', 'tokenLabel=other', '--to', join(folder, 'manifests')];
    expect((await ask(again)).exitCode).toBe(2);
    expect((await ask([...again, '--replace'])).code).toBe('ok');
  });

  it('with wrong fields is refused field by field, and nothing is asked of a cluster', async () => {
    const wrong = await ask(on(['recipe', 'diff', recipeFile, '--set', 'namespace=--all', '--set', 'tokenLabel=-x']));
    expect(wrong).toMatchObject({ exitCode: 2, code: 'App_BadRequest' });
    expect(Object.keys(z.object({}).loose().parse(wrong.answer.error?.details)).sort()).toEqual([
      'namespace',
      'tokenLabel',
    ]);
    expect((await ask(['recipe', 'diff', join(desk.directory, 'none.yaml')])).exitCode).toBe(2);
    expect((await ask(['recipe', 'defaults', 'none'])).exitCode).toBe(2);
  });

  it('is previewed, pushed, verified, found changed, and undone', async () => {
    const diff = await ask(on(['recipe', 'diff', recipeFile]));
    expect(diff.code).toBe('ok');
    const { preview } = z.object({ preview: z.object({ sha256: z.string() }) }).parse(diff.answer.value);
    const limited = await cluster.limitedKubeconfig();
    expect((await ask(['recipe', 'push', recipeFile, '--kubeconfig', limited])).code).toMatch(
      /^Cluster_(RightsMissing|AdmissionRefused)$/u,
    );

    const push = on(['recipe', 'push', recipeFile, '--pin-fd', '3']);
    const values = { 3: `${testPin}\n${testSoPin}\n` };
    expect((await ask([...push, '--preview', '0'.repeat(64)], values)).code).toBe('Cluster_PreviewOutdated');
    const slip = await ask([...push, '--confirm', 'another-cluster'], values);
    expect(slip.code).toBe('Custody_ConfirmationMismatch');
    expect((await cluster.kubectl(['get', 'namespace', 'vault'])).exitCode).not.toBe(0);

    const rollout = setInterval(() => void playRollout(), 500);
    const pushed = await ask([...push, '--preview', preview.sha256, '--confirm', 'test-cluster'], values);
    clearInterval(rollout);
    expect(pushed.code).toBe('ok');
    expect(pushed.stderr).toContain('DaemonSet vault/softhsm  new');
    expect(await readSecret('softhsm-pin')).toEqual({ pin: testPin, 'so-pin': testSoPin });
    const { run } = runSchema.parse(pushed.answer.value);

    expect((await ask(on(['recipe', 'verify']))).code).toBe('ok');
    await cluster.arrange(['annotate', 'configmap', 'softhsm', '-n', 'vault', 'by-hand=yes', '--field-manager=hand']);
    await cluster.arrange(['patch', 'configmap', 'softhsm', '-n', 'vault', '-p', '{"data":{"softhsm2.conf":"x"}}']);
    const drifted = await ask(on(['recipe', 'verify', run.id]));
    expect(drifted).toMatchObject({ exitCode: 1, code: 'Cluster_Drifted' });
    expect(drifted.stdout).toContain('softhsm2.conf');

    const refused = await ask(on(['recipe', 'forget', run.id, '--confirm', 'another']));
    expect(refused.code).toBe('Custody_ConfirmationMismatch');
    expect((await ask(on(['recipe', 'forget']))).code).toBe('App_BadRequest');

    const undone = await ask(on(['recipe', 'undo', run.id, '--confirm', 'test-cluster']));
    expect(undone.code).toBe('ok');
    for (const object of [
      ['daemonset', 'softhsm'],
      ['secret', 'softhsm-pin'],
      ['configmap', 'softhsm'],
    ])
      expect((await cluster.kubectl(['get', ...object, '-n', 'vault'])).stderr).toContain('NotFound');
    expect((await ask(on(['recipe', 'verify', run.id]))).code).toBe('App_NotFound');
  });

  it('leaves no PIN in any file of the desk', async () => {
    const { read, found } = await searchFiles(desk.directory, markers);
    expect(read).toBeGreaterThan(5);
    expect(found).toEqual([]);
  });
});
