/** No byte of a Secret's value is in what a preview shows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../electron/workflows/cluster-ports.ts';
import { diffLines, yamlLines } from '../../k8s-bridge/push/diff-lines.ts';
import { fillSlots, newMarker, toBase64Bytes } from '../../k8s-bridge/push/fill-slots.ts';
import { createSecretMask, hideValues, maskSecret } from '../../k8s-bridge/push/secret-mask.ts';
import { secretOf } from '../fixtures/push-engine.ts';

/** Long enough that it does not stand in a line by chance. */
const value = fc.uint8Array({ minLength: 8, maxLength: 200 });
const key = fc.stringMatching(/^[a-z]{1,8}$/u);
const values = fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 });

function secretWith(data: Readonly<Record<string, Uint8Array>>): Manifest {
  const encoded = Object.entries(data).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const);
  return {
    ...secretOf('default', 'pin'),
    metadata: {
      name: 'pin',
      namespace: 'default',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(Object.fromEntries(encoded)) },
    },
    data: Object.fromEntries(encoded),
  };
}

describe('a masked Secret', () => {
  test('shows no value, in no form, on neither side', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const mask = createSecretMask();
        const lines = (data: typeof before): readonly string[] => yamlLines(maskSecret(secretWith(data), mask));
        const shown = JSON.stringify([lines(before), diffLines(lines(before), lines(after))]);
        for (const bytes of [...Object.values(before), ...Object.values(after)].map((one) => Buffer.from(one))) {
          for (const form of [bytes.toString('base64').slice(0, 10), bytes.toString('hex'), bytes.toString('latin1')]) {
            expect(shown.includes(form)).toBe(false);
          }
        }
      }),
    );
  });

  test('shows which values are the same, and only within one preview', () => {
    fc.assert(
      fc.property(values, (data) => {
        const mask = createSecretMask();
        const lines = yamlLines(maskSecret(secretWith(data), mask));
        expect(diffLines(lines, yamlLines(maskSecret(secretWith(data), mask)))).toEqual([]);
        expect(diffLines(lines, yamlLines(maskSecret(secretWith(data), createSecretMask())))).not.toEqual([]);
      }),
    );
  });

  test('takes the values out of what a server repeats', () => {
    const secret = secretOf('default', 'pin', { pin: 'marker-value' });
    const encoded = Buffer.from('marker-value').toString('base64');
    expect(hideValues(`invalid: marker-value (${encoded})`, [secret])).toBe('invalid: (hidden) ((hidden))');
  });
});

describe('values that are put in at the push', () => {
  test('are base64 as everybody writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(toBase64Bytes(bytes).toString('latin1')).toBe(Buffer.from(bytes).toString('base64'));
      }),
    );
  });

  test('come where they belong and change nothing else', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), fc.string(), (list, around) => {
        const fillings = list.map((bytes) => ({ marker: newMarker(), bytes: toBase64Bytes(bytes) }));
        const text = JSON.stringify([around, ...fillings.map(({ marker }) => marker), 'ü']);
        const filled: unknown = JSON.parse(fillSlots(text, [...fillings].reverse()).toString('utf8'));
        expect(filled).toEqual([around, ...list.map((bytes) => Buffer.from(bytes).toString('base64')), 'ü']);
      }),
    );
  });
});
