import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { makeDesk, namesUnder, type CustodianDesk, type CustodianResult } from '../fixtures/custodian.ts';
import { startVaultServer } from '../servers/vault-server.ts';

const testPin = 'test-pin-Mv25marker';
const testSoPin = 'test-sopin-Hb66marker';

let desk: CustodianDesk;

beforeAll(async () => {
  desk = await makeDesk();
});
afterAll(() => desk.remove());

const withData = (argumentList: readonly string[]): readonly string[] => [
  ...argumentList,
  '--data-dir',
  desk.dataDirectory,
];

/** Processes whose environment names this desk's folder: what the command and its hosts would leave behind. */
async function leftBehind(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/u.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      return environment.includes(`HOME=${desk.directory}`) ? command.replaceAll('\0', ' ') : '';
    }),
  );
  return found.filter((command) => command !== '');
}

function holdsNoSecret(result: CustodianResult): void {
  for (const secret of [testPin, testSoPin]) {
    expect(result.stdout + result.stderr).not.toContain(secret);
    expect(result.processes).not.toContain(secret);
  }
}

/** The command that it says will go on, as words after `custodian`. */
function resumeOf(result: CustodianResult): readonly string[] {
  const command = /custodian (vault init --resume \S+.*)/u.exec(result.stderr + result.stdout)?.[1];
  if (command === undefined) throw new Error(`It says nothing of how to go on: ${result.stderr}`);
  return command.trim().split(/\s+/u);
}

const escrows = async (): Promise<readonly string[]> => {
  const runs = await namesUnder(join(desk.dataDirectory, 'runs'));
  const names = await Promise.all(
    runs.map(async (run) => (await namesUnder(join(desk.dataDirectory, 'runs', run))).map((name) => `${run}/${name}`)),
  );
  return names.flat().filter((name) => name.includes('escrow'));
};

test.each([
  // The step before is over: Vault is being asked, or has just answered.
  ['while Vault is being initialised', 'Store a trial object', 'asked'],
  ['while the shares are being stored', 'Store vault-unseal-0 on the token', 'kept'],
])('Ctrl-C %s: it says how to go on, and going on completes the run', async (_name, when, label) => {
  const vault = await startVaultServer({ storage: 'inmem' });
  try {
    const setUp = await desk.run(withData(['token', 'init', '--label', label, '--so-pin-fd', '3', '--pin-fd', '4']), {
      3: `${testSoPin}\n`,
      4: `${testPin}\n${testPin}\n`,
    });
    expect(setUp.exitCode, setUp.stderr).toBe(0);
    const given = ['--name', label, '--address', vault.address, '--ca-file', vault.caPath, '--label', label];
    const stopped = await desk.pressControlC(withData(['vault', 'init', ...given, '--pin-fd', '3']), when, {
      3: `${testPin}\n`,
    });
    holdsNoSecret(stopped);
    expect(stopped.exitCode, stopped.stderr).not.toBe(0);
    expect(stopped.stderr).toContain('App_PromptCancelled');
    await expect.poll(leftBehind, { timeout: 10_000 }).toEqual([]);
    const resume = resumeOf(stopped);
    const ended = await desk.run([...resume, '--pin-fd', '3'], { 3: `${testPin}\n` });
    holdsNoSecret(ended);
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(await escrows()).toEqual([]);
    const runId = resume[resume.indexOf('--resume') + 1] ?? '';
    const journal = await readFile(join(desk.dataDirectory, 'runs', runId, 'journal.jsonl'));
    expect(verifyJournal(journal)).toMatchObject({ intact: true, complete: true, problems: [] });
    expect(await leftBehind()).toEqual([]);
  } finally {
    await vault.stop();
  }
});
