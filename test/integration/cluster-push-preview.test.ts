/** Previews of pushes on a real API server: what would change, with whom it conflicts, what is refused and why. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest, PushContent, PushPreview } from '../../electron/workflows/cluster-ports.ts';
import {
  configMap,
  contentOf,
  deployment,
  linesOf,
  openPushEngine,
  previewOf,
  secretOf,
  type PushEngine,
} from '../fixtures/push-engine.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

let cluster: KubernetesServer;
let engine: PushEngine;
let runs: (readonly string[])[] = [];
let namespaces = 0;

beforeAll(async () => {
  cluster = await startKubernetes();
  engine = await openPushEngine(cluster.adminKubeconfig, cluster.kubectlPath, (kubectl) => ({
    ...kubectl,
    run: (request) => {
      runs.push(request.argumentList);
      return kubectl.run(request);
    },
  }));
});
afterAll(async () => {
  await engine.close();
  await cluster.stop();
});

async function newNamespace(): Promise<string> {
  namespaces += 1;
  const name = `preview-${namespaces}`;
  await cluster.arrange(['create', 'namespace', name]);
  return name;
}

async function applyAs(manager: string, ...objects: readonly Manifest[]): Promise<void> {
  const text = objects.map((manifest) => JSON.stringify(manifest)).join('\n');
  await cluster.arrange(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], text);
}

async function preview(content: PushContent): Promise<PushPreview> {
  return valueOf(await engine.ask('push.preview', { content }));
}

describe('what would change', () => {
  test('new, changed and unchanged objects are told apart, in two calls for all of them', async () => {
    const namespace = await newNamespace();
    const same = configMap(namespace, 'same', { a: '1' });
    await applyAs('key-custodian', same, configMap(namespace, 'changed', { a: '1', b: '2', c: '3' }));
    runs = [];
    const shown = await preview(
      contentOf([deployment(namespace, 'new', 'vault:1'), same, configMap(namespace, 'changed', { a: '9', b: '2' })]),
    );
    expect(runs).toHaveLength(2);
    expect(shown.objects.map(({ reference, change }) => [reference.name, change])).toEqual([
      ['same', 'same'],
      ['changed', 'changed'],
      ['new', 'new'],
    ]);
    expect(linesOf(previewOf(shown, 'ConfigMap', 'changed'))).toEqual([
      '@3 lines are the same',
      '   name: changed',
      `   namespace: ${namespace}`,
      ' data:',
      '-  a: "1"',
      '+  a: "9"',
      '   b: "2"',
      '-  c: "3"',
    ]);
    const created = linesOf(previewOf(shown, 'Deployment', 'new'));
    expect(created.every((line) => line.startsWith('+'))).toBe(true);
    // The server's defaults are in it, its bookkeeping is not.
    expect(created).toContain('+  revisionHistoryLimit: 10');
    expect(created.join('\n')).not.toMatch(/managedFields|resourceVersion|uid|creationTimestamp|status/u);
    expect(shown).toMatchObject({ missingRights: [], rightsManifest: '', missingKinds: [], warnings: [] });
  });

  test('nothing is changed by it, and the same is shown again under the same digest', async () => {
    const namespace = await newNamespace();
    await applyAs(
      'somebody',
      configMap(namespace, 'there', { a: '1' }),
      secretOf(namespace, 'pin', { pin: 'earlier' }),
    );
    const before = await cluster.arrange(['get', 'configmap,secret', '-n', namespace, '-o', 'json']);
    const content = contentOf([
      configMap(namespace, 'there', { a: '2' }),
      secretOf(namespace, 'pin', { pin: 'later' }),
    ]);
    const [first, second] = [await preview(content), await preview(content)];
    expect(await cluster.arrange(['get', 'configmap,secret', '-n', namespace, '-o', 'json'])).toBe(before);
    expect(second.sha256).toBe(first.sha256);
    await applyAs('somebody', configMap(namespace, 'there', { a: '3' }));
    const third = await preview(content);
    expect(third.sha256).not.toBe(first.sha256);
    // A value of the same length leaves the lines as they are, and is another state all the same.
    await applyAs('somebody', secretOf(namespace, 'pin', { pin: 'EARLIER' }));
    expect((await preview(content)).sha256).not.toBe(third.sha256);
  });

  test('values of Secrets are shown by length, and whether they are the same', async () => {
    const namespace = await newNamespace();
    await applyAs('key-custodian', secretOf(namespace, 'pin', { pin: 'marker-live-0', kept: 'marker-both-0' }));
    const shown = await preview(
      contentOf([secretOf(namespace, 'pin', { pin: 'marker-next-0', kept: 'marker-both-0' })], {
        secretSlots: [
          {
            reference: { apiVersion: 'v1', kind: 'Secret', namespace, name: 'pin' },
            key: 'typed',
            what: 'User PIN of token vault',
          },
        ],
      }),
    );
    const lines = linesOf(previewOf(shown, 'Secret', 'pin'));
    expect(lines.filter((line) => line.includes('pin: '))).toEqual([
      expect.stringMatching(/^- {2}pin: "?\(hidden: 13 bytes, [0-9a-f]{8}\)"?$/u),
      expect.stringMatching(/^\+ {2}pin: "?\(hidden: 13 bytes, [0-9a-f]{8}\)"?$/u),
    ]);
    expect(lines.filter((line) => line.includes('kept: '))).toEqual([expect.stringMatching(/^ {3}kept: /u)]);
    expect(lines).toContain('+  typed: (typed at the push)');
    const text = JSON.stringify(shown);
    for (const value of ['marker-live-0', 'marker-next-0', 'marker-both-0']) {
      expect(text).not.toContain(value);
      expect(text).not.toContain(Buffer.from(value).toString('base64'));
    }
  });

  test('a namespace and a kind that come with the push are no refusal', async () => {
    const definition: Manifest = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lockers.custodian.test' },
      spec: {
        group: 'custodian.test',
        scope: 'Namespaced',
        names: { kind: 'Locker', plural: 'lockers', singular: 'locker' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    const shown = await preview(
      contentOf([
        configMap('comes-with-it', 'inside', { a: '1' }),
        { apiVersion: 'custodian.test/v1', kind: 'Locker', metadata: { name: 'one', namespace: 'default' } },
        definition,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'comes-with-it' } },
      ]),
    );
    expect(shown.objects.map(({ reference, change }) => [reference.kind, change])).toEqual([
      ['Namespace', 'new'],
      ['CustomResourceDefinition', 'new'],
      ['ConfigMap', 'new'],
      ['Locker', 'new'],
    ]);
    expect(linesOf(previewOf(shown, 'ConfigMap', 'inside'))).toContain('+  a: "1"');
    expect(shown.warnings).toEqual([
      'ConfigMap comes-with-it/inside: The namespace comes-with-it comes with this push, so the server could not try this beforehand.',
      'Locker default/one: The kind Locker comes with this push, so the server could not try this beforehand.',
    ]);
    expect(shown.missingKinds).toEqual([]);
  });

  test('what kubectl apply made before goes where it is not named, as it will in truth', async () => {
    const namespace = await newNamespace();
    await cluster.arrange(['apply', '-f', '-'], JSON.stringify(configMap(namespace, 'applied', { a: '1', gone: '2' })));
    const shown = await preview(contentOf([configMap(namespace, 'applied', { a: '1' })]));
    expect(linesOf(previewOf(shown, 'ConfigMap', 'applied'))).toContain('-  gone: "2"');
    expect(shown.warnings.join()).toContain('was made with kubectl apply');
  });

  test('a node’s patch is shown as what it changes', async () => {
    await cluster.arrange(
      ['create', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }),
    );
    const capacity = { op: 'add' as const, path: '/status/capacity/nitrokey.com~1hsm', value: '2' };
    const taint = {
      op: 'add' as const,
      path: '/spec/taints/-',
      value: { key: 'nitrokey.com/hsm', effect: 'NoSchedule' },
    };
    const shown = await preview(
      contentOf([], {
        patches: [
          { node: 'node-1', subresource: 'status', operations: [capacity], summary: 'Two units' },
          { node: 'node-1', subresource: '', operations: [taint], summary: 'Taint' },
          { node: 'node-2', subresource: '', operations: [taint], summary: 'Taint' },
        ],
      }),
    );
    expect(shown.objects.map(({ change, refusal }) => [change, refusal])).toEqual([
      ['changed', ''],
      ['changed', ''],
      ['refused', 'There is no node node-2, or it may not be read.'],
    ]);
    const [first, second] = shown.objects;
    expect(first === undefined ? [] : linesOf(first)).toContain('+    nitrokey.com/hsm: "2"');
    expect(second === undefined ? [] : linesOf(second)).toContain('+    - effect: NoSchedule');
  });
});

describe('whom it meets', () => {
  test('fields of others are named with the object, the manager and the field', async () => {
    const namespace = await newNamespace();
    await applyAs('argocd', deployment(namespace, 'vault', 'vault:1', 3));
    await cluster.arrange([
      'patch',
      'deployment/vault',
      '-n',
      namespace,
      '--field-manager=helm',
      '--type=merge',
      '-p',
      '{"metadata":{"labels":{"team":"a"}}}',
    ]);
    const pushed = deployment(namespace, 'vault', 'vault:2', 3);
    const shown = await preview(
      contentOf([{ ...pushed, metadata: { name: 'vault', namespace, labels: { team: 'b' } } }]),
    );
    const object = previewOf(shown, 'Deployment', 'vault');
    expect(object.change).toBe('changed');
    expect(object.conflicts).toEqual([
      { manager: 'argocd', operation: 'Apply', field: '.spec.template.spec.containers[name="main"].image' },
      { manager: 'helm', operation: 'Update', field: '.metadata.labels.team' },
    ]);
    expect(object.ownedByOthers).toEqual(['argocd', 'helm']);
  });

  test('an object of ours that others have set fields of is ours still', async () => {
    const namespace = await newNamespace();
    await applyAs('key-custodian', configMap(namespace, 'ours', { a: '1' }));
    await applyAs('somebody', configMap(namespace, 'ours', { b: '1' }));
    const object = previewOf(await preview(contentOf([configMap(namespace, 'ours', { a: '2' })])), 'ConfigMap', 'ours');
    expect(object).toMatchObject({ change: 'changed', ownedByOthers: [], conflicts: [] });
  });
});

describe('what is refused', () => {
  test('each object gets the server’s own words; the rest is shown as ever', async () => {
    const namespace = await newNamespace();
    const shown = await preview(
      contentOf([
        configMap(namespace, 'fine', { a: '1' }),
        { ...configMap(namespace, 'unknown-field', { a: '1' }), dataa: { b: '1' } },
        configMap(namespace, 'Bad; $(name) --flag', { a: '1' }),
        configMap('nowhere', 'homeless', { a: '1' }),
        { apiVersion: 'vault.banzaicloud.com/v1alpha1', kind: 'Vault', metadata: { name: 'vault', namespace } },
        { apiVersion: 'unknown.test/v1', kind: 'Riddle', metadata: { name: 'riddle', namespace } },
        deployment(namespace, 'also-fine', 'vault:1'),
      ]),
    );
    expect(shown.objects.map(({ reference, change }) => [reference.name, change])).toEqual([
      ['fine', 'new'],
      ['unknown-field', 'refused'],
      ['Bad; $(name) --flag', 'refused'],
      ['homeless', 'refused'],
      ['vault', 'refused'],
      ['riddle', 'refused'],
      ['also-fine', 'new'],
    ]);
    const refusal = (kind: string, name: string): string => previewOf(shown, kind, name).refusal;
    expect(refusal('ConfigMap', 'unknown-field')).toMatch(
      /\.dataa: field not declared in schema|unknown field "dataa"/u,
    );
    expect(refusal('ConfigMap', 'Bad; $(name) --flag')).toContain('is invalid: metadata.name: Invalid value');
    expect(refusal('ConfigMap', 'homeless')).toContain('namespaces "nowhere" not found');
    expect(refusal('Vault', 'vault')).toContain(
      'no matches for kind "Vault" in version "vault.banzaicloud.com/v1alpha1"',
    );
    expect(shown.missingKinds).toEqual([
      {
        kind: 'Vault (vault.banzaicloud.com/v1alpha1)',
        install: expect.stringContaining('helm upgrade --install --wait vault-operator'),
      },
      { kind: 'Riddle (unknown.test/v1)', install: expect.stringContaining('CustomResourceDefinition') },
    ]);
  });

  test('an admission policy’s refusal is told in its words', async () => {
    const namespace = await newNamespace();
    const named = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'no-forbidden-key' } };
    await cluster.arrange(
      ['create', '-f', '-'],
      [
        {
          ...named,
          kind: 'ValidatingAdmissionPolicy',
          spec: {
            failurePolicy: 'Fail',
            matchConstraints: {
              resourceRules: [
                { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
              ],
            },
            validations: [{ expression: "!('forbidden' in object.data)", message: 'The house rule forbids this key.' }],
          },
        },
        {
          ...named,
          kind: 'ValidatingAdmissionPolicyBinding',
          spec: {
            policyName: 'no-forbidden-key',
            validationActions: ['Deny'],
            matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
          },
        },
      ]
        .map((object) => JSON.stringify(object))
        .join('\n'),
    );
    const refused = contentOf([
      configMap(namespace, 'strange', { forbidden: '1' }),
      configMap(namespace, 'fine', { a: '1' }),
    ]);
    // The policy is in force a moment after it is there.
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const shown = await preview(refused);
      if (previewOf(shown, 'ConfigMap', 'strange').change !== 'refused') continue;
      expect(previewOf(shown, 'ConfigMap', 'strange').refusal).toContain('The house rule forbids this key.');
      expect(previewOf(shown, 'ConfigMap', 'fine').change).toBe('new');
      return;
    }
    throw new Error('The policy never came into force.');
  });

  test('what no server takes is refused before one is asked', async () => {
    const namespace = await newNamespace();
    runs = [];
    const shown = await preview(
      contentOf([
        secretOf(namespace, 'large', { value: 'x'.repeat(1024 * 1024 + 1) }),
        configMap(namespace, 'x'.repeat(254), {}),
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace } },
      ]),
    );
    expect(runs).toEqual([]);
    expect(shown.objects.map(({ refusal }) => refusal)).toEqual([
      expect.stringContaining('at most 1 MiB'),
      expect.stringContaining('254 characters'),
      expect.stringContaining('lacks its apiVersion, kind or name'),
    ]);
  });

  test('one who may do less is told which rights are missing, and what grants them', async () => {
    const namespace = await newNamespace();
    const limited = await openPushEngine(await cluster.limitedKubeconfig(), cluster.kubectlPath);
    try {
      const content = contentOf(
        [configMap(namespace, 'config', { a: '1' }), secretOf(namespace, 'pin', { pin: '1' })],
        {
          patches: [
            {
              node: 'node-1',
              subresource: 'status',
              operations: [{ op: 'add', path: '/status/capacity/x', value: '1' }],
              summary: 'One unit',
            },
          ],
        },
      );
      const shown = valueOf(await limited.ask('push.preview', { content }));
      expect(shown.missingRights.map(({ need }) => `${need.verb} ${need.resource}/${need.subresource}`).sort()).toEqual(
        [
          'create configmaps/',
          'create secrets/',
          'get nodes/status',
          'get secrets/',
          'patch configmaps/',
          'patch nodes/status',
          'patch secrets/',
        ],
      );
      expect(previewOf(shown, 'Secret', 'pin').refusal).toContain('cannot patch resource "secrets"');
      // What is said does grant them, as it is.
      await cluster.arrange(['apply', '-f', '-'], shown.rightsManifest);
      const granted = valueOf(await limited.ask('push.preview', { content: { ...content, patches: [] } }));
      expect(granted).toMatchObject({ missingRights: [], rightsManifest: '' });
      expect(granted.objects.map(({ change }) => change)).toEqual(['new', 'new']);
    } finally {
      await limited.close();
    }
  });
});

test('a cluster that is away is a failure of the whole', async () => {
  const gone = await openPushEngine(cluster.adminKubeconfig, cluster.kubectlPath);
  await cluster.kill();
  try {
    const answer = await gone.ask('push.preview', { content: contentOf([configMap('default', 'any', {})]) });
    expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_Unreachable' } });
  } finally {
    await cluster.restart();
    await gone.close();
  }
});
