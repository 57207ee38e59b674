/** Pushes and undos on a real API server: what goes in, what comes back, and whose the fields are then. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../electron/workflows/cluster-ports.ts';
import { configMap, contentOf, openPushEngine, secretOf } from '../fixtures/push-engine.ts';
import { newPushId, openPushScene, told, type PushScene } from '../fixtures/push-scene.ts';
import { filesHolding, formsOf, readProcess } from '../fixtures/secret-search.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

let cluster: KubernetesServer;
let scene: PushScene;
let namespace = '';
let namespaces = 0;

beforeAll(async () => {
  cluster = await startKubernetes();
  scene = await openPushScene(cluster);
});
afterAll(async () => {
  await scene.close();
  await cluster.stop();
});
beforeEach(async () => {
  namespaces += 1;
  namespace = await scene.enterNamespace(`undo-${namespaces}`);
});

describe('a push and its undo', () => {
  test('puts everything in, and gives every field back to whom it belonged', async () => {
    await scene.arrangeGround();
    const before = await scene.state();
    const record = await scene.prepare(scene.groundContent());
    expect(JSON.stringify(record)).not.toMatch(/earlier|ZWFybGllcg/u);
    const value = await scene.engine.seal(scene.secretReference('pin'), 'pin', 'later-pin');
    expect(told(await scene.apply(record, [value]))).toEqual([
      'pin changed',
      'shared changed',
      'ours changed',
      'applied changed',
      'new created',
      'vault changed',
    ]);
    const secret = await cluster.arrange(['get', 'secret', 'pin', '-n', namespace, '-o', 'jsonpath={.data}']);
    expect(JSON.parse(secret)).toEqual({
      pin: Buffer.from('later-pin').toString('base64'),
      other: Buffer.from('kept').toString('base64'),
    });
    expect(told(valueOf(await scene.engine.ask('push.look', { record })).outcomes)).toEqual([
      'pin changed',
      'shared changed',
      'ours changed',
      'applied changed',
      'new created',
      'vault changed',
    ]);
    // Again, with nothing left to do, and nothing typed.
    expect(told(await scene.apply(record))).toEqual([
      'pin unchanged',
      'shared unchanged',
      'ours unchanged',
      'applied unchanged',
      'new unchanged',
      'vault unchanged',
    ]);
    expect(told(await scene.undo(record))).toEqual([
      'pin restored',
      'shared restored',
      'ours restored',
      'applied restored',
      'new deleted',
      'vault restored',
    ]);
    expect(told(await scene.undo(record))).toEqual([
      'pin unchanged',
      'shared unchanged',
      'ours unchanged',
      'applied unchanged',
      'new unchanged',
      'vault unchanged',
    ]);
    valueOf(await scene.engine.ask('push.forget-kept', { record }));
    valueOf(await scene.engine.ask('push.forget-kept', { record }));
    expect(await scene.state()).toEqual(before);
  });

  test('leaves alone what others have set since, and what they made anew', async () => {
    await scene.applyAs('argocd', configMap(namespace, 'shared', { a: '1' }));
    const record = await scene.prepare(
      contentOf([
        configMap(namespace, 'shared', { a: '2', ours: '2' }),
        configMap(namespace, 'new', { a: '1' }),
        configMap(namespace, 'again', { a: '1' }),
      ]),
    );
    await scene.apply(record);
    await scene.applyAs('argocd', configMap(namespace, 'shared', { a: '3', theirs: '3' }));
    await scene.applyAs('somebody', configMap(namespace, 'new', { theirs: '1' }));
    await cluster.arrange(['delete', 'configmap', 'again', '-n', namespace]);
    await cluster.arrange(['create', 'configmap', 'again', '-n', namespace, '--from-literal=a=1']);
    expect(told(await scene.undo(record))).toEqual([
      'shared restored',
      'new deleted',
      expect.stringMatching(/^again failed: It is no longer ours: it was made anew by kubectl-create/u),
    ]);
    expect(Object.keys(await scene.state())).toEqual(['ConfigMap again', 'ConfigMap shared']);
    expect((await scene.state())['ConfigMap shared']?.object).toMatchObject({ data: { a: '3', theirs: '3' } });
  });

  test('one that somebody makes anew at the last moment is not deleted in place of the one that was looked at', async () => {
    const record = await scene.prepare(
      contentOf([configMap(namespace, 'again', { a: '1' }), secretOf(namespace, 'pin')]),
    );
    await scene.apply(record);
    const uidOf = async (): Promise<string> =>
      cluster.arrange(['get', 'configmap', 'again', '-n', namespace, '-o', 'jsonpath={.metadata.uid}']);
    const first = await uidOf();
    let replaced = 0;
    scene.beforeRuns(async (_, argumentList) => {
      if (argumentList[0] !== 'delete' || !argumentList.some((word) => word.endsWith('/again')) || replaced > 0) return;
      replaced += 1;
      await cluster.arrange(['delete', 'configmap', 'again', '-n', namespace]);
      // Of the same name and content: only its UID tells.
      await cluster.arrange(
        ['create', '--field-manager=hand', '-f', '-'],
        JSON.stringify(configMap(namespace, 'again', { a: '1' })),
      );
    });
    expect(told(await scene.undo(record))).toEqual([
      'pin deleted',
      'again failed: It is no longer ours: it was made anew by hand. It was left as it is.',
    ]);
    expect(replaced).toBe(1);
    expect(await uidOf()).not.toBe(first);
  });

  test('one that others change all the while is looked at again, and deleted if it is still ours', async () => {
    const record = await scene.prepare(contentOf([configMap(namespace, 'busy', { a: '1' })]));
    await scene.apply(record);
    let changes = 0;
    scene.beforeRuns(async (_, argumentList) => {
      if (argumentList[0] !== 'delete' || changes === 2) return;
      changes += 1;
      await cluster.arrange(['annotate', 'configmap', 'busy', '-n', namespace, `turn=${changes}`, '--overwrite']);
    });
    expect(told(await scene.undo(record))).toEqual(['busy deleted']);
    expect(changes).toBe(2);
    expect(Object.keys(await scene.state())).toEqual([]);
  });

  test('what somebody deleted since comes back as it was', async () => {
    await scene.applyAs(
      'argocd',
      configMap(namespace, 'shared', { a: '1' }),
      secretOf(namespace, 'pin', { pin: 'earlier' }),
    );
    const record = await scene.prepare(
      contentOf([configMap(namespace, 'shared', { a: '2' }), secretOf(namespace, 'pin', { pin: 'later' })]),
    );
    await scene.apply(record);
    await cluster.arrange(['delete', 'configmap/shared', 'secret/pin', '-n', namespace]);
    expect(told(await scene.undo(record))).toEqual(['pin restored', 'shared restored']);
    const after = await scene.state();
    expect(after['ConfigMap shared']?.object).toMatchObject({ data: { a: '1' } });
    expect(after['Secret pin']?.object).toMatchObject({ data: { pin: Buffer.from('earlier').toString('base64') } });
  });

  test('a namespace with things of others in it is not deleted, one without is', async () => {
    const made = `${namespace}-made`;
    const record = await scene.prepare(
      contentOf([
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: made } },
        configMap(made, 'inside', { a: '1' }),
      ]),
    );
    expect(told(await scene.apply(record))).toEqual([`${made} created`, 'inside created']);
    await cluster.arrange(['create', 'configmap', 'theirs', '-n', made]);
    expect(told(await scene.undo(record))).toEqual([
      `${made} failed: The namespace holds what this push did not make (ConfigMap theirs), so it was left.`,
      'inside deleted',
    ]);
    await cluster.arrange(['delete', 'configmap', 'theirs', '-n', made]);
    expect(told(await scene.undo(record))).toEqual([`${made} deleted`, 'inside unchanged']);
    await cluster.removeNamespace(made);
  });

  test('a kind and an object of it go in together', async () => {
    const definition: Manifest = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lockers.custodian.test' },
      spec: {
        group: 'custodian.test',
        scope: 'Namespaced',
        names: { kind: 'Locker', plural: 'lockers', singular: 'locker', listKind: 'LockerList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    // Definitions of kinds are not among the rights of one who pushes recipes.
    const admin = await openPushEngine(cluster.adminKubeconfig, cluster.kubectlPath);
    try {
      const objects = [
        { apiVersion: 'custodian.test/v1', kind: 'Locker', metadata: { name: 'one', namespace } },
        definition,
      ];
      const record = valueOf(await admin.ask('push.prepare', { content: contentOf(objects), pushId: newPushId() }));
      const applied = await admin.ask('push.apply', { record, takeOverConflicts: false, secrets: [] });
      expect(told(valueOf(applied).outcomes)).toEqual(['lockers.custodian.test created', 'one created']);
      const undone = await admin.ask('push.undo', { record });
      expect(told(valueOf(undone).outcomes)).toEqual(['lockers.custodian.test deleted', 'one deleted']);
    } finally {
      await admin.close();
    }
  });

  test('patches of nodes go in once and come back', async () => {
    const node = `node-${namespace}`;
    await cluster.arrange(
      ['create', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: node, labels: { theirs: '1' } },
        spec: { taints: [{ key: 'theirs', effect: 'NoSchedule' }] },
      }),
    );
    const read = async (): Promise<string> =>
      cluster.arrange(['get', 'node', node, '-o', 'jsonpath={.metadata.labels} {.spec.taints} {.status.capacity}']);
    const before = await read();
    const taint = { key: 'nitrokey.com/hsm', effect: 'NoSchedule' };
    const record = await scene.prepare(
      contentOf([], {
        patches: [
          {
            node,
            subresource: 'status',
            operations: [{ op: 'add', path: '/status/capacity/nitrokey.com~1hsm', value: '2' }],
            summary: 'Two units',
          },
          {
            node,
            subresource: '',
            operations: [
              { op: 'add', path: '/metadata/labels/nitrokey.com~1hsm', value: 'true' },
              { op: 'add', path: '/spec/taints/-', value: taint },
            ],
            summary: 'Label and taint',
          },
        ],
      }),
    );
    expect(told(await scene.apply(record))).toEqual([`${node} changed`]);
    const pushed = await read();
    expect(pushed).toContain('"nitrokey.com/hsm":"2"');
    expect(told(await scene.apply(record))).toEqual([`${node} unchanged`]);
    expect(await read()).toBe(pushed);
    expect(valueOf(await scene.engine.ask('push.drift', { record })).drift).toMatchObject([{ state: 'same' }]);
    // Somebody puts a taint before ours: ours is found where it stands then.
    await cluster.arrange(['taint', 'node', node, 'theirs-']);
    await cluster.arrange(['taint', 'node', node, 'early=1:NoExecute']);
    expect(told(await scene.undo(record))).toEqual([`${node} restored`]);
    const after = await read();
    expect(after).not.toContain('nitrokey.com/hsm');
    expect(after).toContain('early');
    expect(before).not.toContain('early');
    expect(told(await scene.undo(record))).toEqual([`${node} unchanged`]);
  });
});

describe('what stands in the way', () => {
  test('a conflict is refused where it was not taken over, object by object', async () => {
    await scene.applyAs('argocd', configMap(namespace, 'shared', { a: '1' }));
    const record = await scene.prepare(
      contentOf([configMap(namespace, 'shared', { a: '2' }), configMap(namespace, 'new', { a: '1' })]),
    );
    expect(told(await scene.apply(record, [], false))).toEqual([
      'shared failed: Apply failed with 1 conflict: conflict with "argocd": .data.a',
      'new created',
    ]);
    expect(told(await scene.apply(record, [], true))).toEqual(['shared changed', 'new unchanged']);
  });

  test('what somebody made since the preview is left as it is', async () => {
    const record = await scene.prepare(contentOf([configMap(namespace, 'new', { a: '1' })]));
    await scene.applyAs('somebody', configMap(namespace, 'new', { a: 'theirs' }));
    expect(told(await scene.apply(record))).toEqual([
      'new failed: It was made since the preview, by somebody. It was left as it is.',
    ]);
  });

  test('a value that was sealed for another Secret is not taken, and none that is missing is left out', async () => {
    const record = await scene.prepare(scene.slotContent([secretOf(namespace, 'pin')], 'pin', 'pin'));
    const foreign = await scene.engine.seal(scene.secretReference('other'), 'pin', 'value');
    const moved = { ...foreign, reference: scene.secretReference('pin') };
    const answer = await scene.engine.ask('push.apply', { record, takeOverConflicts: false, secrets: [moved] });
    expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_ValueInvalid' } });
    expect(told(await scene.apply(record))).toEqual(['pin failed: No value was given for pin.']);
  });

  test('one who may not read an object prepares nothing', async () => {
    const limited = await openPushEngine(await cluster.limitedKubeconfig(), cluster.kubectlPath);
    try {
      const content = contentOf([secretOf(namespace, 'pin', { pin: '1' })]);
      const answer = await limited.ask('push.prepare', { content, pushId: newPushId() });
      expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_RightsMissing' } });
    } finally {
      await limited.close();
    }
  });
});

test('no value is in an argument, a file or an answer', async () => {
  const [typed, live] = [`typed-${randomUUID()}`, `live-${randomUUID()}`];
  await scene.applyAs('somebody', secretOf(namespace, 'pin', { pin: live }));
  const content = scene.slotContent([secretOf(namespace, 'pin', {})], 'pin', 'pin');
  const forms = [typed, live].flatMap(formsOf);
  const found: string[] = [];
  const watching = { on: true };
  let seen = 0;
  const watch = (async () => {
    while (watching.on) {
      for (const name of await readdir('/proc')) {
        if (!/^\d+$/u.test(name) || Number(name) === process.pid) continue;
        const process_ = await readProcess(Number(name));
        if (!process_.includes(scene.engine.directory)) continue;
        seen += 1;
        if (forms.some((form) => process_.includes(form))) found.push(name);
      }
      await wait(5);
    }
  })();
  const answers: unknown[] = [];
  const record = await scene.prepare(content);
  const value = await scene.engine.seal(scene.secretReference('pin'), 'pin', typed);
  answers.push(record, await scene.engine.ask('push.preview', { content }), await scene.apply(record, [value]));
  answers.push(await scene.engine.ask('push.look', { record }), await scene.engine.ask('push.drift', { record }));
  answers.push(await scene.undo(record), await scene.engine.ask('push.forget-kept', { record }));
  watching.on = false;
  await watch;
  expect(seen).toBeGreaterThan(5);
  expect(found).toEqual([]);
  const told_ = Buffer.from(JSON.stringify(answers));
  expect(forms.filter((form) => told_.includes(form))).toEqual([]);
  const files = await filesHolding(scene.engine.directory, [typed, live]);
  expect(files.holding).toEqual([]);
  expect(files.read).toBeGreaterThan(0);
});
