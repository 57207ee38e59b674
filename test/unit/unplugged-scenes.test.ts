/** What test/integration/run-unplugged-*.test.ts shows leaves nothing out: every workflow, every step with a device. */
import { expect, test } from 'vitest';
import { stepsOf } from '../../electron/workflows/definitions.ts';
import { planSchema } from '../../electron/workflows/plans.ts';
import { deviceKinds } from '../fixtures/unplugged/pulls.ts';
import { scenes, type Things } from '../fixtures/unplugged/scenes.ts';

const token = { storeId: 'test', serial: 'ZZTEST00001', label: 'office' };
const things: Things = {
  token,
  target: { ...token, serial: 'ZZTEST00002', label: 'spare' },
  shareFile: Buffer.alloc(64, 1),
  keyCheckValue: '0123456789abcdef',
  certificate: Buffer.alloc(64, 2).toString('base64'),
  connections: [{ address: 'http://127.0.0.1:8200', trust: { kind: 'system' } }],
};
const kindsIn = Object.values(scenes)
  .flat()
  .flatMap(({ plan }) => stepsOf(plan(things)).map(({ effect }) => effect.kind));

test('every scene is a plan that a run takes', () => {
  for (const [workflow, ofWorkflow] of Object.entries(scenes)) {
    for (const { name, plan } of ofWorkflow) {
      expect(planSchema.safeParse(plan(things)), name).toMatchObject({ success: true });
      expect(plan(things).workflow).toBe(workflow);
    }
  }
});

test('every kind of step that talks to a device is in a scene', () => {
  const withDevice = (Object.keys(deviceKinds) as (keyof typeof deviceKinds)[]).filter(
    (kind) => deviceKinds[kind] !== undefined,
  );
  expect(withDevice.filter((kind) => !kindsIn.includes(kind))).toEqual([]);
});
