/** What a SmartCard-HSM's set-up, drill and clone say and ask, drawn from their plans alone. */
import { describe, expect, it } from 'vitest';
import { planFacts, stepsOf } from '../../electron/workflows/definitions.ts';
import { evidenceNames, programEvidence } from '../../electron/workflows/evidence-names.ts';
import { planSchema } from '../../electron/workflows/plans.ts';
import type { Plan, TokenSetupPlan } from '../../electron/workflows/plans.ts';
import type { BackupDrillPlan, DeviceChoices, DeviceClonePlan } from '../../electron/workflows/device-plans.ts';
import type { StepDefinition } from '../../electron/workflows/run.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const source = { storeId: 'opensc', serial: 'ZZTEST00001', label: 'office' };
const target = { storeId: 'opensc', serial: 'ZZTEST00002', label: 'spare' };

const split = { kind: 'split', threshold: 2, custodians: ['Ada', 'Ben', 'Cleo'] } as const;
const shares: DeviceChoices['dkek'] = {
  kind: 'shares',
  shares: [
    { source: 'new', protection: { kind: 'password', custodian: 'Dora' } },
    { source: 'new', protection: { ...split, custodians: [...split.custodians] } },
    {
      source: 'file',
      fileName: 'third.pbe',
      fileBase64: 'AAAA',
      protection: { kind: 'password', custodian: 'Emil' },
    },
  ],
  expectedKeyCheckValue: '',
};

const choices: DeviceChoices = {
  currentSoPin: 'factory',
  newSoPin: true,
  soPinHolder: 'Sofia',
  pinHolder: 'Paul',
  retryLimit: 3,
  allowPinResetWithSoPin: false,
  dkek: shares,
};

const setUp = (change: Partial<DeviceChoices> = {}): TokenSetupPlan =>
  tokenSetupPlan({
    storeId: 'opensc',
    storeName: 'OpenSC',
    expectedSerial: source.serial,
    label: 'office',
    device: { ...choices, ...change },
  });

const fileShares = (expectedKeyCheckValue: string): DeviceChoices['dkek'] => ({
  kind: 'shares',
  shares: [
    { source: 'file', fileName: 'one.pbe', fileBase64: 'AAAA', protection: { kind: 'password', custodian: 'Dora' } },
  ],
  expectedKeyCheckValue,
});

const drill: BackupDrillPlan = {
  workflow: 'backup-drill',
  rehearsal: false,
  token: source,
  keyLabel: 'bank-vaults',
  target,
};
const drillOnSameDevice: BackupDrillPlan = {
  ...drill,
  target: source,
  reset: { ...choices, currentSoPin: 'typed', newSoPin: false, dkek: fileShares('0123456789abcdef') },
};
const clone: DeviceClonePlan = { workflow: 'device-clone', rehearsal: false, token: source, target, replace: false };

const plans: readonly Plan[] = [
  setUp(),
  setUp({ dkek: { kind: 'none' } }),
  setUp({ dkek: { kind: 'random' } }),
  drill,
  drillOnSameDevice,
  clone,
  { ...clone, replace: true },
];

const idsOf = (plan: Plan): readonly string[] => stepsOf(plan).map(({ id }) => id);

function stepOf(plan: Plan, id: string): StepDefinition {
  const step = stepsOf(plan).find((candidate) => candidate.id === id);
  if (step === undefined) throw new Error(`no step ${id}`);
  return step;
}

describe('every plan', () => {
  it.each(plans.map((plan, index) => [`${String(index)} ${plan.workflow}`, plan] as const))(
    '%s gives the same sound list of steps each time',
    (_, plan) => {
      expect(planSchema.parse(plan)).toEqual(plan);
      const steps = stepsOf(plan);
      expect(stepsOf(structuredClone(plan))).toEqual(steps);
      const before = new Set<string>();
      for (const step of steps) {
        expect(before.has(step.id)).toBe(false);
        for (const need of step.needs) expect(before.has(need)).toBe(true);
        before.add(step.id);
        expect(step.explanation.length).toBeGreaterThan(20);
        expect(step.danger?.typedName).not.toBe('');
        for (const name of step.records) {
          expect(evidenceNames[name], name).toBeDefined();
          expect(programEvidence.has(name)).toBe(false);
        }
      }
      for (const [name, value] of planFacts(plan)) expect(`${name}: ${value}`).toMatch(/^[^:]+: .+$/u);
    },
  );
});

