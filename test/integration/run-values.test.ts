/** bank-vaults' values on a token in use: checked, made single again, read out, encrypted anew. On SoftHSM. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../electron/runs/interpreter/wrapping.ts';
import type { ValuesRepairPlan, ValuesRewrapPlan } from '../../electron/workflows/device-plans.ts';
import type { CareDesk } from '../fixtures/care-desk.ts';
import { deviationsOf, endOf, openCareDesk } from '../fixtures/care-desk.ts';
import { openDirectSession } from '../fixtures/pkcs11/direct.ts';
import { testPin } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';

const testShares = ['test share zero', 'test share one', 'test share two'] as const;
const labels = ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'];

let desk: CareDesk;
beforeEach(async () => {
  desk = await openCareDesk();
  for (const [index, share] of testShares.entries()) await desk.store(`vault-unseal-${index.toString()}`, share);
  await desk.store('vault-root', 'test root token');
});
afterEach(() => desk.close());

const repairPlan = (change: Partial<ValuesRepairPlan> = {}): ValuesRepairPlan => ({
  workflow: 'values-repair',
  rehearsal: false,
  token: desk.token,
  keyLabel: 'bank-vaults',
  doubled: [],
  labels,
  ...change,
});

const rewrapPlan = (change: Partial<ValuesRewrapPlan> = {}): ValuesRewrapPlan => ({
  workflow: 'values-rewrap',
  rehearsal: false,
  token: desk.token,
  fromKeyLabel: 'bank-vaults',
  toKeyLabel: 'bank-vaults-2',
  modulusBits: 2048,
  labels,
  removeOldKey: true,
  ...change,
});

async function dataObjects(label: string) {
  const listed = valueOf(await desk.harness.tokens.listAllObjects(desk.token));
  return listed.objects.filter((object) => object.objectClass === 'data' && object.label === label);
}

const states = (ended: {
  readonly state: { readonly steps: readonly { readonly id: string; readonly evidence: object }[] };
}) =>
  Object.fromEntries(
    ended.state.steps.flatMap(({ id, evidence }) =>
      'valueState' in evidence ? [[id, evidence.valueState] as const] : [],
    ),
  );

const outboxOf = (runId: string): string => join(desk.harness.dataDirectory, 'runs', runId, 'outbox');

describe('checking and repairing', () => {
  it('finds sound values sound', async () => {
    const ended = await desk.carryThrough(repairPlan());
    expect(endOf(ended)).toBe('completed');
    expect(Object.values(states(ended))).toEqual(['decrypts', 'decrypts', 'decrypts', 'decrypts']);
    expect(deviationsOf(ended)).toEqual([]);
  });

  it('notes a missing value and one under another key as deviations, and goes on', async () => {
    valueOf(await desk.harness.tokens.generateKeyPair(desk.token, 'other', 2048));
    await desk.store('foreign', 'x', 'other');
    const ended = await desk.carryThrough(repairPlan({ labels: ['vault-unseal-9', 'foreign', 'vault-root'] }));
    expect(endOf(ended)).toBe('completed');
    expect(states(ended)).toEqual({
      'check-vault-unseal-9': 'missing',
      'check-foreign': 'does-not-decrypt',
      'check-vault-root': 'decrypts',
    });
    expect(deviationsOf(ended).join('\n')).toMatch(
      /vault-unseal-9 is not on the token[\s\S]*foreign does not decrypt/u,
    );
  });

  it('does not see what another process keeps for its session, and says so', async () => {
    const direct = openDirectSession(desk.softHsm.configurationPath, desk.token.serial, testPin);
    // bank-vaults' own template of mode hsm: no CKA_TOKEN.
    direct.cryptoki.C_CreateObject(direct.session, [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA },
      { type: pkcs11js.CKA_LABEL, value: 'vault-unseal-7' },
      { type: pkcs11js.CKA_VALUE, value: Buffer.alloc(256) },
    ]);
    try {
      const ended = await desk.carryThrough(repairPlan({ labels: ['vault-unseal-7'] }));
      expect(states(ended)).toEqual({ 'check-vault-unseal-7': 'missing' });
      expect(deviationsOf(ended)[0]).toContain('mode hsm keeps its values on SoftHSM only as long');
    } finally {
      direct.close();
    }
  });

  it('keeps one of several, of the same bytes, encrypted twice, or under no key of this token', async () => {
    const same = valueOf(await desk.harness.tokens.readData(desk.token, 'vault-unseal-0'));
    const again = await desk.store('again', testShares[1]);
    desk.writeBeside([
      { label: 'vault-unseal-0', value: Buffer.from(same) },
      { label: 'vault-unseal-0', value: Buffer.from(same) },
      { label: 'vault-unseal-1', value: again },
      { label: 'vault-unseal-2', value: Buffer.alloc(256, 7) },
    ]);
    const doubled = ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2'];
    const unrepaired = await desk.carryThrough(repairPlan());
    expect(Object.values(states(unrepaired))).toEqual(['doubled', 'doubled', 'doubled', 'decrypts']);
    const ended = await desk.carryThrough(repairPlan({ doubled }));
    expect(endOf(ended)).toBe('completed');
    expect(Object.values(states(ended))).toEqual(['decrypts', 'decrypts', 'decrypts', 'decrypts']);
    for (const [index, share] of testShares.entries())
      expect(await desk.decrypt(`vault-unseal-${index.toString()}`, 'bank-vaults')).toBe(share);
    const saved = await readdir(outboxOf(ended.state.runId));
    expect(saved.map((name) => name.slice(0, 14)).sort()).toEqual([
      'vault-unseal-0',
      'vault-unseal-1',
      'vault-unseal-1',
      'vault-unseal-2',
      'vault-unseal-2',
    ]);
    const hashes = await Promise.all(
      saved.map(async (name) => sha256Hex(await readFile(join(outboxOf(ended.state.runId), name)))),
    );
    expect(hashes).toContain(sha256Hex(same));
    expect(hashes).toContain(sha256Hex(again));
  });

  it('deletes nothing where two decrypt to different values, or none does', async () => {
    const other = await desk.store('other', 'a share of another Vault');
    desk.writeBeside([{ label: 'vault-unseal-0', value: other }]);
    const ended = await desk.carryThrough(repairPlan({ doubled: ['vault-unseal-0'] }));
    expect(endOf(ended)).toContain('resolve-vault-unseal-0: Token_ObjectDoubled');
    expect(await dataObjects('vault-unseal-0')).toHaveLength(2);
    expect(await readdir(outboxOf(ended.state.runId))).toHaveLength(2);
    // A person finds out which one counts and deletes the other; the run goes on from there.
    valueOf(
      await desk.harness.tokens.deleteObject(desk.token, {
        objectClass: 'data',
        label: 'vault-unseal-0',
        id: '',
        sha256: sha256Hex(other),
      }),
    );
    expect(endOf(await desk.goOn(ended.state.runId))).toBe('completed');
    expect(await desk.decrypt('vault-unseal-0', 'bank-vaults')).toBe(testShares[0]);
    desk.writeBeside([
      { label: 'broken', value: Buffer.alloc(256, 1) },
      { label: 'broken', value: Buffer.alloc(256, 2) },
    ]);
    const broken = await desk.carryThrough(repairPlan({ doubled: ['broken'] }));
    expect(endOf(broken)).toContain('resolve-broken: Token_DecryptFailed');
    expect(await dataObjects('broken')).toHaveLength(2);
  });
});

describe('reading out', () => {
  it('shows one value to one custodian', async () => {
    const ended = await desk.carryThrough({
      workflow: 'value-read-out',
      rehearsal: false,
      token: desk.token,
      keyLabel: 'bank-vaults',
      valueLabel: 'vault-root',
      custodian: 'Grace',
    });
    expect(endOf(ended)).toBe('completed');
    expect(desk.harness.prompt.handedOut.get('vault-root')).toBe('test root token');
    expect(JSON.stringify(ended)).not.toContain('test root token');
    const journal = await desk.harness.journal.bytes(ended.state.runId);
    expect(valueOf(journal).includes('test root token')).toBe(false);
  });
});

describe('encrypting anew', () => {
  const expectAll = async (keyLabel: string): Promise<void> => {
    for (const [index, share] of testShares.entries())
      expect(await desk.decrypt(`vault-unseal-${index.toString()}`, keyLabel)).toBe(share);
    expect(await desk.decrypt('vault-root', keyLabel)).toBe('test root token');
  };

  it('brings every value under a new key and deletes the old one last', async () => {
    const halfway = await desk.carryThrough(rewrapPlan(), '');
    const waiting = halfway.state.steps.find(({ status }) => status === 'current');
    expect(waiting?.id ?? endOf(halfway)).toBe('remove-old-key');
    await expectAll('bank-vaults-2');
    await expect(
      readFile(join(desk.harness.dataDirectory, 'runs', halfway.state.runId, 'escrow.json')),
    ).rejects.toThrow('ENOENT');
    const ended = await desk.goOn(halfway.state.runId, 'bank-vaults');
    expect(endOf(ended)).toBe('completed');
    expect(valueOf(await desk.harness.tokens.listObjects(desk.token)).keyPairs.map(({ label }) => label)).toEqual([
      'bank-vaults-2',
    ]);
    await expectAll('bank-vaults-2');
  });

  it('takes a key that is there, keeps the old one where it is to stay, and comes back', async () => {
    valueOf(await desk.harness.tokens.generateKeyPair(desk.token, 'bank-vaults-2', 3072));
    const there = await desk.carryThrough(rewrapPlan({ removeOldKey: false, modulusBits: 3072 }));
    expect(endOf(there)).toBe('completed');
    await expectAll('bank-vaults-2');
    const back = await desk.carryThrough(
      rewrapPlan({ removeOldKey: false, fromKeyLabel: 'bank-vaults-2', toKeyLabel: 'bank-vaults' }),
    );
    expect(endOf(back)).toBe('completed');
    await expectAll('bank-vaults');
  });

  it('takes values to a key of a curve that it makes, and back to RSA', async () => {
    const there = await desk.carryThrough(rewrapPlan({ removeOldKey: false, curve: 'P-256' }));
    expect(endOf(there)).toBe('completed');
    expect(there.state.facts).toMatchObject({ curve: 'P-256' });
    await expectAll('bank-vaults-2');
    const back = await desk.carryThrough(
      rewrapPlan({ removeOldKey: false, fromKeyLabel: 'bank-vaults-2', toKeyLabel: 'bank-vaults' }),
    );
    expect(endOf(back)).toBe('completed');
    await expectAll('bank-vaults');
  });

  it('changes nothing where a value is missing, doubled or under another key, or the labels are the same', async () => {
    desk.writeBeside([{ label: 'odd', value: Buffer.alloc(256, 3) }]);
    const before = valueOf(await desk.harness.tokens.listAllObjects(desk.token)).objects;
    expect(endOf(await desk.carryThrough(rewrapPlan({ labels: [...labels, 'gone'] })))).toContain(
      'rewrap: Token_ObjectMissing',
    );
    expect(endOf(await desk.carryThrough(rewrapPlan({ labels: [...labels, 'odd'] })))).toContain(
      'rewrap: Token_DecryptFailed',
    );
    expect(endOf(await desk.carryThrough(rewrapPlan({ toKeyLabel: 'bank-vaults' })))).toContain(
      'ensure-key: Token_KeyLabelInUse',
    );
    const after = valueOf(await desk.harness.tokens.listAllObjects(desk.token)).objects;
    const hashesOf = (objects: typeof after) =>
      objects
        .filter((o) => o.objectClass === 'data')
        .map((o) => o.sha256)
        .sort();
    expect(hashesOf(after)).toEqual(hashesOf(before));
    await expectAll('bank-vaults');
  });

  it('does not delete an old key that another value of the token needs', async () => {
    await desk.store('something-else', 'still needed');
    const ended = await desk.carryThrough(rewrapPlan(), 'bank-vaults');
    expect(endOf(ended)).toContain('remove-old-key: Token_KeyUnsuitable');
    expect(await desk.decrypt('something-else', 'bank-vaults')).toBe('still needed');
    valueOf(await desk.harness.tokens.deleteData(desk.token, 'something-else'));
    expect(endOf(await desk.goOn(ended.state.runId, 'bank-vaults'))).toBe('completed');
  });

  it('is not abandoned by a slip once values are on their way', async () => {
    const halfway = await desk.carryThrough(rewrapPlan({ removeOldKey: false, labels: [...labels, 'gone'] }));
    const slip = await desk.harness.runner.abandon(halfway.state.runId, { by: 'Ada', typedName: '' });
    expect(slip).toMatchObject({ ok: false, error: { code: 'Custody_ConfirmationMismatch' } });
    const meant = await desk.harness.runner.abandon(halfway.state.runId, { by: 'Ada', typedName: desk.token.label });
    expect(meant).toMatchObject({ ok: true });
  });
});
