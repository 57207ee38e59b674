import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDesk, namesUnder } from '../fixtures/custodian.ts';
import type { CustodianDesk } from '../fixtures/custodian.ts';

let desk: CustodianDesk;
beforeAll(async () => {
  desk = await makeDesk();
});
afterAll(async () => {
  await desk.remove();
});

const left = async (): Promise<readonly string[]> =>
  (await namesUnder(desk.directory)).filter((name) => name.startsWith('custodian-rehearsal-'));

it('rehearses the whole path in plain text, shows the transcripts, and leaves nothing', async () => {
  const result = await desk.run(['rehearse']);
  expect(result.stderr).not.toContain('What now');
  expect(result.exitCode).toBe(0);
  expect(result.stdout + result.stderr).not.toContain('\u001b');
  expect(result.stdout.match(/Transcript: /gu)).toHaveLength(3);
  expect(result.stdout.match(/REHEARSAL/gu)).toHaveLength(3);
  expect(result.stdout.match(/intact and complete/gu)).toHaveLength(3);
  expect(result.stdout).toContain('thrown away');
  expect(await left()).toEqual([]);
  expect(result.processes).toContain('token-host');
});

it('answers one JSON document with --json', async () => {
  const result = await desk.run(['rehearse', '--json', '--root-token', 'token']);
  expect(result.exitCode).toBe(0);
  const answer: unknown = JSON.parse(result.stdout);
  expect(answer).toMatchObject({
    ok: true,
    value: {
      kept: false,
      runs: [
        { run: { workflow: 'token-setup', status: 'completed', rehearsal: true } },
        { run: { workflow: 'vault-init', status: 'completed', rehearsal: true } },
        { run: { workflow: 'unseal', status: 'completed', rehearsal: true } },
      ],
    },
  });
  expect(await left()).toEqual([]);
});

it.each(['SIGINT', 'SIGTERM'] as const)('cleans up at %s in the middle', async (signal) => {
  const result = await desk.interrupt(['rehearse'], 'Initialise a Vault', signal);
  expect(result.exitCode).toBe(130);
  expect(result.stderr).toContain('App_PromptCancelled');
  expect(await left()).toEqual([]);
});

it('keeps a rehearsal when asked, and throws it away', async () => {
  const dataDirectory = ['--data-dir', desk.dataDirectory];
  const kept = await desk.run(['rehearse', '--keep', '--json', ...dataDirectory]);
  expect(kept.exitCode).toBe(0);
  expect(await namesUnder(desk.dataDirectory)).toContain('rehearsal');
  const discarded = await desk.run(['rehearse', '--discard', ...dataDirectory]);
  expect(discarded.exitCode).toBe(0);
  expect(await namesUnder(desk.dataDirectory)).not.toContain('rehearsal');
});