describe('the set-up of a device', () => {
  it('makes and hands out every new share before anything is erased, and imports all before a key is made', () => {
    expect(idsOf(setUp())).toEqual([
      'share-1-create',
      'share-2-create',
      'share-2-piece-1',
      'share-2-piece-2',
      'share-2-piece-3',
      'initialize',
      'read-back',
      'share-1-import',
      'share-2-import',
      'share-3-import',
      'log-in',
      'generate-key',
      'verify-key',
      'attest',
    ]);
    expect(idsOf(setUp({ dkek: { kind: 'none' } }))).toEqual([
      'initialize',
      'read-back',
      'log-in',
      'generate-key',
      'verify-key',
      'attest',
    ]);
  });

  it('names who acts: the keepers of SO-PIN, PIN, passwords and pieces', () => {
    expect(stepOf(setUp(), 'initialize').actor).toEqual({ role: 'custodian', name: 'Sofia and Paul' });
    expect(stepOf(setUp({ soPinHolder: 'Paul' }), 'initialize').actor).toEqual({ role: 'custodian', name: 'Paul' });
    expect(stepOf(setUp(), 'log-in').actor).toEqual({ role: 'custodian', name: 'Paul' });
    expect(stepOf(setUp(), 'share-1-create').actor).toEqual({ role: 'custodian', name: 'Dora' });
    expect(stepOf(setUp(), 'share-2-piece-2').actor).toEqual({ role: 'custodian', name: 'Ben' });
    expect(stepOf(setUp(), 'share-2-import').actor).toEqual({ role: 'custodian', name: 'Ada, Ben and Cleo' });
  });

  it('says before it erases what is lost, and what the choice of DKEK means', () => {
    const step = (dkek: DeviceChoices['dkek']): StepDefinition => stepOf(setUp({ dkek }), 'initialize');
    expect(step({ kind: 'none' }).danger?.typedName).toBe(source.serial);
    expect(stepOf({ ...setUp(), currentLabel: 'old name' }, 'initialize').danger?.typedName).toBe(source.serial);
    expect(step({ kind: 'none' }).explanation).toContain('no key on it can ever be backed up');
    expect(step({ kind: 'none' }).danger?.losses.join()).toContain('there is never one');
    expect(step({ kind: 'random' }).explanation).toContain('onto this device alone');
    expect(step(shares).explanation).toContain('waits for 3 DKEK shares');
    expect(step(shares).danger?.losses).toContain('The SO-PIN in use now');
    expect(stepOf(setUp({ newSoPin: false, currentSoPin: 'typed' }), 'initialize').danger?.losses).not.toContain(
      'The SO-PIN in use now',
    );
  });

  it('expects the key check value of the last share alone', () => {
    const plan = setUp({ dkek: { ...shares, expectedKeyCheckValue: '0123456789abcdef' } });
    expect(stepOf(plan, 'share-2-import').effect).toMatchObject({ expectedKeyCheckValue: '' });
    expect(stepOf(plan, 'share-3-import').effect).toMatchObject({ expectedKeyCheckValue: '0123456789abcdef' });
    expect(stepOf(plan, 'share-3-import').explanation).toContain('0123456789abcdef');
  });

  it('never leaves the SO-PIN of the factory in force', () => {
    expect(planSchema.safeParse(setUp({ newSoPin: false })).success).toBe(false);
    expect(planSchema.safeParse(setUp({ newSoPin: false, currentSoPin: 'typed' })).success).toBe(true);
  });

  it('of a token that is taken as it is asks nothing of the device', () => {
    expect(idsOf({ ...setUp(), initialize: false })).toEqual(['log-in', 'generate-key', 'verify-key']);
  });
});

describe('a backup drill', () => {
  it('compares the DKEK before a PIN is asked for, and proves the key on both', () => {
    expect(idsOf(drill)).toEqual([
      'compare-dkek',
      'log-in',
      'make-test',
      'wrap-key',
      'log-in-target',
      'unwrap-key',
      'prove',
    ]);
    expect(stepsOf(drill).some(({ danger }) => danger !== undefined)).toBe(false);
  });

  it('on the same device erases it in between, with its serial typed and the losses said', () => {
    expect(idsOf(drillOnSameDevice)).toEqual([
      'compare-dkek',
      'log-in',
      'make-test',
      'wrap-key',
      'open-shares',
      'initialize',
      'share-1-import',
      'log-in-target',
      'unwrap-key',
      'prove',
    ]);
    const { danger } = stepOf(drillOnSameDevice, 'initialize');
    expect(danger?.typedName).toBe(source.serial);
    expect(danger?.losses[0]).toContain('“bank-vaults” alone comes back');
    expect(stepOf(drillOnSameDevice, 'compare-dkek').effect).toMatchObject({
      expectedKeyCheckValue: '0123456789abcdef',
    });
  });

  it('is refused where the key could not come back', () => {
    const refused: readonly BackupDrillPlan[] = [
      { ...drill, target: source },
      { ...drillOnSameDevice, target },
      ...([{ kind: 'none' }, { kind: 'random' }, shares, fileShares('')] as const).map((dkek) => ({
        ...drillOnSameDevice,
        reset: { ...choices, dkek },
      })),
    ];
    for (const plan of refused) expect(planSchema.safeParse(plan).success).toBe(false);
  });
});

describe('a clone', () => {
  it('erases the first device only where it is replaced, last, with its serial typed', () => {
    expect(idsOf(clone)).toEqual(['compare-dkek', 'log-in', 'log-in-target', 'copy', 'verify']);
    const replace = { ...clone, replace: true };
    expect(idsOf(replace).at(-1)).toBe('retire');
    expect(stepOf(replace, 'retire').danger?.typedName).toBe(source.serial);
    expect(stepOf(replace, 'retire').needs).toEqual(['verify']);
    expect(stepsOf(replace).filter(({ danger }) => danger !== undefined)).toHaveLength(1);
  });

  it('onto itself is refused', () => {
    expect(planSchema.safeParse({ ...clone, target: source }).success).toBe(false);
  });
});
