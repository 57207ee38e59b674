import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { failureCodes } from '../../electron/workflows/failures.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z][A-Za-z]+_[A-Za-z0-9]+)` \| (.+) \| (.+) \|$/gmu)];

it('docs/errors.md has every failure code once, with what it means and what to do, and no other', () => {
  expect(rows.map(([, code]) => code)).toEqual([...failureCodes]);
  for (const [, code, meaning, next] of rows) {
    expect(meaning?.length, code).toBeGreaterThan(10);
    expect(next?.length, code).toBeGreaterThan(5);
  }
});
