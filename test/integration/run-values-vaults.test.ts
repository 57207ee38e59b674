/** What is known of a Vault follows its shares to a new key, so that the next unseal looks for the right one. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Core } from '../../electron/core/core.ts';
import { encryptToWrappingKey } from '../../electron/runs/interpreter/wrapping.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { endOf, setUpPlan } from '../fixtures/care-desk.ts';
import { makeCoreDesk, type CoreDesk } from '../fixtures/core-desk.ts';
import { valueOf } from '../fixtures/token-port.ts';

let desk: CoreDesk;
let core: Core;
beforeEach(async () => {
  desk = await makeCoreDesk();
  core = valueOf(await desk.open());
});
afterEach(async () => {
  await core.close();
  await desk.remove();
});

async function carryThrough(plan: Plan) {
  const { runId } = valueOf(await core.runner.start(plan, 'Ada'));
  return valueOf(await core.runner.proceed(runId, { by: 'Ada', typedName: '', throughDeliberateSteps: true }));
}

it('a rewrap tells the Vaults whose shares it moved, and no other', async () => {
  const setUp = await carryThrough({ ...setUpPlan, storeId: 'softhsm' });
  expect(endOf(setUp)).toBe('completed');
  const serial = String(setUp.state.facts['serial']);
  const token = { storeId: 'softhsm', serial, label: 'care' };
  const vault = {
    id: 'one',
    name: 'One',
    addresses: ['https://127.0.0.1:1'],
    trust: { kind: 'system' } as const,
    rehearsal: false,
    tokenStoreId: 'softhsm',
    tokenSerial: serial,
    keyLabel: 'bank-vaults',
  };
  valueOf(await core.settings.addVault(vault));
  valueOf(await core.settings.addVault({ ...vault, id: 'other', name: 'Other', tokenSerial: 'elsewhere' }));
  const key = valueOf(await core.tokens.findWrappingKey(token, 'bank-vaults'));
  valueOf(
    await core.tokens.writeData(token, 'vault-unseal-0', encryptToWrappingKey(key.publicKeySpki, Buffer.from('x'))),
  );
  const rewrapped = await carryThrough({
    workflow: 'values-rewrap',
    rehearsal: false,
    token,
    fromKeyLabel: 'bank-vaults',
    toKeyLabel: 'bank-vaults-2',
    modulusBits: 2048,
    labels: ['vault-unseal-0'],
    removeOldKey: false,
  });
  expect(endOf(rewrapped)).toBe('completed');
  expect(core.vaults().map(({ id, keyLabel }) => `${id} ${keyLabel}`)).toEqual([
    'one bank-vaults-2',
    'other bank-vaults',
  ]);
});
