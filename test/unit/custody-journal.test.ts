import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainedRecord, chainStart, lineOf } from '../../electron/custody/chain.ts';
import { createCustody, type Custody } from '../../electron/custody/create-custody.ts';
import { acquireProcessLock } from '../../electron/custody/process-lock.ts';
import { openSettings } from '../../electron/custody/settings.ts';
import { createTranscripts } from '../../electron/custody/transcripts.ts';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { stepsOf } from '../../electron/workflows/definitions.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import type { RunEvent } from '../../electron/workflows/run.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const plan: Plan = tokenSetupPlan({ rehearsal: true, storeId: 'softhsm', label: '<b>unseal & keys</b>' });

/** A finished run, deviations in between. */
function eventsOfRun(deviations: readonly string[]): readonly RunEvent[] {
  const events: RunEvent[] = [
    { type: 'run-started', workflow: 'token-setup', plan, by: 'Ada', host: 'desk', appVersion: '0.1.0' },
  ];
  stepsOf(plan).forEach((step, index) => {
    const text = deviations[index];
    events.push({ type: 'step-started', step: step.id, by: 'Ada' });
    if (text !== undefined) events.push({ type: 'deviation', step: step.id, text });
    events.push({ type: 'step-finished', step: step.id, outcome: 'done', evidence: { serial: '01', size: 256 } });
  });
  events.push({ type: 'run-finished', outcome: 'completed', by: 'Ada', events: events.length + 1 });
  return events;
}

function linesOf(events: readonly RunEvent[]): readonly string[] {
  let previous = chainStart;
  return events.map((event, index) => {
    const record = chainedRecord(index + 1, `2026-11-22T07:00:00.${(100 + index).toString()}Z`, previous, event);
    previous = record.hash;
    return lineOf(record);
  });
}

const journal = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 5 })
  .map((texts) => linesOf(eventsOfRun(texts)));
const isRight = (bytes: Uint8Array): boolean => {
  const { intact, complete } = verifyJournal(bytes);
  return intact && complete;
};
const bytesOf = (lines: readonly string[]): Buffer => Buffer.from(lines.join(''), 'utf8');

