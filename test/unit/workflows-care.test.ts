/** The runs on a token in use as data: steps, dangers, and what is lost by them. */
import { describe, expect, it } from 'vitest';
import { abandonName, stepsOf } from '../../electron/workflows/definitions.ts';
import type { PinChangePlan } from '../../electron/workflows/device-plans.ts';
import type { TokenObject } from '../../electron/workflows/device-ports.ts';
import { foldRun } from '../../electron/workflows/fold.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { planSchema } from '../../electron/workflows/plans.ts';
import type { RunEvent } from '../../electron/workflows/run.ts';
import { typedNameOf } from '../../electron/workflows/token-care.ts';
import { lossesOf, useOf } from '../../electron/workflows/token-losses.ts';
import { evidenceNames, programEvidence } from '../../electron/workflows/evidence-names.ts';

const token = { storeId: 'softhsm', serial: '0123', label: 'office' };
const common = { rehearsal: false, token };
const pinPlan = (act: PinChangePlan['act'], smartCardHsm = true): Plan => ({
  workflow: 'pin-change',
  ...common,
  act,
  smartCardHsm,
  holder: 'Grace',
});
const reset: Plan = { workflow: 'token-reset', ...common, slotId: 1, smartCardHsm: true, losses: ['Key pair “a”'] };
const remove: Plan = {
  workflow: 'object-delete',
  ...common,
  object: { objectClass: 'key-pair', label: 'a', id: '01', sha256: '' },
  losses: [],
};
const certificate: Plan = {
  workflow: 'certificate-store',
  ...common,
  certificateLabel: 'c',
  id: '01',
  fileName: 'c.pem',
  fileBase64: 'AAAA',
};
const keyTest: Plan = {
  workflow: 'key-test',
  ...common,
  keys: [
    { label: 'a', id: '01' },
    { label: 'a', id: '02' },
    { label: '', id: '03' },
  ],
  attest: true,
};
const rewrap: Plan = {
  workflow: 'values-rewrap',
  ...common,
  fromKeyLabel: 'old',
  toKeyLabel: 'new',
  modulusBits: 2048,
  labels: ['vault-unseal-0', 'vault-root'],
  removeOldKey: true,
};
const repair: Plan = {
  workflow: 'values-repair',
  ...common,
  keyLabel: 'old',
  doubled: ['vault-root'],
  labels: ['vault-unseal-0', 'x'.repeat(255)],
};
const readOut: Plan = {
  workflow: 'value-read-out',
  ...common,
  keyLabel: 'old',
  valueLabel: 'vault-root',
  custodian: 'Grace',
};
const plans = [pinPlan('change-pin'), reset, remove, certificate, keyTest, rewrap, repair, readOut];

describe('every run on a token in use', () => {
  it.each(plans.map((plan) => [plan.workflow, plan] as const))('%s is a sound list of steps', (_name, plan) => {
    expect(planSchema.safeParse(plan).success).toBe(true);
    const steps = stepsOf(plan);
    const ids = steps.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    steps.forEach(({ needs, id, records, title, explanation, action }, index) => {
      expect(id.length).toBeLessThanOrEqual(80);
      for (const need of needs) expect(ids.indexOf(need)).toBeLessThan(index);
      for (const name of records) expect(evidenceNames[name], name).toBeDefined();
      expect(title !== '' && explanation !== '' && action !== '').toBe(true);
    });
  });

  it('never shows what only the program notes', () => {
    for (const plan of plans)
      for (const { records } of stepsOf(plan))
        for (const name of records) expect(programEvidence.has(name)).toBe(false);
  });
});

describe('PINs', () => {
  it.each(['change-pin', 'change-so-pin', 'unblock-pin', 'reset-pin'] as const)('%s is the holder’s act', (act) => {
    const [step, ...more] = stepsOf(pinPlan(act));
    expect(more).toEqual([]);
    expect(step).toMatchObject({ id: act, actor: { role: 'custodian', name: 'Grace' }, pace: 'prompt' });
  });

  it('says where unblocking takes a new PIN', () => {
    expect(stepsOf(pinPlan('unblock-pin', false))[0]?.explanation).toContain('only by setting a new one');
    expect(stepsOf(pinPlan('unblock-pin', true))[0]?.explanation).not.toContain('only by setting a new one');
  });
});

