import { describe, expect, it } from 'vitest';
import { planSchema } from '../../electron/workflows/plans.ts';
import {
  lossesOnErase,
  planDeletion,
  planKeyTest,
  planRepair,
  planReset,
} from '../../renderer/features/tokens/token-plans.ts';
import { attributeWords, filterRows, objectRows, pageOf, valueRows } from '../../renderer/views/token-objects.ts';
import { crowdedDevice, objectView, smartCardHsm, usualObjects, vaultOnDevice } from '../screens/device-views.ts';

describe('what lies on a token', () => {
  it('shows both halves of a key pair as one, keys first, numbers in their order', () => {
    const rows = objectRows([...usualObjects, objectView({ label: 'vault-unseal-10', valueKind: 'share' })]);
    expect(rows.map((row) => row.label)).toEqual([
      'bank-vaults',
      'release-signing',
      'release-signing',
      'vault-root',
      'vault-unseal-0',
      'vault-unseal-1',
      'vault-unseal-2',
      'vault-unseal-3',
      'vault-unseal-4',
      'vault-unseal-10',
    ]);
    expect(rows.slice(0, 3).map((row) => `${row.objectClass} ${row.kind}`)).toEqual([
      'key-pair RSA 2048',
      'key-pair EC P-256',
      'certificate X.509',
    ]);
    expect(rows[3]?.kind).toBe('256 bytes');
  });

  it('keeps halves apart that do not belong together, and keys of one label too', () => {
    const half = (objectClass: 'private-key' | 'public-key', id: string): ReturnType<typeof objectView> =>
      objectView({ objectClass, label: 'key', id, kind: 'RSA', bits: 2048, size: 0, sha256: '' });
    expect(objectRows([half('private-key', '01'), half('public-key', '02')]).map((row) => row.objectClass)).toEqual([
      'private-key',
      'public-key',
    ]);
    const both = ['01', '02'].flatMap((id) => [half('private-key', id), half('public-key', id)]);
    expect(objectRows(both).map((row) => `${row.objectClass} ${row.id}`)).toEqual(['key-pair 01', 'key-pair 02']);
  });

  it('is found by what stands in its row', () => {
    const rows = objectRows(usualObjects);
    const labels = (sought: string): readonly string[] => filterRows(rows, 'all', sought).map((row) => row.label);
    expect(labels('a7')).toEqual(['release-signing', 'release-signing']);
    expect(labels('example cert')).toEqual(['release-signing']);
    expect(labels('production unseal-3')).toEqual(['vault-unseal-3']);
    expect(filterRows(rows, 'keys', '').map((row) => row.objectClass)).toEqual(['key-pair', 'key-pair']);
    expect(filterRows(rows, 'certificates', '')).toHaveLength(1);
    expect(filterRows(rows, 'data', '')).toHaveLength(6);
    expect(labels('nothing of the kind')).toEqual([]);
  });

  it('is shown a page at a time', () => {
    const rows = objectRows(crowdedDevice(312).objects);
    expect(pageOf(rows, 0, 40)).toMatchObject({ from: 1, to: 40, pages: 8 });
    expect(pageOf(rows, 99, 40)).toMatchObject({ page: 7, from: 281, to: 312 });
    expect(pageOf([], 0, 40)).toMatchObject({ from: 0, to: 0, pages: 1 });
  });

  it('says what a key may do in plain words', () => {
    expect(attributeWords('NEVER_EXTRACTABLE')).toEqual({
      plain: 'Never left the token',
      name: 'CKA_NEVER_EXTRACTABLE',
    });
    expect(attributeWords('CKA_SOMETHING_NEW')).toEqual({ plain: 'something new', name: 'CKA_SOMETHING_NEW' });
  });

  it('lists stored values once each, counted as people do', () => {
    const rows = valueRows([
      ...usualObjects,
      objectView({ label: 'vault-unseal-1', valueKind: 'share', doubled: true }),
    ]);
    expect(rows.map((row) => row.title)).toEqual([
      'Key share 1',
      'Key share 2',
      'Key share 3',
      'Key share 4',
      'Key share 5',
      'Root token',
    ]);
    expect(rows.filter((row) => row.copies > 1).map((row) => row.label)).toEqual(['vault-unseal-1']);
  });
});

describe('plans that are known from the token alone', () => {
  const token = smartCardHsm();

  it('try every key, or one', () => {
    expect(planSchema.parse(planKeyTest(token))).toMatchObject({
      attest: true,
      keys: [{ label: 'bank-vaults' }, { label: 'release-signing' }],
    });
    const [row] = objectRows(usualObjects);
    expect(planSchema.parse(planKeyTest(token, row))).toMatchObject({ attest: false, keys: [{ id: '01' }] });
    expect(planKeyTest(smartCardHsm({ objects: [], wrappingKeys: [] }))).toBeUndefined();
    // Before a login only the public halves show.
    const publicOnly = usualObjects.filter((object) => object.objectClass !== 'private-key');
    expect(planKeyTest(smartCardHsm({ objects: publicOnly }))?.keys).toEqual([{ label: 'bank-vaults', id: '01' }]);
  });

  it('delete an object with what goes with it', () => {
    const [row] = objectRows(usualObjects);
    if (row === undefined) throw new Error('no row');
    const plan = planSchema.parse(planDeletion(token, row));
    expect(plan).toMatchObject({
      workflow: 'object-delete',
      object: { objectClass: 'key-pair', label: 'bank-vaults', id: '01', sha256: '' },
    });
    const losses = planDeletion(token, row)?.losses.join('\n') ?? '';
    expect(losses).toContain('Production needs “bank-vaults”');
    expect(losses).toContain('vault-unseal-4');
    expect(planDeletion(smartCardHsm({ writeProtected: true }), row)).toBeUndefined();
  });

  it('tell objects of one name apart by what they hold', () => {
    const doubled = objectView({ label: 'twice', sha256: 'c0'.repeat(32), doubled: true });
    const [row] = objectRows([doubled]);
    if (row === undefined) throw new Error('no row');
    expect(planDeletion(token, row)?.object.sha256).toBe('c0'.repeat(32));
  });

  it('check and repair every value', () => {
    const doubled = [...usualObjects, objectView({ label: 'vault-root', valueKind: 'root', doubled: true })];
    expect(planSchema.parse(planRepair(smartCardHsm({ objects: doubled }), 'bank-vaults'))).toMatchObject({
      doubled: ['vault-root'],
      keyLabel: 'bank-vaults',
    });
    expect(planRepair(token, '')).toBeUndefined();
    expect(planRepair(smartCardHsm({ objects: [] }), 'bank-vaults')).toBeUndefined();
  });

  it('erase a token with a list of what dies with it, however much that is', () => {
    const losses = lossesOnErase(token, [vaultOnDevice('sealed')]);
    expect(losses.slice(0, 2)).toEqual([
      'everything on token “vault-unseal” (serial DENK0105160)',
      'the key shares of Production that lie here',
    ]);
    const crowded = planReset(crowdedDevice(900), []);
    expect(planSchema.parse(crowded)).toMatchObject({ smartCardHsm: true, slotId: 0 });
    expect(crowded.losses.at(-1)).toBe('and 700 more objects');
  });
});