describe('verification of a finished journal', () => {
  it('accepts it as it is', () => {
    fc.assert(
      fc.property(journal, (lines) => isRight(bytesOf(lines))),
      { numRuns: 30 },
    );
  });

  it('finds any change of any byte', () => {
    fc.assert(
      fc.property(journal, fc.nat(), fc.integer({ min: 1, max: 255 }), (lines, position, change) => {
        const bytes = bytesOf(lines);
        const index = position % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ change;
        return !isRight(bytes);
      }),
      { numRuns: 400 },
    );
  });

  it('finds any loss of bytes, records and tails', () => {
    fc.assert(
      fc.property(journal, fc.nat(), fc.nat(), (lines, first, second) => {
        const bytes = bytesOf(lines);
        const start = first % bytes.length;
        const end = start + 1 + (second % (bytes.length - start));
        const lost = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
        const record = first % lines.length;
        return (
          !isRight(lost) &&
          !isRight(bytes.subarray(0, start)) &&
          !isRight(bytesOf(lines.filter((_line, index) => index !== record)))
        );
      }),
      { numRuns: 200 },
    );
  });

  it('finds swapped, doubled and added records', () => {
    fc.assert(
      fc.property(
        journal,
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        (lines, first, second, extra) => {
          const left = first % lines.length;
          const right = second % lines.length;
          const swapped = [...lines];
          [swapped[left], swapped[right]] = [lines[right] ?? '', lines[left] ?? ''];
          const doubled = lines.flatMap((line, index) => (index === left ? [line, line] : [line]));
          const bytes = bytesOf(lines);
          const at = first % (bytes.length + 1);
          const added = Buffer.concat([bytes.subarray(0, at), extra, bytes.subarray(at)]);
          // Bytes put in may repeat what stands there, which changes nothing only if the whole is the same.
          return (
            (left === right || !isRight(bytesOf(swapped))) &&
            !isRight(bytesOf(doubled)) &&
            (added.equals(bytes) || !isRight(added))
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds a whole chain that was made anew without its end, or in an order that cannot be', () => {
    const events = eventsOfRun([]);
    expect(verifyJournal(bytesOf(linesOf(events.slice(0, -1))))).toMatchObject({ intact: true, complete: false });
    expect(isRight(bytesOf(linesOf(events.filter((_event, index) => index !== 3))))).toBe(false);
    expect(verifyJournal(new Uint8Array()).intact).toBe(false);
    expect(verifyJournal(Buffer.from('not a journal\n')).problems).toEqual(['Record 1 is not JSON.']);
  });
});

describe('journal on disk', () => {
  let directory: string;
  let custody: Custody;
  const runId = 'rehearsal-20261122T070000Z-abcdef';
  const open = async (): Promise<Custody> => {
    const opened = await createCustody(directory);
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.value;
  };
  const pathOf = (): string => join(directory, 'rehearsal', 'runs', runId, 'journal.jsonl');

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'key-custodian-journal-'));
    custody = await open();
    for (const event of eventsOfRun(['late']).slice(0, 4)) await custody.journal.append(runId, event);
  });
  afterEach(async () => {
    await custody.journal.close();
    await rm(directory, { recursive: true });
  });

  it('keeps the chain over many appends at once and over a new process', async () => {
    await Promise.all(
      Array.from({ length: 50 }, () => custody.journal.append(runId, { type: 'deviation', step: '', text: 'x' })),
    );
    await custody.journal.close();
    custody = await open();
    const appended = await custody.journal.append(runId, { type: 'deviation', step: '', text: 'y' });
    expect(appended).toMatchObject({ ok: true, value: { sequence: 55 } });
    expect(verifyJournal(await readFile(pathOf()))).toMatchObject({ intact: true, complete: false, records: 55 });
  });

  it('sets a torn end aside, says so in the journal, and goes on', async () => {
    await custody.journal.close();
    await appendFile(pathOf(), '{"at":"2026-11');
    custody = await open();
    expect(await custody.journal.read(runId)).toMatchObject({ ok: true, value: { length: 4 } });
    expect(await custody.journal.append(runId, { type: 'run-resumed', by: 'Bo' })).toMatchObject({
      ok: true,
      value: { sequence: 6 },
    });
    expect(verifyJournal(await readFile(pathOf()))).toMatchObject({ intact: true, records: 6 });
    const files = await readdir(join(directory, 'rehearsal', 'runs', runId));
    expect(files.filter((name) => name.startsWith('journal.torn-'))).toHaveLength(1);
  });

  it('refuses to go on from a journal that was changed', async () => {
    await custody.journal.close();
    await writeFile(pathOf(), (await readFile(pathOf(), 'utf8')).replace('Ada', 'Eve'));
    custody = await open();
    const before = await readFile(pathOf());
    expect(await custody.journal.append(runId, { type: 'run-resumed', by: 'Bo' })).toMatchObject({
      ok: false,
      error: { code: 'Custody_JournalDamaged' },
    });
    expect(await custody.journal.read(runId)).toMatchObject({ ok: false, error: { code: 'Custody_JournalDamaged' } });
    expect(await readFile(pathOf())).toEqual(before);
  });

  it('gives a run to one writer only, and takes over from a process that is gone', async () => {
    const other = await open();
    expect(await other.journal.append(runId, { type: 'run-resumed', by: 'Bo' })).toMatchObject({
      ok: false,
      error: { code: 'Custody_RunBusy' },
    });
    const path = join(directory, 'lock');
    // The id of this process, but not its start time: a number that was given out again.
    await writeFile(path, JSON.stringify({ pid: process.pid, started: '1' }));
    const taken = await acquireProcessLock(path);
    expect(taken.ok).toBe(true);
    expect(await acquireProcessLock(path)).toMatchObject({ ok: false, error: { code: 'Custody_RunBusy' } });
    if (taken.ok) await taken.value.release();
  });

  it('takes nothing for a path that is no run id', async () => {
    expect(await custody.journal.append('../../etc', {})).toMatchObject({
      ok: false,
      error: { code: 'Custody_RunNotFound' },
    });
    expect(await custody.journal.bytes('runs/../x')).toMatchObject({
      ok: false,
      error: { code: 'Custody_RunNotFound' },
    });
  });

  it('draws a transcript that is marked as a rehearsal, escaped, and whole in itself', async () => {
    for (const event of eventsOfRun(['late']).slice(4)) await custody.journal.append(runId, event);
    const html = await createTranscripts(custody.journal).html(runId);
    if (!html.ok) throw new Error(html.error.message);
    expect(html.value).toContain('Rehearsal · not a real ceremony');
    expect(html.value).toContain('&lt;b&gt;unseal &amp; keys&lt;/b&gt;');
    expect(html.value).not.toMatch(/<script|src=|href=|url\(/u);
    expect(html.value).toContain(verifyJournal(await readFile(pathOf())).head);
    expect(await createTranscripts(custody.journal).verifyFile(pathOf())).toMatchObject({
      ok: true,
      value: { intact: true, complete: true },
    });
  });
});

describe('settings', () => {
  it('sets a damaged file aside and starts with defaults, and keeps what is changed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'key-custodian-settings-'));
    try {
      const path = join(directory, 'settings.json');
      await writeFile(path, '{"version":1,');
      const opened = await openSettings(path);
      if (!opened.ok) throw new Error(opened.error.message);
      expect(opened.value.problem?.code).toBe('Custody_SettingsDamaged');
      expect(await readdir(directory)).toEqual([expect.stringMatching(/^settings\.damaged-/u)]);
      await Promise.all([
        opened.value.changePreferences({ theme: 'dark', lockAfterMinutes: 5, operatorName: 'Ada' }),
        opened.value.addModule({ id: 'module-1', name: 'Card', modulePath: '/usr/lib/opensc-pkcs11.so' }),
      ]);
      expect(
        await opened.value.changePreferences({ theme: 'dark', lockAfterMinutes: 0, operatorName: '' }),
      ).toMatchObject({ ok: false });
      const again = await openSettings(path);
      expect(again.ok && again.value.problem).toBeUndefined();
      expect(again.ok && [again.value.preferences.theme, again.value.modules.length]).toEqual(['dark', 1]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
