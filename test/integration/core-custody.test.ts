import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import type { Core } from '../../electron/core/core.ts';
import type { TokenSetupPlan } from '../../electron/workflows/plans.ts';
import { makeCoreDesk, type CoreDesk } from '../fixtures/core-desk.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

let desk: CoreDesk;
let core: Core | undefined;
const children: ChildProcess[] = [];

beforeEach(async () => {
  desk = await makeCoreDesk();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await core?.close();
  core = undefined;
  await desk.remove();
});

async function open(): Promise<Core> {
  core = valueOf(await desk.open());
  return core;
}

async function close(): Promise<void> {
  await core?.close();
  core = undefined;
}

/** A core in another process, and its answers line by line. */
async function openElsewhere(...argumentList: readonly string[]) {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../fixtures/core-child.ts'), desk.dataDirectory, ...argumentList],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const line = await lines.next();
    return line.done === true ? '' : line.value;
  };
  expect(await answer()).toBe('opened');
  return { child, answer };
}

const plan: TokenSetupPlan = tokenSetupPlan({ storeId: 'softhsm' });

const journalOf = (runId: string): string => join(desk.dataDirectory, 'runs', runId, 'journal.jsonl');

async function startRun(inCore: Core): Promise<string> {
  return valueOf(await inCore.runner.start(plan, 'Ada')).runId;
}

describe('a second copy on the same data directory', () => {
  test('is refused while the first lives, and takes over from one that was killed', async () => {
    const { child } = await openElsewhere('hold');
    const second = await desk.open();
    expect(second).toMatchObject({ ok: false, error: { code: 'App_SecondCopy', details: { pid: child.pid } } });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readdir(desk.dataDirectory)).toContain('lock');
    const taken = await open();
    expect(await desk.open()).toMatchObject({ ok: false, error: { code: 'App_SecondCopy' } });
    await startRun(taken);
    await close();
    await open();
  });

  test('a lock that names a living process with another start time is a lock of nobody', async () => {
    await mkdir(desk.dataDirectory, { recursive: true });
    await writeFile(join(desk.dataDirectory, 'lock'), JSON.stringify({ pid: process.ppid, started: '1' }));
    await open();
  });

  test('a lock file that was cut short by a power failure is no lock', async () => {
    await mkdir(desk.dataDirectory, { recursive: true });
    await writeFile(join(desk.dataDirectory, 'lock'), '');
    await open();
  });
});

describe('a damaged settings file', () => {
  test.each([
    ['cut short', '{"version":1,"preferences":{"theme":"dark"'],
    ['of another program', '{"hello":"world"}'],
    ['empty', ''],
  ])('%s is set aside and said, and the app works', async (_kind, content) => {
    await mkdir(desk.dataDirectory, { recursive: true });
    await writeFile(join(desk.dataDirectory, 'settings.json'), content);
    const opened = await open();
    expect(opened.settings.problem).toMatchObject({ code: 'Custody_SettingsDamaged' });
    const aside = String(opened.settings.problem?.details?.['setAside']);
    expect(await readFile(aside, 'utf8')).toBe(content);
    valueOf(await opened.settings.changePreferences({ theme: 'dark', lockAfterMinutes: 5, operatorName: 'Ada' }));
    await close();
    const again = await open();
    expect(again.settings.problem).toBeUndefined();
    expect(again.settings.preferences.theme).toBe('dark');
  });
});

describe('a damaged journal', () => {
  test('is listed with what is wrong, is not written to, and other runs work', async () => {
    const first = await open();
    const damaged = await startRun(first);
    const whole = await startRun(first);
    await close();
    const text = await readFile(journalOf(damaged), 'utf8');
    const changed = text.replace('"by":"Ada"', '"by":"Eve"');
    expect(changed).not.toBe(text);
    await writeFile(journalOf(damaged), changed);
    const again = await open();
    const listed = new Map((await again.runner.list()).map((snapshot) => [snapshot.state.runId, snapshot]));
    expect(listed.get(damaged)?.problem).toMatchObject({ code: 'Custody_JournalDamaged' });
    expect(listed.get(whole)?.problem).toBeUndefined();
    const given = { by: 'Ada', typedName: '', throughDeliberateSteps: true };
    expect(await again.runner.proceed(damaged, given)).toMatchObject({
      ok: false,
      error: { code: 'Custody_JournalDamaged' },
    });
    expect(await again.runner.noteDeviation(damaged, '', 'x')).toMatchObject({ ok: false });
    expect(await readFile(journalOf(damaged), 'utf8')).toBe(changed);
    expect(valueOf(await again.runner.proceed(whole, given)).state.status).toBe('completed');
  });

  test('a last line that was torn is set aside, said in the journal, and the run goes on to its end', async () => {
    const first = await open();
    const runId = await startRun(first);
    await close();
    const torn = '{"sequence":2,"at":"2026-';
    await appendFile(journalOf(runId), torn);
    const again = await open();
    const listed = await again.runner.list();
    expect(listed[0]?.problem).toBeUndefined();
    const given = { by: 'Ada', typedName: '', throughDeliberateSteps: true };
    const ended = valueOf(await again.runner.proceed(runId, given));
    expect(ended.state.status).toBe('completed');
    expect(ended.state.deviations.map(({ text }) => text)).toEqual([expect.stringContaining('cut short')]);
    const names = await readdir(join(desk.dataDirectory, 'runs', runId));
    const aside = names.find((name) => name.startsWith('journal.torn-')) ?? '';
    expect(await readFile(join(desk.dataDirectory, 'runs', runId, aside), 'utf8')).toBe(torn);
    expect(verifyJournal(await readFile(journalOf(runId)))).toMatchObject({ intact: true, complete: true });
  });
});

describe('a disk that fills up while a journal is being written', () => {
  test('costs nothing that was acknowledged, and the run goes on when there is room', async () => {
    const runId = await startRun(await open());
    await close();
    const before = await readFile(journalOf(runId), 'utf8');
    const { child, answer } = await openElsewhere('note', runId);
    const { pid } = child;
    if (pid === undefined) throw new Error('no process');
    const note = async (text: string): Promise<string> => {
      child.stdin.write(`${text}\n`);
      return answer();
    };
    // A file size limit stands for the full disk: part of the record still fits, as on a real one.
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${String(before.length + 40)}:unlimited`]);
    expect(await note('one')).toMatch(/^Custody_DiskFull /u);
    expect(await note('two')).toMatch(/^Custody_DiskFull /u);
    expect(await readFile(journalOf(runId), 'utf8')).toBe(before);
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=40:unlimited`]);
    expect(await note('start')).toMatch(/^Custody_DiskFull /u);
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']);
    expect(await note('three')).toBe('noted');
    child.stdin.end();
    await once(child, 'exit');
    const text = await readFile(journalOf(runId), 'utf8');
    expect(text.startsWith(before)).toBe(true);
    expect(verifyJournal(Buffer.from(text))).toMatchObject({ intact: true, problems: [] });
    const again = await open();
    expect((await again.runner.list()).map(({ state }) => state.runId)).toEqual([runId]);
    const snapshot = valueOf(await again.runner.snapshot(runId));
    expect(snapshot.state.deviations.map((deviation) => deviation.text)).toEqual(['three']);
  });
});
