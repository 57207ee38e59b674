/** kubectl's words taken apart, digests, order, and patches of nodes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { AccessNeed, Json } from '../../electron/workflows/cluster-ports.ts';
import { diffLines, yamlLines } from '../../k8s-bridge/push/diff-lines.ts';
import { digestOf } from '../../k8s-bridge/push/digest.ts';
import { matchNames, shareOutErrors } from '../../k8s-bridge/push/dry-run.ts';
import {
  applyOperations,
  inverseAsOfNow,
  inverseOperations,
  pendingOperations,
  type Operation,
} from '../../k8s-bridge/push/json-patch.ts';
import { readObjects, splitWords } from '../../k8s-bridge/push/kubectl-call.ts';
import { inOrder, resourceOf, withoutStringData } from '../../k8s-bridge/push/objects.ts';
import { rightsManifest } from '../../k8s-bridge/push/rights.ts';
import { failingContainers, judgeRollout } from '../../k8s-bridge/push/rollout-states.ts';
import { configMap, deployment, secretOf } from '../fixtures/push-engine.ts';

describe('what kubectl says', () => {
  const unknown = (kind: string): string =>
    `resource mapping not found for name: "x" namespace: "y" from "STDIN": no matches for kind "${kind}" in version "a.test/v1"\nensure CRDs are installed first`;

  test('falls into one entry per object', () => {
    const text = [
      'Warning: spec.x is deprecated',
      `[${unknown('One')}, ${unknown('Two')}]`,
      'Error from server (Invalid): ConfigMap "a" is invalid: one',
      '  two',
      'error: Apply failed with 1 conflict: conflict with "argocd": .data.a',
      'Please review the fields above--they currently have other managers. Here',
      'are the ways you can resolve this warning:',
    ].join('\n');
    expect(splitWords(text)).toEqual({
      errors: [
        unknown('One'),
        unknown('Two'),
        'Error from server (Invalid): ConfigMap "a" is invalid: one\n  two',
        'Apply failed with 1 conflict: conflict with "argocd": .data.a',
      ],
      warnings: ['spec.x is deprecated'],
    });
  });

  test('goes to the objects that it is about', () => {
    const objects = [
      configMap('a', 'same', {}),
      configMap('b', 'same', {}),
      { ...configMap('a', 'riddle', {}), apiVersion: 'a.test/v1', kind: 'One' },
      deployment('a', 'same', 'x'),
    ];
    expect(matchNames(objects, 'configmap/same serverside-applied\ndeployment.apps/same\n')).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const [, second, third] = objects;
    if (second === undefined || third === undefined) throw new Error('There are four.');
    expect(shareOutErrors([second, third], [unknown('One'), 'namespaces "b" not found'])).toEqual([
      'namespaces "b" not found',
      unknown('One'),
    ]);
  });

  test('objects come as a list, one, none or several in a row', () => {
    const read = (text: string): unknown => readObjects(Buffer.from(text));
    expect(read('')).toEqual({ ok: true, value: [] });
    expect(read('{"kind":"List","items":[{"kind":"A"},{"kind":"B"}]}')).toEqual({
      ok: true,
      value: [{ kind: 'A' }, { kind: 'B' }],
    });
    expect(read('{\n  "kind": "A"\n}\n{\n  "kind": "B"\n}\n')).toEqual({
      ok: true,
      value: [{ kind: 'A' }, { kind: 'B' }],
    });
    expect(read('<html>')).toMatchObject({ ok: false, error: { code: 'Cluster_UnexpectedReply' } });
  });
});

describe('objects', () => {
  test('go in so that each finds what it stands on', () => {
    const kinds = [
      'ValidatingWebhookConfiguration',
      'Vault',
      'DaemonSet',
      'ConfigMap',
      'CustomResourceDefinition',
      'Role',
      'Namespace',
    ];
    const objects = kinds.map((kind) => ({ ...configMap('', kind.toLowerCase(), {}), kind }));
    expect(inOrder(objects).map(({ kind }) => kind)).toEqual([
      'Namespace',
      'CustomResourceDefinition',
      'Role',
      'ConfigMap',
      'Vault',
      'DaemonSet',
      'ValidatingWebhookConfiguration',
    ]);
  });

  test('are named as rights name them', () => {
    expect(['Vault', 'NetworkPolicy', 'StorageClass', 'Endpoints', 'Ingress'].map(resourceOf)).toEqual([
      'vaults',
      'networkpolicies',
      'storageclasses',
      'endpoints',
      'ingresses',
    ]);
  });

  test('hold their values where the server will own them', () => {
    const secret = { ...secretOf('a', 'pin', { a: '1' }), stringData: { b: '2' } };
    expect(withoutStringData(secret)).toEqual(secretOf('a', 'pin', { a: '1', b: '2' }));
  });

  test('have the same digest whatever order their fields are in, and another for another content', () => {
    const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (map) => {
        expect(digestOf(Object.fromEntries(Object.entries(map).reverse()))).toBe(digestOf(map));
        expect(digestOf({ ...map, 'an extra field': 1 })).not.toBe(digestOf(map));
      }),
    );
  });

  test('a difference is what turns one into the other', () => {
    const lines = fc.array(fc.constantFrom('a: 1', 'b: 2', 'c: 3', 'd: 4'), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const count = (kind: string): number => diff.filter((line) => line.kind === kind).length;
        expect(after.length - before.length).toBe(count('added') - count('removed'));
        expect(diff.length === 0).toBe(before.join('\n') === after.join('\n'));
      }),
    );
  });

  test('are shown without what the server keeps for itself', () => {
    const kept = { uid: 'u', resourceVersion: '1', generation: 2, creationTimestamp: 'now', managedFields: [] };
    const live = {
      ...configMap('a', 'b', { x: '1' }),
      metadata: { name: 'b', namespace: 'a', ...kept },
      status: { y: 1 },
    };
    expect(yamlLines(live)).toEqual(yamlLines(configMap('a', 'b', { x: '1' })));
  });
});

describe('missing rights', () => {
  const need = { group: '', resource: 'secrets', subresource: '', namespace: 'vault', name: 'pin' };
  const needs: readonly AccessNeed[] = [
    { ...need, verb: 'get' },
    { ...need, verb: 'patch' },
    { ...need, verb: 'create' },
    { ...need, verb: 'patch', resource: 'nodes', subresource: 'status', namespace: '', name: 'node-1' },
  ];

  test('become roles, by namespace, bound to whoever asks', () => {
    const user = 'oidc:ada & "co"\n- kind: Group';
    const text = rightsManifest(needs, user);
    const objects = parseAllDocuments(text).map((document) => document.toJS() as unknown);
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
    expect(objects).toMatchObject([
      { kind: 'Role', metadata: { namespace: 'vault' } },
      { kind: 'RoleBinding', metadata: { namespace: 'vault' }, roleRef: { kind: 'Role' }, subjects },
      { kind: 'ClusterRole', rules: [{ resources: ['nodes/status'] }] },
      { kind: 'ClusterRoleBinding', roleRef: { kind: 'ClusterRole' }, subjects },
    ]);
    expect(text.match(/resourceNames/gu)).toHaveLength(2);
    expect(rightsManifest([], user)).toBe('');
  });

  test('of another push or another person do not replace these', () => {
    const namesIn = (text: string): readonly string[] => [...new Set(text.match(/key-custodian-push-[0-9a-f]{8}/gu))];
    const names = [needs, needs.slice(0, 1)].flatMap((each) =>
      ['ada', 'bo'].flatMap((user) => namesIn(rightsManifest(each, user))),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(6);
  });

  test('are given to a service account by its parts, and to nobody who did not log in', () => {
    expect(rightsManifest(needs, 'system:serviceaccount:ci:pusher')).toContain(
      'subjects:\n  - kind: ServiceAccount\n    name: pusher\n    namespace: ci\n',
    );
    for (const nobody of ['', 'system:anonymous']) {
      expect(rightsManifest(needs, nobody)).not.toContain('Binding');
      expect(rightsManifest(needs, nobody)).toContain('# Bind these');
    }
  });
});

describe('a patch of a node', () => {
  const taint = { key: 'nitrokey.com/hsm', effect: 'NoSchedule' };
  const operations: readonly Operation[] = [
    { op: 'add', path: '/metadata/labels/nitrokey.com~1hsm', value: 'true' },
    { op: 'add', path: '/spec/taints/-', value: taint },
  ];

  test.each([
    ['with nothing there', { metadata: {}, spec: {} }],
    ['with things of others', { metadata: { labels: { a: '1' } }, spec: { taints: [{ key: 'a' }] } }],
    ['with another value there', { metadata: { labels: { 'nitrokey.com/hsm': 'false' } }, spec: { taints: [] } }],
  ])('%s goes in once, and back', (_, node) => {
    const pending = pendingOperations(node, operations);
    const patched = applyOperations(node, pending) ?? null;
    expect(patched).toMatchObject({ metadata: { labels: { 'nitrokey.com/hsm': 'true' } } });
    expect(pendingOperations(patched, operations)).toEqual([]);
    const inverse = inverseOperations(node, pending);
    expect(applyOperations(patched, inverse)).toEqual(node);
    const undone = inverseAsOfNow(patched, inverse, new Map([['/metadata/labels/nitrokey.com~1hsm', 'true']]));
    expect(undone.changedByOthers).toEqual([]);
    expect(applyOperations(patched, undone.operations)).toEqual(node);
    expect(inverseAsOfNow(node, inverse, new Map()).operations).toEqual([]);
  });

  test('leaves what somebody set to something else since', () => {
    const node = { metadata: { labels: {} }, spec: {} };
    const inverse = inverseOperations(node, pendingOperations(node, operations));
    const now = {
      metadata: { labels: { 'nitrokey.com/hsm': 'theirs' } },
      spec: { taints: [{ key: 'theirs' }, taint] },
    };
    const pushed = new Map<string, Json>([['/metadata/labels/nitrokey.com~1hsm', 'true']]);
    const { operations: left, changedByOthers } = inverseAsOfNow(now, inverse, pushed);
    expect(changedByOthers).toEqual(['/metadata/labels/nitrokey.com~1hsm']);
    expect(applyOperations(now, left)).toEqual({ ...now, spec: { taints: [{ key: 'theirs' }] } });
  });
});

describe('a rollout', () => {
  const running = (kind: string, spec: Json, status: Json): ReturnType<typeof judgeRollout> =>
    judgeRollout({ apiVersion: 'x/v1', kind, metadata: { name: 'x', generation: 2 }, spec, status });

  test.each([
    ['Deployment', { replicas: 2 }, { observedGeneration: 1, availableReplicas: 2, updatedReplicas: 2 }, 'progressing'],
    [
      'Deployment',
      { replicas: 2 },
      { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 2, replicas: 3 },
      'progressing',
    ],
    [
      'Deployment',
      { replicas: 2 },
      { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 2, replicas: 2 },
      'ready',
    ],
    [
      'Deployment',
      {},
      { observedGeneration: 2, conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] },
      'failed',
    ],
    ['DaemonSet', {}, { observedGeneration: 2, desiredNumberScheduled: 0 }, 'ready'],
    [
      'DaemonSet',
      {},
      { observedGeneration: 2, desiredNumberScheduled: 3, numberAvailable: 3, updatedNumberScheduled: 2 },
      'progressing',
    ],
    [
      'StatefulSet',
      { replicas: 1 },
      { observedGeneration: 2, readyReplicas: 1, currentRevision: 'a', updateRevision: 'a' },
      'ready',
    ],
    [
      'StatefulSet',
      { replicas: 1 },
      { observedGeneration: 2, readyReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      'progressing',
    ],
    ['Pod', {}, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }, 'ready'],
    ['Pod', {}, { phase: 'Failed' }, 'failed'],
    ['Job', {}, { conditions: [{ type: 'Complete', status: 'True' }] }, 'ready'],
    [
      'Vault',
      { size: 3 },
      { nodes: ['a'], conditions: [{ type: 'Healthy', status: 'False', error: 'sealed' }] },
      'progressing',
    ],
    ['Vault', { size: 1 }, { nodes: ['a'], leader: 'a', conditions: [{ type: 'Healthy', status: 'True' }] }, 'ready'],
    ['ConfigMap', {}, {}, 'ready'],
  ] as const)('%s %j %j is %s', (kind, spec, status, state) => {
    expect(running(kind, spec, status).state).toBe(state);
  });

  test('names containers that will not come up by themselves', () => {
    const pod = (state: Json, restartCount = 0): readonly { readonly text: string; readonly hasRun: boolean }[] =>
      failingContainers({
        metadata: { name: 'p' },
        status: { containerStatuses: [{ name: 'c', restartCount, state }] },
      });
    expect(pod({ waiting: { reason: 'ContainerCreating' } })).toEqual([]);
    expect(pod({ terminated: { exitCode: 0 } })).toEqual([]);
    expect(pod({ waiting: { reason: 'CrashLoopBackOff' } }, 3)).toMatchObject([
      { text: 'CrashLoopBackOff', hasRun: true },
    ]);
    expect(pod({ terminated: { exitCode: 2 } })).toMatchObject([{ text: 'ended with code 2', hasRun: true }]);
  });
});
