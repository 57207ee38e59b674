/** Pushes and undos on a real API server: what goes in, what comes back, and whose the fields are then. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type {
  Manifest,
  ObjectOutcome,
  ObjectReference,
  PushContent,
  PushRecord,
  SealedSlotValue,
} from '../../electron/workflows/cluster-ports.ts';
import { configMap, contentOf, daemonSet, openPushEngine, secretOf, type PushEngine } from '../fixtures/push-engine.ts';
import { filesHolding, formsOf, readProcess } from '../fixtures/secret-search.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

let cluster: KubernetesServer;
let engine: PushEngine;
let namespace = '';
let namespaces = 0;
/** Called before each run of kubectl, with its number since the test began. */
let beforeRun: (number: number, argumentList: readonly string[]) => unknown = () => undefined;
let runNumber = 0;

beforeAll(async () => {
  cluster = await startKubernetes();
  // With just the rights that docs/clusters.md lists.
  engine = await openPushEngine(await cluster.custodianKubeconfig(), cluster.kubectlPath, (kubectl) => ({
    ...kubectl,
    run: async (request) => {
      runNumber += 1;
      await beforeRun(runNumber, request.argumentList);
      return kubectl.run(request);
    },
  }));
});
afterAll(async () => {
  await engine.close();
  await cluster.stop();
});
beforeEach(async () => {
  namespaces += 1;
  namespace = `undo-${namespaces}`;
  runNumber = 0;
  beforeRun = () => undefined;
  await cluster.arrange(['create', 'namespace', namespace]);
});

async function applyAs(manager: string, ...objects: readonly Manifest[]): Promise<void> {
  const text = objects.map((manifest) => JSON.stringify(manifest)).join('\n');
  await cluster.arrange(['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'], text);
}

const newId = (): string => `push-${randomUUID()}`;

async function prepare(content: PushContent, pushId = newId()): Promise<PushRecord> {
  return valueOf(await engine.ask('push.prepare', { content, pushId }));
}

async function apply(
  record: PushRecord,
  secrets: readonly SealedSlotValue[] = [],
  takeOverConflicts = true,
): Promise<readonly ObjectOutcome[]> {
  return valueOf(await engine.ask('push.apply', { record, takeOverConflicts, secrets: [...secrets] })).outcomes;
}

async function undo(record: PushRecord): Promise<readonly ObjectOutcome[]> {
  return valueOf(await engine.ask('push.undo', { record })).outcomes;
}

function told(outcomes: readonly ObjectOutcome[]): readonly string[] {
  return outcomes.map(
    ({ reference, outcome, problem }) => `${reference.name} ${outcome}${problem === '' ? '' : `: ${problem}`}`,
  );
}

interface Kept {
  readonly managers: readonly string[];
  readonly object: unknown;
}

/** Everything in the namespace but what the server keeps for itself; and whose each field is. */
async function state(): Promise<Readonly<Record<string, Kept>>> {
  const text = await cluster.arrange([
    'get',
    'configmap,secret,daemonset',
    '-n',
    namespace,
    '-o',
    'json',
    '--show-managed-fields',
  ]);
  const { items } = JSON.parse(text) as {
    items: { kind: string; metadata: Record<string, unknown> & { name: string } }[];
  };
  const kept: Record<string, Kept> = {};
  for (const item of items) {
    const { managedFields, ...rest } = item.metadata;
    for (const name of ['resourceVersion', 'generation']) Reflect.deleteProperty(rest, name);
    // Counted up by the server with every change.
    if (item.kind === 'DaemonSet') Reflect.deleteProperty(rest, 'annotations');
    const entries = managedFields as { manager: string; operation: string; fieldsV1: unknown }[];
    kept[`${item.kind} ${rest.name}`] = {
      managers: entries
        .map(({ manager, operation, fieldsV1 }) => `${manager} ${operation} ${JSON.stringify(fieldsV1)}`)
        .sort(),
      object: { ...item, metadata: rest },
    };
  }
  return kept;
}

