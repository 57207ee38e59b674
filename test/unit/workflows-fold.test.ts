import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abandonName, stepsOf } from '../../electron/workflows/definitions.ts';
import { asInterrupted, foldRun, nextStep } from '../../electron/workflows/fold.ts';
import { bytesOfPgpWords, pgpWords, pgpWordsOfHex } from '../../electron/workflows/pgp-words.ts';
import { unsealIndexOf, unsealLabel } from '../../electron/workflows/bank-vaults.ts';
import type { Plan, TokenSetupPlan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import type { RunEvent } from '../../electron/workflows/run.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const fingerprint = 'A'.repeat(40);
const pgp = { kind: 'pgp', custodian: 'Grace', publicKeyArmored: 'key', fingerprint } as const;

const initPlan: VaultInitPlan = {
  workflow: 'vault-init',
  rehearsal: false,
  vaultId: 'v1',
  vaultName: 'Production',
  connection: { address: 'https://127.0.0.1:8200', trust: { kind: 'system' } },
  token: { storeId: 'softhsm', serial: '0123', label: 'unseal keys' },
  keyLabel: 'bank-vaults',
  shares: 3,
  threshold: 2,
  destinations: [{ kind: 'shown', custodian: 'Ada' }, { kind: 'token' }, pgp],
  rootToken: { kind: 'revoked' },
};

const setupPlan: TokenSetupPlan = tokenSetupPlan({ storeId: 'softhsm', label: 'unseal keys' });

const unsealPlan: Plan = {
  workflow: 'unseal',
  rehearsal: true,
  vaultId: 'v1',
  vaultName: 'Production',
  connections: [initPlan.connection],
  sources: [
    { kind: 'token', token: initPlan.token, keyLabel: 'bank-vaults' },
    { kind: 'typed', custodian: 'Ada' },
  ],
};

const plans: readonly Plan[] = [initPlan, setupPlan, unsealPlan];
const at = '2026-11-22T07:00:00.000Z';
const records = (events: readonly RunEvent[]) => events.map((event) => ({ event, at }));

/** A run as it may go: failures, crashes with resumption and notes anywhere. */
function eventsOf(plan: Plan, choices: readonly number[]): readonly RunEvent[] {
  const events: RunEvent[] = [
    { type: 'run-started', workflow: plan.workflow, plan, by: 'Ada', host: 'desk', appVersion: '0.1.0' },
  ];
  let index = 0;
  const choose = (): number => choices[index++] ?? 0;
  for (const step of stepsOf(plan)) {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      events.push({ type: 'step-started', step: step.id, by: 'Ada' });
      const choice = attempt === 2 ? 0 : choose() % 5;
      if (choice === 1)
        events.push({
          type: 'step-failed',
          step: step.id,
          failure: { code: 'Vault_Unreachable', message: 'm', next: 'n' },
        });
      else if (choice === 2) events.push({ type: 'run-resumed', by: 'Bo' });
      else {
        if (choice === 3)
          events.push(
            { type: 'step-noted', step: step.id, evidence: { requestSent: true } },
            { type: 'deviation', step: step.id, text: 'late' },
          );
        events.push({
          type: 'step-finished',
          step: step.id,
          outcome: choice === 4 ? 'found-done' : 'done',
          evidence: { serial: 'x' },
        });
        break;
      }
    }
  }
  events.push({ type: 'run-finished', outcome: 'completed', by: 'Ada', events: events.length + 1 });
  return events;
}

const planAndChoices = fc.tuple(fc.constantFrom(...plans), fc.array(fc.nat(4), { maxLength: 60 }));

