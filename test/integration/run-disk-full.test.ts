import { execFileSync } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { failedSteps, initPlanOf, openRunDesk, unsealPlanOf, type RunDesk } from '../fixtures/run-desk.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';
import { startVaultServer } from '../servers/vault-server.ts';

let desk: RunDesk;

beforeAll(async () => {
  desk = await openRunDesk();
});
afterEach(() => {
  limitFiles('unlimited');
});
afterAll(() => desk.close());

/** A file size limit on the process that keeps the journal stands for its full disk: no write finds room. */
function limitFiles(limit: string): void {
  execFileSync('prlimit', ['--pid', process.pid.toString(), `--fsize=${limit}:unlimited`]);
}

test('a disk that is full at one step after the other of an initialisation costs no share', async () => {
  const serial = await desk.setUpToken('full');
  const vault = await startVaultServer();
  const { runner, journal } = desk.harness;
  const given = { by: 'Ada', typedName: '', throughDeliberateSteps: true };
  try {
    const { runId } = valueOf(await runner.start(initPlanOf(vault, serial), 'Ada'));
    const escrow = join(desk.harness.dataDirectory, 'runs', runId, 'escrow.json');
    const steps = ['initialize', 'store-vault-unseal-0', 'store-vault-root', 'unseal', 'remove-escrow'];
    for (const step of steps) {
      desk.atStart(step, () => {
        limitFiles('0');
        return Promise.resolve();
      });
      expect(codeOf(await runner.proceed(runId, given)), step).toBe('Custody_DiskFull');
      expect(codeOf(await runner.proceed(runId, given)), step).toBe('Custody_DiskFull');
      limitFiles('unlimited');
      if (step.startsWith('store')) await access(escrow);
    }
    const ended = await desk.goOn(runId);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    await expect(access(escrow)).rejects.toThrow('ENOENT');
    expect(verifyJournal(valueOf(await journal.bytes(runId)))).toMatchObject({ intact: true, complete: true });
    await vault.restart();
    expect((await desk.carryThrough(unsealPlanOf(vault, serial))).state.facts['sealedNodes']).toBe(0);
  } finally {
    await vault.stop();
  }
});
