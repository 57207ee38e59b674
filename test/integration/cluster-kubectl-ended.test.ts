/**
 * kubectl ended by somebody at any of its runs: the same again finishes a push, and an undo. Two scenes at a time, each
 * with an engine of its own, on one API server.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SealedSlotValue } from '../../electron/workflows/cluster-ports.ts';
import { newPushId, openPushScene, told, type PushScene } from '../fixtures/push-scene.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const scenesAtOnce = 2;

let cluster: KubernetesServer;
let scenes: readonly PushScene[] = [];

beforeAll(async () => {
  cluster = await startKubernetes();
  const opened: PushScene[] = [];
  for (let index = 0; index < scenesAtOnce; index += 1) opened.push(await openPushScene(cluster));
  scenes = opened;
});
afterAll(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
  await cluster.stop();
});

/** The run of kubectl that is ended, and whether there was one of that number. */
interface Ending {
  begin(): void;
  /** Waits for the kill, and lets the runs after it be. */
  end(): Promise<boolean>;
}

function endingAt(scene: PushScene, step: number): Ending {
  let killed: Promise<void> | undefined;
  return {
    begin: () => {
      scene.beforeRuns((number) => {
        if (number === step) killed = scene.killKubectl((number * 37) % 120);
      });
    },
    end: async () => {
      await killed;
      scene.beforeRuns(() => undefined);
      return killed !== undefined;
    },
  };
}

/** At the first run, the second, … until there is none of that number any more. */
async function endAtEach(act: (scene: PushScene, step: number) => Promise<boolean>): Promise<number> {
  let next = 1;
  let isOver = false;
  const workOff = async (scene: PushScene): Promise<void> => {
    while (!isOver) {
      const step = next;
      next += 1;
      if (!(await act(scene, step))) isOver = true;
    }
  };
  await Promise.all(scenes.map(workOff));
  return next - 1;
}

const valueFor = (scene: PushScene): Promise<SealedSlotValue> =>
  scene.engine.seal(scene.secretReference('pin'), 'pin', 'later-pin');

test('at any run of a push: a look and the same again finish it, and the undo restores all', async () => {
  const steps = await endAtEach(async (scene, step) => {
    await scene.enterNamespace(`push-${step.toString()}`);
    await scene.arrangeGround();
    const before = await scene.state();
    const ending = endingAt(scene, step);
    ending.begin();
    const pushId = newPushId();
    const content = scene.groundContent();
    const first = await scene.engine.ask('push.prepare', { content, pushId });
    const record = first.ok ? first.value : await scene.prepare(content, pushId);
    await scene.engine.ask('push.apply', { record, takeOverConflicts: true, secrets: [await valueFor(scene)] });
    const wasEnded = await ending.end();
    await scene.apply(record, [await valueFor(scene)]);
    const looked = valueOf(await scene.engine.ask('push.look', { record })).outcomes;
    const changed = 'changed';
    expect(looked.map(({ outcome }) => outcome)).toEqual([changed, changed, changed, changed, 'created', changed]);
    const undone = await scene.undo(record);
    expect(undone.every(({ outcome }) => outcome !== 'failed' && outcome !== 'not-reached')).toBe(true);
    valueOf(await scene.engine.ask('push.forget-kept', { record }));
    expect(await scene.state()).toEqual(before);
    return wasEnded;
  });
  expect(steps).toBeGreaterThan(4);
}, 240_000);

test('at any run of an undo: the same again finishes it', async () => {
  const steps = await endAtEach(async (scene, step) => {
    await scene.enterNamespace(`undo-${step.toString()}`);
    await scene.arrangeGround();
    const before = await scene.state();
    const record = await scene.prepare(scene.groundContent());
    await scene.apply(record, [await valueFor(scene)]);
    const ending = endingAt(scene, step);
    ending.begin();
    await scene.engine.ask('push.undo', { record });
    const wasEnded = await ending.end();
    expect(told(await scene.undo(record)).filter((text) => text.includes(':'))).toEqual([]);
    valueOf(await scene.engine.ask('push.forget-kept', { record }));
    expect(await scene.state()).toEqual(before);
    return wasEnded;
  });
  expect(steps).toBeGreaterThan(4);
}, 240_000);
