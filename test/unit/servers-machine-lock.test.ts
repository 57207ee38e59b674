import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { takeMachineLock } from '../servers/machine-lock.ts';

const name = (): string => `test-${process.pid}-${Math.random().toString(36).slice(2)}`;

test('one holder at a time; the next gets it after the release', async () => {
  const lock = name();
  const first = await takeMachineLock(lock);
  await expect(takeMachineLock(lock, { patience: 300 })).rejects.toThrow(`held by process ${process.pid}`);
  const second = takeMachineLock(lock, { patience: 10_000 });
  first.release();
  const held = await second;
  expect(held.leftBehind).toBeUndefined();
  held.release();
});

test('a holder that died is found out, and its note is handed on', async () => {
  const lock = name();
  const module = fileURLToPath(new URL('../servers/machine-lock.ts', import.meta.url));
  const program = `
    import { takeMachineLock } from ${JSON.stringify(module)};
    const lock = await takeMachineLock(${JSON.stringify(lock)});
    lock.note('what is left');
    console.log('held');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], { stdio: 'pipe' });
  await once(child.stdout, 'data');
  await expect(takeMachineLock(lock, { patience: 300 })).rejects.toThrow(`held by process ${child.pid ?? 0}`);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const held = await takeMachineLock(lock, { patience: 10_000 });
  expect(held.leftBehind).toBe('what is left');
  held.release();
});