describe('fold of a run', () => {
  it('folds any prefix of a valid run, and ends completed', () => {
    fc.assert(
      fc.property(planAndChoices, ([plan, choices]) => {
        const events = eventsOf(plan, choices);
        for (let length = 1; length <= events.length; length += 1) {
          const folded = foldRun('r', records(events.slice(0, length)));
          expect(folded.ok).toBe(true);
          if (folded.ok) expect(folded.value.status).toBe(length === events.length ? 'completed' : 'open');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is resumed to the same state however often', () => {
    fc.assert(
      fc.property(planAndChoices, fc.nat(), ([plan, choices], cut) => {
        const events = eventsOf(plan, choices);
        const prefix = events.slice(0, 1 + (cut % (events.length - 1)));
        const resumed: RunEvent = { type: 'run-resumed', by: 'Bo' };
        const once = foldRun('r', records([...prefix, resumed]));
        const twice = foldRun('r', records([...prefix, resumed, resumed]));
        const plain = foldRun('r', records(prefix));
        expect(twice).toEqual(once);
        if (plain.ok && once.ok) {
          expect(asInterrupted(plain.value)).toEqual(once.value);
          expect(nextStep(once.value)?.id).toBe(nextStep(plain.value)?.id);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses swapped, doubled and lost records inside a run', () => {
    const events = eventsOf(initPlan, []);
    for (let index = 1; index < events.length - 1; index += 1) {
      const lost = foldRun('r', records(events.filter((_event, position) => position !== index)));
      expect(lost.ok).toBe(false);
      const event = events[index];
      if (event === undefined) throw new Error('index outside');
      const doubled = foldRun('r', records([...events.slice(0, index), event, ...events.slice(index)]));
      expect(doubled).toMatchObject({ ok: false, error: { code: 'Custody_JournalDamaged' } });
    }
  });

  it('says that a run without records does not exist', () => {
    expect(foldRun('r', [])).toMatchObject({ ok: false, error: { code: 'Custody_RunNotFound' } });
  });
});

describe('definitions', () => {
  it('has unique step ids and only needs that come earlier', () => {
    for (const plan of plans) {
      const seen = new Set<string>();
      for (const step of stepsOf(plan)) {
        expect(seen.has(step.id)).toBe(false);
        for (const needed of step.needs) expect(seen.has(needed)).toBe(true);
        seen.add(step.id);
      }
    }
  });

  it('delivers what needs no person first and removes the encrypted copy last', () => {
    expect(stepsOf(initPlan).map((step) => step.id)).toEqual([
      'check-vault',
      'log-in',
      'check-token',
      'trial-object',
      'initialize',
      'store-vault-unseal-1',
      'deliver-vault-unseal-2',
      'hand-out-vault-unseal-0',
      'unseal',
      'revoke-root',
      'remove-escrow',
    ]);
  });

  it('asks for the typed name only where a token in use is erased', () => {
    expect(stepsOf(setupPlan)[0]?.danger).toBeUndefined();
    expect(stepsOf({ ...setupPlan, currentLabel: 'old', expectedSerial: '77' })[0]?.danger?.typedName).toBe('old');
    expect(stepsOf({ ...setupPlan, currentLabel: '', expectedSerial: '77' })[0]?.danger?.typedName).toBe('77');
    expect(stepsOf({ ...setupPlan, initialize: false, expectedSerial: '77' })[0]?.id).toBe('log-in');
  });

  it('names what must be typed to abandon a run that has initialised a Vault', () => {
    const events = eventsOf(initPlan, []);
    const started = events.findIndex((event) => event.type === 'step-started' && event.step === 'initialize');
    const before = foldRun('r', records(events.slice(0, started)));
    const after = foldRun('r', records(events.slice(0, started + 1)));
    expect(before.ok && abandonName(before.value)).toBe('');
    expect(after.ok && abandonName(after.value)).toBe('Production');
  });
});

describe('names and words', () => {
  it('reads PGP words back to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(bytesOfPgpWords(pgpWords(bytes))).toEqual(bytes);
      }),
    );
    // The example of the PGPfone manual.
    expect(pgpWordsOfHex('E58294F2E9A227486E8B061B31CC528FD7FA3F19').join(' ')).toBe(
      'topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless',
    );
    expect(bytesOfPgpWords(['adroitness'])).toBeUndefined();
  });

  it('reads the index of a share from its label', () => {
    expect(unsealIndexOf(unsealLabel(12))).toBe(12);
    expect(unsealIndexOf('vault-unseal-01')).toBeUndefined();
    expect(unsealIndexOf('vault-root')).toBeUndefined();
  });
});
