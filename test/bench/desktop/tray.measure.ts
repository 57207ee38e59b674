/** From the start of the process to the tray icon, as the app's own mark says. Started bare: a driver would hold it up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from '@playwright/test';
import { z } from 'zod';
import { makeAppHome, testExecutable } from '../../e2e/launch/launch-app.ts';
import { keepFigure } from './figures.ts';

const starts = 7;

const replySchema = z.object({ result: z.object({ result: z.object({ value: z.number() }) }) });

/** Asks the app's inspector for one number. */
async function evaluateNumber(address: string, expression: string): Promise<number> {
  const socket = new WebSocket(address);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('The inspector refused.')), { once: true });
    });
    const reply = new Promise<string>((resolve) => {
      socket.addEventListener('message', (event) => resolve(String(event.data)), { once: true });
    });
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }));
    return replySchema.parse(JSON.parse(await reply)).result.result.value;
  } finally {
    socket.close();
  }
}

/** @returns milliseconds from the process's creation to its tray icon */
async function measureStart(): Promise<number> {
  const home = await makeAppHome();
  const child = spawn(testExecutable, ['--inspect=0', '--hidden', `--user-data-dir=${home.userDataDirectory}`], {
    cwd: home.directory,
    env: { ...home.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  try {
    const address = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => reject(new Error('The app ended at its start.')));
      createInterface({ input: child.stderr }).on('line', (line) => {
        const found = /ws:\/\/\S+/u.exec(line);
        if (found !== null) resolve(found[0]);
      });
    });
    const expression = `(performance.getEntriesByName('tray-up')[0]?.startTime ?? -1) < 0 ? -1
      : performance.timeOrigin + performance.getEntriesByName('tray-up')[0].startTime - process.getCreationTime()`;
    for (let tries = 0; tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const milliseconds = await evaluateNumber(address, expression);
      if (milliseconds > 0) return milliseconds;
    }
    throw new Error('The tray did not come up.');
  } finally {
    child.kill('SIGTERM');
    await ended;
    await home.remove();
  }
}

test('the tray is up', async () => {
  const all: number[] = [];
  for (let index = 0; index < starts; index += 1) all.push(await measureStart());
  const sorted = all.toSorted((one, other) => one - other);
  keepFigure({ name: 'tray-milliseconds', value: sorted[Math.floor(starts / 2)] ?? Number.NaN });
});