function secretReference(name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}

function slotContent(objects: readonly Manifest[], name: string, ...keys: readonly string[]): PushContent {
  return contentOf(objects, {
    secretSlots: keys.map((key) => ({ reference: secretReference(name), key, what: 'User PIN of token vault' })),
  });
}

/** Things of others and of ours, as they may stand in a cluster before a push. */
async function arrangeGround(): Promise<void> {
  await Promise.all([
    applyAs('argocd', daemonSet(namespace, 'vault', 'vault:1', 3), configMap(namespace, 'shared', { a: '1', b: '1' })),
    applyAs('key-custodian', configMap(namespace, 'ours', { a: '1', gone: '1' })),
    cluster.arrange(['apply', '-f', '-'], JSON.stringify(configMap(namespace, 'applied', { a: '1', gone: '1' }))),
  ]);
  await applyAs(
    'somebody',
    configMap(namespace, 'ours', { theirs: '1' }),
    secretOf(namespace, 'pin', { pin: 'earlier', other: 'kept' }),
  );
}

function groundContent(): PushContent {
  return slotContent(
    [
      daemonSet(namespace, 'vault', 'vault:2', 5),
      configMap(namespace, 'shared', { b: '2', c: '2' }),
      configMap(namespace, 'ours', { a: '2', added: '2' }),
      configMap(namespace, 'applied', { a: '2' }),
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pin', namespace }, type: 'Opaque' },
      configMap(namespace, 'new', { a: '1' }),
    ],
    'pin',
    'pin',
  );
}

