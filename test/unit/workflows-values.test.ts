/** bank-vaults' values by their names: which there are, which should be, and in which order they are worked on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unsealIndexOf } from '../../electron/workflows/bank-vaults.ts';
import { stepsOf } from '../../electron/workflows/definitions.ts';
import { stepIdOf } from '../../electron/workflows/token-care.ts';
import { deviationOfValue, valuesAmong } from '../../electron/workflows/values.ts';

describe('the values among what lies on a token', () => {
  it('are the shares up to the highest one, recovery shares and the root token', () => {
    expect(
      valuesAmong(['vault-root', 'notes', 'vault-unseal-2', 'vault-unseal-0', 'vault-recovery-1', 'vault-test']),
    ).toEqual({
      labels: ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-recovery-1', 'vault-root'],
      doubled: [],
    });
  });

  it('are as many as somebody says', () => {
    expect(valuesAmong([], 2).labels).toEqual(['vault-unseal-0', 'vault-unseal-1']);
    expect(valuesAmong(['vault-unseal-4'], 2).labels).toHaveLength(5);
    expect(valuesAmong(['notes'])).toEqual({ labels: [], doubled: [] });
  });

  it('name each label once and the doubled ones among them', () => {
    const label = fc.constantFrom('vault-unseal-0', 'vault-unseal-1', 'vault-unseal-7', 'vault-root', 'notes', '');
    fc.assert(
      fc.property(fc.array(label, { maxLength: 20 }), (found) => {
        const { labels, doubled } = valuesAmong(found);
        expect(new Set(labels).size).toBe(labels.length);
        for (const one of doubled) expect(found.filter((other) => other === one).length).toBeGreaterThan(1);
        for (const one of found) if (unsealIndexOf(one) !== undefined) expect(labels).toContain(one);
      }),
    );
  });
});

describe('the steps of a repair', () => {
  it('make doubled values single before anything is checked, and check them too', () => {
    const steps = stepsOf({
      workflow: 'values-repair',
      rehearsal: false,
      token: { storeId: 's', serial: '1', label: 't' },
      keyLabel: 'k',
      doubled: ['b', 'b'],
      labels: ['a', 'a'],
    });
    expect(steps.map(({ id, pace }) => `${id} ${pace}`)).toEqual([
      'log-in prompt',
      'try-key automatic',
      'resolve-b deliberate',
      'check-a automatic',
      'check-b automatic',
    ]);
  });
});

describe('a step’s id', () => {
  it('has the name in it while that is short enough', () => {
    expect(stepIdOf('check', 'vault-root', 3)).toBe('check-vault-root');
    expect(stepIdOf('check', 'x'.repeat(255), 3)).toBe('check3');
    expect(stepIdOf('test-1', '', 0)).toBe('test-10');
  });
});

describe('how a value lies on a token', () => {
  const kept = { attributes: ['TOKEN', 'MODIFIABLE'] };

  it('is as it should be, missing, doubled, or there for a session only', () => {
    expect(deviationOfValue('vault-root', [kept])).toBeUndefined();
    expect(deviationOfValue('vault-root', [])?.state).toBe('missing');
    expect(deviationOfValue('vault-root', [kept, kept, kept])?.text).toContain('3 times');
    expect(deviationOfValue('vault-root', [{ attributes: ['MODIFIABLE'] }])?.state).toBe('session-only');
  });
});
