/**
 * What a device costs the app: stalls of main and of the window while a SmartCard-HSM in software is initialised,
 * makes a key as slowly as a real one and is unplugged; how soon it shows; how soon a run goes on once it is back, and
 * that it comes to its end; what watching it costs when idle.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, type Page } from '@playwright/test';
import { startCardProcess, type CardProcess } from '../../servers/card-process.ts';
import { requireCardReaders } from '../../servers/pcscd.ts';
import { readReaderStates } from '../../servers/pcscd-states.ts';
import { callContract, findRun, finishRun, planDeviceSetUp, startRun } from '../../e2e/contract-calls.ts';
import { answerPrompt, findPrompt, readView } from '../../e2e/drive-run.ts';
import { launchApp, type LaunchedApp } from '../../e2e/launch/launch-app.ts';
import { median } from '../bare-parts.ts';
import { keepFigure } from './figures.ts';
import { beginWatching, readWatching } from './watch-app.ts';

const testSecrets = { soPin: '2711204227112042', pin: '648219-test', withoutPictures: true } as const;
const serial = 'DECC0900301';
const openScModule = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
/** How long the slow key takes; a real device makes RSA-2048 in about 30 s, which would measure the same thing for longer. */
const keyMilliseconds = 5_000;

const isListed = async (page: Page): Promise<boolean> =>
  (await readView(page)).tokens.some((token) => token.serial === serial && token.device !== null);

/** Whether an OpenSC that was loaded just now lists the token: what anybody else would wait for. */
async function doesOpenScKnow(): Promise<boolean> {
  const { stdout } = await promisify(execFile)('pkcs11-tool', ['--module', openScModule, '--list-token-slots']);
  return stdout.includes(serial);
}

/** Whether pcscd itself knows of the card. */
async function isInReader(): Promise<boolean> {
  return (await readReaderStates())?.some(({ hasCard }) => hasCard) === true;
}

async function until(holds: () => Promise<boolean>): Promise<number> {
  for (let attempt = 0; attempt < 3000; attempt += 1) {
    if (await holds()) return performance.now();
    await delay(10);
  }
  throw new Error('It did not come about within half a minute.');
}

/** Waits until both the app and pcscd know: the card is put back into a reader that is free. */
async function pullOut(card: CardProcess, page: Page): Promise<void> {
  await card.tell('unplug');
  await until(async () => !(await isListed(page)));
  await until(async () => !(await isInReader()));
}

/** Goes on with a run, PINs typed, until its device is at work on a key. */
async function workUntilKeyIsMade(app: LaunchedApp, page: Page, runId: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const prompt = findPrompt(app);
    if (prompt !== undefined) await answerPrompt(prompt, testSecrets, new Set());
    const run = await findRun(page, runId);
    const step = run?.steps.find(({ status }) => ['current', 'failed'].includes(status));
    const making = run?.steps.find(({ id }) => id === 'generate-key');
    if (run?.busy === true && making?.status === 'working' && findPrompt(app) === undefined) {
      // Long enough for the instruction to have reached the card.
      await delay(1_000);
      if (findPrompt(app) === undefined) return;
    } else if (run?.busy === false && step !== undefined)
      await callContract(page, 'runs.continue', { runId, typedName: step.danger?.typedName ?? '' });
    await delay(100);
  }
  throw new Error('The run did not come to its key.');
}

/** The helper processes that watch readers and hold tokens. Electron names them by their service. */
async function findHelpers(app: LaunchedApp): Promise<readonly number[]> {
  const found = await app.inMain(({ app: electron }) =>
    electron
      .getAppMetrics()
      .filter(({ type, serviceName, name }) => type === 'Utility' && /host/u.test(`${serviceName ?? ''} ${name ?? ''}`))
      .map(({ pid }) => pid),
  );
  expect(found.length, 'the token host and the presence host').toBeGreaterThanOrEqual(2);
  return found;
}

/** Windows that wake-ups are counted in, and how long each is. */
const windows = 8;
const windowMilliseconds = 4_000;

/**
 * Wake-ups a second, by the windows but for the busiest: some seconds after work V8 tidies a process's memory up once,
 * in a burst of a hundred wake-ups, which is no polling.
 */
async function rateOfWakeUps(processes: Readonly<Record<'helpers' | 'main', readonly number[]>>): Promise<{
  readonly helpers: number;
  readonly main: number;
}> {
  const counts = { helpers: [] as number[], main: [] as number[] };
  for (let window = 0; window < windows; window += 1) {
    const before = { helpers: countWakeUps(processes.helpers), main: countWakeUps(processes.main) };
    await delay(windowMilliseconds);
    counts.helpers.push(countWakeUps(processes.helpers) - before.helpers);
    counts.main.push(countWakeUps(processes.main) - before.main);
  }
  const rate = (all: readonly number[]): number => {
    const quieter = all.toSorted((one, other) => one - other).slice(0, -1);
    return quieter.reduce((sum, count) => sum + count, 0) / ((quieter.length * windowMilliseconds) / 1000);
  };
  return { helpers: rate(counts.helpers), main: rate(counts.main) };
}