describe('a push and its undo', () => {
  test('puts everything in, and gives every field back to whom it belonged', async () => {
    await arrangeGround();
    const before = await state();
    const record = await prepare(groundContent());
    expect(JSON.stringify(record)).not.toMatch(/earlier|ZWFybGllcg/u);
    const value = await engine.seal(secretReference('pin'), 'pin', 'later-pin');
    expect(told(await apply(record, [value]))).toEqual([
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
    expect(told(valueOf(await engine.ask('push.look', { record })).outcomes)).toEqual([
      'pin changed',
      'shared changed',
      'ours changed',
      'applied changed',
      'new created',
      'vault changed',
    ]);
    // Again, with nothing left to do, and nothing typed.
    expect(told(await apply(record))).toEqual([
      'pin unchanged',
      'shared unchanged',
      'ours unchanged',
      'applied unchanged',
      'new unchanged',
      'vault unchanged',
    ]);
    expect(told(await undo(record))).toEqual([
      'pin restored',
      'shared restored',
      'ours restored',
      'applied restored',
      'new deleted',
      'vault restored',
    ]);
    expect(told(await undo(record))).toEqual([
      'pin unchanged',
      'shared unchanged',
      'ours unchanged',
      'applied unchanged',
      'new unchanged',
      'vault unchanged',
    ]);
    valueOf(await engine.ask('push.forget-kept', { record }));
    valueOf(await engine.ask('push.forget-kept', { record }));
    expect(await state()).toEqual(before);
  });

  test('leaves alone what others have set since, and what they made anew', async () => {
    await applyAs('argocd', configMap(namespace, 'shared', { a: '1' }));
    const record = await prepare(
      contentOf([
        configMap(namespace, 'shared', { a: '2', ours: '2' }),
        configMap(namespace, 'new', { a: '1' }),
        configMap(namespace, 'again', { a: '1' }),
      ]),
    );
    await apply(record);
    await applyAs('argocd', configMap(namespace, 'shared', { a: '3', theirs: '3' }));
    await applyAs('somebody', configMap(namespace, 'new', { theirs: '1' }));
    await cluster.arrange(['delete', 'configmap', 'again', '-n', namespace]);
    await cluster.arrange(['create', 'configmap', 'again', '-n', namespace, '--from-literal=a=1']);
    expect(told(await undo(record))).toEqual([
      'shared restored',
      'new deleted',
      expect.stringMatching(/^again failed: It is no longer ours: it was made anew by kubectl-create/u),
    ]);
    expect(Object.keys(await state())).toEqual(['ConfigMap again', 'ConfigMap shared']);
    expect((await state())['ConfigMap shared']?.object).toMatchObject({ data: { a: '3', theirs: '3' } });
  });

  test('one that somebody makes anew at the last moment is not deleted in place of the one that was looked at', async () => {
    const record = await prepare(contentOf([configMap(namespace, 'again', { a: '1' }), secretOf(namespace, 'pin')]));
    await apply(record);
    const uidOf = async (): Promise<string> =>
      cluster.arrange(['get', 'configmap', 'again', '-n', namespace, '-o', 'jsonpath={.metadata.uid}']);
    const first = await uidOf();
    let replaced = 0;
    beforeRun = async (_, argumentList) => {
      if (argumentList[0] !== 'delete' || !argumentList.some((word) => word.endsWith('/again')) || replaced > 0) return;
      replaced += 1;
      await cluster.arrange(['delete', 'configmap', 'again', '-n', namespace]);
      // Of the same name and content: only its UID tells.
      await cluster.arrange(
        ['create', '--field-manager=hand', '-f', '-'],
        JSON.stringify(configMap(namespace, 'again', { a: '1' })),
      );
    };
    expect(told(await undo(record))).toEqual([
      'pin deleted',
      'again failed: It is no longer ours: it was made anew by hand. It was left as it is.',
    ]);
    expect(replaced).toBe(1);
    expect(await uidOf()).not.toBe(first);
  });

  test('one that others change all the while is looked at again, and deleted if it is still ours', async () => {
    const record = await prepare(contentOf([configMap(namespace, 'busy', { a: '1' })]));
    await apply(record);
    let changes = 0;
    beforeRun = async (_, argumentList) => {
      if (argumentList[0] !== 'delete' || changes === 2) return;
      changes += 1;
      await cluster.arrange(['annotate', 'configmap', 'busy', '-n', namespace, `turn=${changes}`, '--overwrite']);
    };
    expect(told(await undo(record))).toEqual(['busy deleted']);
    expect(changes).toBe(2);
    expect(Object.keys(await state())).toEqual([]);
  });

  test('what somebody deleted since comes back as it was', async () => {
    await applyAs('argocd', configMap(namespace, 'shared', { a: '1' }), secretOf(namespace, 'pin', { pin: 'earlier' }));
    const record = await prepare(
      contentOf([configMap(namespace, 'shared', { a: '2' }), secretOf(namespace, 'pin', { pin: 'later' })]),
    );
    await apply(record);
    await cluster.arrange(['delete', 'configmap/shared', 'secret/pin', '-n', namespace]);
    expect(told(await undo(record))).toEqual(['pin restored', 'shared restored']);
    const after = await state();
    expect(after['ConfigMap shared']?.object).toMatchObject({ data: { a: '1' } });
    expect(after['Secret pin']?.object).toMatchObject({ data: { pin: Buffer.from('earlier').toString('base64') } });
  });

  test('a namespace with things of others in it is not deleted, one without is', async () => {
    const made = `${namespace}-made`;
    const record = await prepare(
      contentOf([
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: made } },
        configMap(made, 'inside', { a: '1' }),
      ]),
    );
    expect(told(await apply(record))).toEqual([`${made} created`, 'inside created']);
    await cluster.arrange(['create', 'configmap', 'theirs', '-n', made]);
    expect(told(await undo(record))).toEqual([
      `${made} failed: The namespace holds what this push did not make (ConfigMap theirs), so it was left.`,
      'inside deleted',
    ]);
    await cluster.arrange(['delete', 'configmap', 'theirs', '-n', made]);
    expect(told(await undo(record))).toEqual([`${made} deleted`, 'inside unchanged']);
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
      const record = valueOf(await admin.ask('push.prepare', { content: contentOf(objects), pushId: newId() }));
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
    const record = await prepare(
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
    expect(told(await apply(record))).toEqual([`${node} changed`]);
    const pushed = await read();
    expect(pushed).toContain('"nitrokey.com/hsm":"2"');
    expect(told(await apply(record))).toEqual([`${node} unchanged`]);
    expect(await read()).toBe(pushed);
    expect(valueOf(await engine.ask('push.drift', { record })).drift).toMatchObject([{ state: 'same' }]);
    // Somebody puts a taint before ours: ours is found where it stands then.
    await cluster.arrange(['taint', 'node', node, 'theirs-']);
    await cluster.arrange(['taint', 'node', node, 'early=1:NoExecute']);
    expect(told(await undo(record))).toEqual([`${node} restored`]);
    const after = await read();
    expect(after).not.toContain('nitrokey.com/hsm');
    expect(after).toContain('early');
    expect(before).not.toContain('early');
    expect(told(await undo(record))).toEqual([`${node} unchanged`]);
  });
});

describe('what stands in the way', () => {
  test('a conflict is refused where it was not taken over, object by object', async () => {
    await applyAs('argocd', configMap(namespace, 'shared', { a: '1' }));
    const record = await prepare(
      contentOf([configMap(namespace, 'shared', { a: '2' }), configMap(namespace, 'new', { a: '1' })]),
    );
    expect(told(await apply(record, [], false))).toEqual([
      'shared failed: Apply failed with 1 conflict: conflict with "argocd": .data.a',
      'new created',
    ]);
    expect(told(await apply(record, [], true))).toEqual(['shared changed', 'new unchanged']);
  });

  test('what somebody made since the preview is left as it is', async () => {
    const record = await prepare(contentOf([configMap(namespace, 'new', { a: '1' })]));
    await applyAs('somebody', configMap(namespace, 'new', { a: 'theirs' }));
    expect(told(await apply(record))).toEqual([
      'new failed: It was made since the preview, by somebody. It was left as it is.',
    ]);
  });

  test('a value that was sealed for another Secret is not taken, and none that is missing is left out', async () => {
    const record = await prepare(slotContent([secretOf(namespace, 'pin')], 'pin', 'pin'));
    const foreign = await engine.seal(secretReference('other'), 'pin', 'value');
    const moved = { ...foreign, reference: secretReference('pin') };
    const answer = await engine.ask('push.apply', { record, takeOverConflicts: false, secrets: [moved] });
    expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_ValueInvalid' } });
    expect(told(await apply(record))).toEqual(['pin failed: No value was given for pin.']);
  });

  test('one who may not read an object prepares nothing', async () => {
    const limited = await openPushEngine(await cluster.limitedKubeconfig(), cluster.kubectlPath);
    try {
      const content = contentOf([secretOf(namespace, 'pin', { pin: '1' })]);
      const answer = await limited.ask('push.prepare', { content, pushId: newId() });
      expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_RightsMissing' } });
    } finally {
      await limited.close();
    }
  });
});

/** Ends the kubectl that runs then, or the next one. */
async function killKubectl(afterMilliseconds: number): Promise<void> {
  await wait(afterMilliseconds);
  for (let attempt = 0; attempt < 400; attempt += 1) {
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/u.test(name)) continue;
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      if (!command.startsWith(`${cluster.kubectlPath}\0`) || !command.includes(engine.directory)) continue;
      process.kill(Number(name), 'SIGKILL');
      return;
    }
    await wait(1);
  }
}

