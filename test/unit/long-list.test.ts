import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { layOutRows, rowAfterKey, rowAt, rowsToDraw, scrollToRow } from '../../renderer/views/long-list.ts';

const letter = { width: 8, height: 20 };

describe('where rows stand', () => {
  test('a text that fits takes one line, a longer one as many as it needs, an empty one still one', () => {
    const tops = layOutRows([10, 11, 25, 0], 80, letter, 16);
    expect([...tops]).toEqual([0, 36, 92, 168, 204]);
  });

  test('a row is found by any height within it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 8, max: 900 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.nat(),
        (lengths, width, part, pick) => {
          const tops = layOutRows(lengths, width, letter, 16);
          const row = pick % lengths.length;
          const top = tops[row] ?? 0;
          expect(rowAt(tops, top + part * ((tops[row + 1] ?? 0) - top))).toBe(row);
        },
      ),
    );
  });

  test('all that is in sight is drawn, and of thousands few', () => {
    const tops = layOutRows(
      Array.from({ length: 5000 }, () => 20),
      800,
      letter,
      16,
    );
    const { from, to } = rowsToDraw(tops, 90_000, 400);
    expect(tops[from]).toBeLessThanOrEqual(90_000);
    expect(tops[to]).toBeGreaterThanOrEqual(90_400);
    expect(to - from).toBeLessThan(60);
    expect(rowsToDraw(layOutRows([], 800, letter, 16), 0, 400)).toEqual({ from: 0, to: 0 });
  });
});

describe('moving by keys', () => {
  const tops = layOutRows(
    Array.from({ length: 100 }, () => 20),
    800,
    letter,
    16,
  );
  test.each([
    ['ArrowDown', -1, 0],
    ['ArrowDown', 99, 99],
    ['ArrowUp', 0, 0],
    ['PageDown', 0, 10],
    ['PageDown', 95, 99],
    ['PageUp', 50, 40],
    ['PageUp', 3, 0],
    ['Home', 70, 0],
    ['End', 0, 99],
    ['a', 4, undefined],
  ])('%s from %i leads to %s', (key, row, wanted) => {
    expect(rowAfterKey(key, row, tops, 360)).toBe(wanted);
  });

  test('the list scrolls no further than the row needs', () => {
    expect(scrollToRow(tops, 5, 0, 360)).toBe(0);
    expect(scrollToRow(tops, 10, 0, 360)).toBe(36);
    expect(scrollToRow(tops, 3, 360, 360)).toBe(108);
  });
});