describe('what destroys', () => {
  it('asks for the serial of a token, and shows what the plan listed', () => {
    expect(stepsOf(reset)[0]?.danger).toEqual({ typedName: '0123', losses: ['Key pair “a”', 'The PIN in use now'] });
  });

  it('asks for the label of an object, else its id, else its hash', () => {
    expect(stepsOf(remove)[1]?.danger?.typedName).toBe('a');
    const sha256 = 'ab'.repeat(32);
    expect(typedNameOf({ objectClass: 'data', label: '', id: '0a', sha256 })).toBe('0a');
    expect(typedNameOf({ objectClass: 'data', label: '', id: '', sha256 })).toBe('abababab');
  });

  it('deletes the old key of a rewrap last, by its label, when the disk is clear', () => {
    const steps = stepsOf(rewrap);
    expect(steps.map(({ id }) => id)).toEqual([
      'log-in',
      'ensure-key',
      'try-key',
      'trial-object',
      'rewrap',
      'replace-vault-unseal-0',
      'replace-vault-root',
      'remove-escrow',
      'remove-old-key',
    ]);
    expect(steps.at(-1)?.danger?.typedName).toBe('old');
    expect(stepsOf({ ...rewrap, removeOldKey: false }).some(({ danger }) => danger !== undefined)).toBe(false);
  });

  it('takes the token’s name to abandon a rewrap between its escrow and the end of it', () => {
    const events: RunEvent[] = [
      { type: 'run-started', workflow: rewrap.workflow, plan: rewrap, by: 'Ada', host: 'desk', appVersion: '1' },
    ];
    const nameNow = (): string => {
      const folded = foldRun(
        'r',
        events.map((event) => ({ event, at: '2026-11-22T07:00:00.000Z' })),
      );
      return folded.ok ? abandonName(folded.value) : folded.error.message;
    };
    const names: string[] = [];
    for (const { id } of stepsOf(rewrap)) {
      events.push({ type: 'step-started', step: id, by: 'Ada' });
      events.push({ type: 'step-finished', step: id, outcome: 'done', evidence: {} });
      names.push(nameNow());
    }
    expect(names).toEqual(['', '', '', '', 'office', 'office', 'office', '', '']);
  });
});

describe('losses', () => {
  const object = (change: Partial<TokenObject>): TokenObject => ({
    objectClass: 'data',
    label: '',
    id: '',
    kind: '',
    bits: 0,
    curve: '',
    size: 0,
    attributes: [],
    subject: '',
    notAfter: '',
    sha256: '',
    ...change,
  });
  const vaults = [
    { name: 'prod', tokenSerial: '0123', keyLabel: 'bank-vaults' },
    { name: 'elsewhere', tokenSerial: '9999', keyLabel: 'bank-vaults' },
  ];

  it('name each thing once, and who uses it', () => {
    const objects = [
      object({ objectClass: 'public-key', label: 'bank-vaults', id: '01', kind: 'RSA', bits: 2048 }),
      object({ objectClass: 'private-key', label: 'bank-vaults', id: '01', kind: 'RSA', bits: 2048 }),
      object({ objectClass: 'private-key', label: 'lone', kind: 'EC', bits: 256, curve: 'P-256' }),
      object({ label: 'vault-unseal-0', size: 256 }),
      object({ label: 'vault-root', size: 256 }),
      object({ label: 'notes', size: 3 }),
      object({ objectClass: 'certificate', label: 'c', subject: 'CN=x' }),
    ];
    expect(lossesOf(objects, '0123', vaults)).toEqual([
      'Key pair “bank-vaults”, RSA 2048: the key shares of “prod” decrypt with it alone',
      'Private key “lone”, EC P-256',
      'Data object “vault-unseal-0”, 256 bytes: a key share of “prod”',
      'Data object “vault-root”, 256 bytes: the root token of “prod”',
      'Data object “notes”, 3 bytes',
      'Certificate “c”, CN=x',
    ]);
    expect(useOf(object({ label: 'vault-unseal-0' }), '5555', vaults)).toContain('does not know');
  });

  it('fit into a plan, however many and long they are', () => {
    const many = Array.from({ length: 500 }, (_unused, index) =>
      object({ label: `${index.toString()}${'x'.repeat(400)}` }),
    );
    const losses = lossesOf(many, '0123', vaults);
    expect(losses).toHaveLength(300);
    expect(losses.at(-1)).toBe('201 more objects');
    expect(planSchema.safeParse({ ...reset, losses }).success).toBe(true);
  });
});