describe('kubectl ended by somebody', () => {
  test('at any run of a push: a look and the same again finish it, and the undo restores all', async () => {
    for (let step = 1; ; step += 1) {
      const inner = `${namespace}-${step}`;
      await cluster.arrange(['create', 'namespace', inner]);
      namespace = inner;
      await arrangeGround();
      const before = await state();
      let killed: Promise<void> | undefined;
      runNumber = 0;
      beforeRun = (number) => {
        if (number === step) killed = killKubectl((number * 37) % 120);
      };
      const pushId = newId();
      const content = groundContent();
      const value = (): Promise<SealedSlotValue> => engine.seal(secretReference('pin'), 'pin', 'later-pin');
      const first = await engine.ask('push.prepare', { content, pushId });
      const record = first.ok ? first.value : await prepare(content, pushId);
      await engine.ask('push.apply', { record, takeOverConflicts: true, secrets: [await value()] });
      await killed;
      beforeRun = () => undefined;
      await apply(record, [await value()]);
      const looked = valueOf(await engine.ask('push.look', { record })).outcomes;
      expect(looked.map(({ outcome }) => outcome)).toEqual([
        'changed',
        'changed',
        'changed',
        'changed',
        'created',
        'changed',
      ]);
      const undone = await undo(record);
      expect(undone.every(({ outcome }) => outcome !== 'failed' && outcome !== 'not-reached')).toBe(true);
      valueOf(await engine.ask('push.forget-kept', { record }));
      expect(await state()).toEqual(before);
      if (killed === undefined) break;
    }
  }, 240_000);

  test('at any run of an undo: the same again finishes it', async () => {
    for (let step = 1; ; step += 1) {
      const inner = `${namespace}-${step}`;
      await cluster.arrange(['create', 'namespace', inner]);
      namespace = inner;
      await arrangeGround();
      const before = await state();
      const record = await prepare(groundContent());
      await apply(record, [await engine.seal(secretReference('pin'), 'pin', 'later-pin')]);
      let killed: Promise<void> | undefined;
      runNumber = 0;
      beforeRun = (number) => {
        if (number === step) killed = killKubectl((number * 37) % 120);
      };
      await engine.ask('push.undo', { record });
      await killed;
      beforeRun = () => undefined;
      const undone = await undo(record);
      expect(told(undone).filter((text) => text.includes(':'))).toEqual([]);
      valueOf(await engine.ask('push.forget-kept', { record }));
      expect(await state()).toEqual(before);
      if (killed === undefined) break;
    }
  }, 240_000);
});