/** Times that their threads gave the processor up by themselves: each begins with a wake-up. */
function countWakeUps(processes: readonly number[]): number {
  let count = 0;
  for (const id of processes) {
    for (const thread of readdirSync(`/proc/${id.toString()}/task`)) {
      const status = readFileSync(`/proc/${id.toString()}/task/${thread}/status`, 'utf8');
      count += Number(/^voluntary_ctxt_switches:\s+(\d+)/mu.exec(status)?.[1]);
    }
  }
  return count;
}

test.describe.serial('a device', () => {
  let card: CardProcess;
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    await requireCardReaders();
    card = await startCardProcess(serial);
    app = await launchApp();
    page = await app.window('app://main');
  });
  test.afterAll(async () => {
    await app.close();
    await card.end();
  });

  test('how soon it shows', async () => {
    const later: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await card.tell('plug 0');
      const [known, shown] = await Promise.all([until(doesOpenScKnow), until(() => isListed(page))]);
      later.push(Math.max(0, shown - known));
      await pullOut(card, page);
    }
    keepFigure({ name: 'device-shown-milliseconds', value: median(later) });
  });

  test('how soon it shows after the reader has it', async () => {
    const later: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await card.tell('plug 0');
      // By itself: another OpenSC that reads the card at the same time would hold ours up.
      const [seen, shown] = await Promise.all([until(isInReader), until(() => isListed(page))]);
      later.push(Math.max(0, shown - seen));
      await pullOut(card, page);
    }
    keepFigure({ name: 'device-after-reader-milliseconds', value: Math.max(...later) });
  });

  test('the event loop and the frames while it works', async () => {
    await beginWatching(app, page);
    await card.tell('plug 0');
    await until(() => isListed(page));
    // A lock ends the token host; the next one loads the library and initialises it with the device in its reader.
    await callContract(page, 'app.lock', {});
    await callContract(page, 'app.unlock', {});
    await until(() => isListed(page));
    await card.tell(`delay generateKeyPair ${keyMilliseconds.toString()}`);
    const token = (await readView(page)).tokens.find((each) => each.serial === serial);
    if (token === undefined) throw new Error('The device is gone.');
    const plan = planDeviceSetUp(token, 'measured', {
      currentSoPin: 'factory',
      newSoPin: true,
      dkek: { kind: 'random' },
    });
    const runId = await startRun(page, plan);
    expect((await finishRun(app, page, runId, testSecrets)).status).toBe('completed');
    await pullOut(card, page);
    const { stall, frame } = await readWatching(app, page);
    keepFigure({ name: 'device-stall-milliseconds', value: stall });
    keepFigure({ name: 'device-frame-milliseconds', value: frame });
  });

  test('what watching it costs', async () => {
    await card.tell('plug 0');
    await until(() => isListed(page));
    await delay(10_000);
    const rate = await rateOfWakeUps({ helpers: await findHelpers(app), main: [app.mainProcessId] });
    keepFigure({ name: 'device-wakeups', value: rate.helpers });
    keepFigure({ name: 'window-wakeups', value: rate.main });
    await pullOut(card, page);
  });

  test('how soon a run goes on once the device is back', async () => {
    await card.tell('plug 0');
    await until(() => isListed(page));
    await card.tell(`delay generateKeyPair ${keyMilliseconds.toString()}`);
    const token = (await readView(page)).tokens.find((each) => each.serial === serial);
    if (token === undefined) throw new Error('The device is gone.');
    const dkek = { kind: 'none' } as const;
    const runId = await startRun(
      page,
      planDeviceSetUp(token, 'recovered', { currentSoPin: 'typed', newSoPin: false, dkek }),
    );
    const later: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      await workUntilKeyIsMade(app, page, runId);
      await pullOut(card, page);
      await until(async () => (await findRun(page, runId))?.busy === false);
      await card.tell('plug 0');
      const seen = await until(isInReader);
      // A person goes on as soon as the device shows again.
      await until(() => isListed(page));
      const asked = await until(async () => {
        if (findPrompt(app) !== undefined) return true;
        if ((await findRun(page, runId))?.busy === false)
          await callContract(page, 'runs.continue', { runId, typedName: '' });
        return false;
      });
      later.push(asked - seen);
    }
    expect((await finishRun(app, page, runId, testSecrets)).status).toBe('completed');
    keepFigure({ name: 'device-recovered-milliseconds', value: Math.max(...later) });
  });
});