test('no value is in an argument, a file or an answer', async () => {
  const [typed, live] = [`typed-${randomUUID()}`, `live-${randomUUID()}`];
  await applyAs('somebody', secretOf(namespace, 'pin', { pin: live }));
  const content = slotContent([secretOf(namespace, 'pin', {})], 'pin', 'pin');
  const forms = [typed, live].flatMap(formsOf);
  const found: string[] = [];
  const watching = { on: true };
  let seen = 0;
  const watch = (async () => {
    while (watching.on) {
      for (const name of await readdir('/proc')) {
        if (!/^\d+$/u.test(name) || Number(name) === process.pid) continue;
        const process_ = await readProcess(Number(name));
        if (!process_.includes(engine.directory)) continue;
        seen += 1;
        if (forms.some((form) => process_.includes(form))) found.push(name);
      }
      await wait(5);
    }
  })();
  const answers: unknown[] = [];
  const record = await prepare(content);
  const value = await engine.seal(secretReference('pin'), 'pin', typed);
  answers.push(record, await engine.ask('push.preview', { content }), await apply(record, [value]));
  answers.push(await engine.ask('push.look', { record }), await engine.ask('push.drift', { record }));
  answers.push(await undo(record), await engine.ask('push.forget-kept', { record }));
  watching.on = false;
  await watch;
  expect(seen).toBeGreaterThan(5);
  expect(found).toEqual([]);
  const told_ = Buffer.from(JSON.stringify(answers));
  expect(forms.filter((form) => told_.includes(form))).toEqual([]);
  const files = await filesHolding(engine.directory, [typed, live]);
  expect(files.holding).toEqual([]);
  expect(files.read).toBeGreaterThan(0);
});
