import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeDesk, namesUnder } from '../fixtures/custodian.ts';
import type { CustodianDesk } from '../fixtures/custodian.ts';
import { findVaultBinary, startVaultServer } from '../servers/vault-server.ts';
import type { TestVault } from '../servers/vault-server.ts';

/** Test PINs: markers that no argument, environment or answer may hold. */
const testPin = 'test-pin-Kx81marker';
const testSoPin = 'test-sopin-Jq42marker';

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.object({ code: z.string(), message: z.string(), next: z.string() }).optional(),
  resume: z.string().optional(),
  value: z
    .object({
      run: z.object({ id: z.string(), status: z.string(), facts: z.record(z.string(), z.unknown()) }).optional(),
      journal: z
        .object({ head: z.string(), headWords: z.array(z.string()), complete: z.boolean().optional() })
        .optional(),
    })
    .loose()
    .optional(),
});
type Answer = z.infer<typeof answerSchema>;

let desk: CustodianDesk;
let vault: TestVault;

async function ask(
  argumentList: readonly string[],
  secrets: Readonly<Record<number, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly answer: Answer; readonly stderr: string }> {
  const result = await desk.run([...argumentList, '--json', '--data-dir', desk.dataDirectory], secrets);
  for (const secret of [testPin, testSoPin]) {
    expect(result.stdout).not.toContain(secret);
    expect(result.stderr).not.toContain(secret);
    expect(result.processes).not.toContain(secret);
  }
  return { exitCode: result.exitCode, answer: answerSchema.parse(JSON.parse(result.stdout)), stderr: result.stderr };
}

const journalOf = (runId: string): string => join(desk.dataDirectory, 'runs', runId, 'journal.jsonl');

/** The script that docs/auditors.md gives for a machine without this program. */
async function checkByHand(path: string): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../../docs/auditors.md'), 'utf8');
  const script = /```bash\n([\s\S]*?)```/u.exec(page)?.[1] ?? '';
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    env: { PATH: process.env['PATH'], JOURNAL: path },
  });
  return stdout;
}

beforeAll(async () => {
  desk = await makeDesk();
  vault = await startVaultServer();
});
afterAll(async () => {
  await vault.stop();
  await desk.remove();
});

describe('from an empty token to an unsealed Vault, by command line', () => {
  let initRun = '';

  it('sets a token up', async () => {
    const { exitCode, answer, stderr } = await ask(
      ['token', 'init', '--label', 'office', '--so-pin-fd', '3', '--pin-fd', '4'],
      {
        3: `${testSoPin}\n`,
        4: `${testPin}\n${testPin}\n`,
      },
    );
    expect(answer.error).toBeUndefined();
    expect(exitCode).toBe(0);
    expect(answer.value?.run?.status).toBe('completed');
    expect(answer.value?.run?.facts['publicKeySha256']).toMatch(/^[0-9a-f]{64}$/u);
    expect(answer.value?.journal?.headWords).toHaveLength(32);
    expect(stderr).toContain('✓');
    expect(stderr).not.toContain('\u001b');
  });

  it('makes a second key, and refuses one with a label in use', async () => {
    const made = await ask(['key', 'generate', '--label', 'office', '--key-label', 'second', '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(made.answer.error).toBeUndefined();
    expect(made.exitCode).toBe(0);
    const refused = await ask(['key', 'generate', '--key-label', 'second', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(refused).toMatchObject({ exitCode: 1, answer: { ok: false, error: { code: 'Token_KeyLabelInUse' } } });
  });

  it('answers a wrong PIN with its code, tries no other line, and says how to resume', async () => {
    const wrong = await ask(['key', 'generate', '--key-label', 'third', '--pin-fd', '3'], {
      3: `wrong-pin\n${testPin}\n`,
    });
    expect(wrong).toMatchObject({ exitCode: 1, answer: { ok: false, error: { code: 'Token_PinIncorrect' } } });
    const run = wrong.answer.value?.run?.id ?? '';
    expect(wrong.answer.resume).toContain(`custodian key generate --resume ${run}`);
    const resumed = await ask(['key', 'generate', '--resume', run, '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(resumed.answer.error).toBeUndefined();
    expect(resumed.answer.value?.run).toMatchObject({ id: run, status: 'completed' });
    const again = await ask(['key', 'generate', '--resume', run, '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(again.answer.error?.code).toBe('Custody_RunEnded');
  });

  it('makes a key of a curve where one is asked for, and knows no others than it can wrap with', async () => {
    const made = await ask(['key', 'generate', '--key-label', 'curve', '--curve', 'P-256', '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(made.answer.error).toBeUndefined();
    expect(made.exitCode).toBe(0);
    const refused = await ask(['key', 'generate', '--key-label', 'other', '--curve', 'brainpoolP256r1'], {});
    expect(refused.exitCode).toBe(2);
  });

  it('lists the token with its keys', async () => {
    const plain = await desk.run(['devices', '--data-dir', desk.dataDirectory]);
    expect(plain.exitCode).toBe(0);
    expect(plain.stdout).toContain('office');
    expect(plain.stdout).toContain('Key “bank-vaults” on office: RSA 2048');
    expect(plain.stdout).toContain('Key “curve” on office: EC P-256');
    expect(plain.stdout).not.toContain('\u001b');
  });

  it('says that a Vault is not initialised, and that another cannot be reached', async () => {
    const trust = ['--ca-file', vault.caPath];
    const status = await desk.run([
      'vault',
      'status',
      '--address',
      vault.address,
      ...trust,
      '--data-dir',
      desk.dataDirectory,
    ]);
    expect(status).toMatchObject({ exitCode: 0 });
    expect(status.stdout).toContain('not initialised');
    const untrusted = await ask(['vault', 'status', '--address', vault.address]);
    expect(untrusted).toMatchObject({ exitCode: 1, answer: { error: { code: 'Vault_CertificateInvalid' } } });
    const unseal = await ask(['vault', 'unseal', '--address', vault.address, ...trust, '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(unseal).toMatchObject({ exitCode: 1, answer: { error: { code: 'Vault_NotInitialized' } } });
    const unreachable = await ask(['vault', 'init', '--name', 'gone', '--address', 'https://127.0.0.1:1', ...trust]);
    expect(unreachable).toMatchObject({ exitCode: 1, answer: { error: { code: 'Vault_Unreachable' } } });
  });

  it('initialises it', async () => {
    const { exitCode, answer } = await ask(
      [
        'vault',
        'init',
        '--name',
        'first',
        '--address',
        vault.address,
        '--ca-file',
        vault.caPath,
        '--root-token',
        'revoked',
        '--pin-fd',
        '3',
      ],
      { 3: `${testPin}\n` },
    );
    expect(answer.error).toBeUndefined();
    expect(exitCode).toBe(0);
    expect(answer.value?.run?.status).toBe('completed');
    initRun = answer.value?.run?.id ?? '';
    expect(await namesUnder(join(desk.dataDirectory, 'runs', initRun))).not.toContain('escrow.json');
    const again = await ask(['vault', 'init', '--name', 'first', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(again).toMatchObject({ exitCode: 1, answer: { error: { code: 'Vault_AlreadyInitialized' } } });
  });

  it('unseals it after a restart, with the token that is on record', async () => {
    await vault.restart();
    const sealed = await desk.run(['vault', 'status', '--name', 'first', '--data-dir', desk.dataDirectory]);
    expect(sealed.stdout).toContain('sealed');
    const { exitCode, answer } = await ask(['vault', 'unseal', '--name', 'first', '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(answer.error).toBeUndefined();
    expect(exitCode).toBe(0);
    const status = await desk.run(['vault', 'status', '--name', 'first', '--data-dir', desk.dataDirectory]);
    expect(status.stdout).toContain('unsealed, active');
  });

  it('verifies the journal, by its words too, as the script by hand does', async () => {
    const path = journalOf(initRun);
    const whole = await ask(['journal', 'verify', path]);
    expect(whole).toMatchObject({ exitCode: 0, answer: { ok: true, value: { intact: true, complete: true } } });
    expect(await checkByHand(path)).toMatch(
      /^the chain holds: \d+ records, head [0-9a-f]{64}\nthe run says it has \d+ records/u,
    );
    const words = z.array(z.string()).parse(whole.answer.value?.['headWords']).join(' ');
    expect(await ask(['journal', 'verify', initRun, '--head', words])).toMatchObject({
      exitCode: 0,
      answer: { value: { headMatch: 'last' } },
    });
    expect(await ask(['journal', 'verify', path, '--head', '0'.repeat(64)])).toMatchObject({
      exitCode: 1,
      answer: { error: { code: 'Custody_JournalDamaged' } },
    });
  });

  it('finds a change, a loss, a swap and a cut, as the script by hand does', async () => {
    const lines = (await readFile(journalOf(initRun), 'utf8')).trimEnd().split('\n');
    const changes: readonly (readonly [string, readonly string[]])[] = [
      [
        'changed',
        lines.map((line, index) =>
          (index === 2 ? line.replace('"by":"', '"by":"x') : line).replace(/"at":"2/u, (text) =>
            index === 2 ? '"at":"3' : text,
          ),
        ),
      ],
      ['lost', lines.filter((_, index) => index !== 3)],
      ['swapped', [...lines.slice(0, 3), lines[4] ?? '', lines[3] ?? '', ...lines.slice(5)]],
      ['doubled', [...lines.slice(0, 3), lines[2] ?? '', ...lines.slice(3)]],
    ];
    for (const [name, changed] of changes) {
      const path = join(desk.directory, `${name}.jsonl`);
      await writeFile(path, `${changed.join('\n')}\n`);
      const plain = await desk.run(['journal', 'verify', path]);
      expect(plain.exitCode, name).toBe(1);
      expect(plain.stdout, name).toContain('NOT INTACT');
      expect(plain.stderr, name).toContain('Custody_JournalDamaged');
      expect(await checkByHand(path), name).not.toContain('the chain holds');
    }
    const cut = join(desk.directory, 'cut.jsonl');
    await writeFile(cut, `${lines.slice(0, -1).join('\n')}\n`);
    expect((await desk.run(['journal', 'verify', cut])).exitCode).toBe(1);
    expect((await desk.run(['journal', 'verify', cut, '--unfinished'])).exitCode).toBe(0);
    expect(await checkByHand(cut)).not.toContain('the run says');
  });
});

describe('what is written wrongly is tried nowhere', () => {
  it.each([
    [['token', 'init', '--pin', testPin]],
    [['token', 'init', `--so-pin=${testPin}`]],
    [['vault', 'unseal', '--share', testPin]],
    [['vault', 'unseal', testPin]],
    [['vault', testPin]],
    [['token', 'init', '--bits', testPin]],
    [['token', 'init', `--${testPin}`]],
    [['vault', 'init', '--root-token', testPin, '--address', 'https://127.0.0.1:1']],
    [['vault', 'init', '--shares', '3', '--threshold', '4', '--address', 'https://127.0.0.1:1']],
    [['vault', 'init', '--shares', '3', '--threshold', '2', '--share-to', 'token']],
    [['vault', 'init', '--share-to', `file:${testPin}`]],
    [['journal', 'verify', 'journal.jsonl', '--head', testPin]],
    [['nothing']],
    [['vault']],
  ])('%#', async (argumentList) => {
    const json = await desk.run([...argumentList, '--json']);
    expect(json.exitCode).toBe(2);
    expect(json.stdout + json.stderr).not.toContain(testPin);
    expect(answerSchema.parse(JSON.parse(json.stdout))).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
  });

  it('a label over 32 bytes, a share to be shown without a terminal, a descriptor that is not open', async () => {
    const secrets = { 3: `${testSoPin}\n`, 4: `${testPin}\n${testPin}\n` };
    const long = await ask(['token', 'init', '--label', 'ä'.repeat(17), '--so-pin-fd', '3', '--pin-fd', '4'], secrets);
    expect(long).toMatchObject({ exitCode: 1, answer: { error: { code: 'Token_LabelInvalid' } } });
    const shown = ['--shares', '1', '--threshold', '1', '--share-to', 'shown:Ada'];
    const refused = await ask(['vault', 'init', '--name', 'first', ...shown]);
    expect(refused).toMatchObject({ exitCode: 2, answer: { error: { code: 'App_BadRequest' } } });
    const closed = await ask(['key', 'generate', '--key-label', 'fourth', '--pin-fd', '9']);
    expect(closed).toMatchObject({ exitCode: 1, answer: { error: { code: 'App_BadRequest' } } });
  });

  it('no module, no library', async () => {
    const missing = await ask(['devices', '--module', '/nowhere/libpkcs11.so']);
    expect(missing).toMatchObject({ exitCode: 1, answer: { error: { code: 'Token_ModuleMissing' } } });
    const none = await ask(['devices', '--module', '/etc/hostname']);
    expect(none).toMatchObject({ exitCode: 1, answer: { error: { code: 'Token_ModuleNotPkcs11' } } });
    const settings = await readFile(join(desk.dataDirectory, 'settings.json'), 'utf8');
    expect(settings).not.toContain('/etc/hostname');
  });
});

it('a Vault is there for these tests', async () => {
  expect(await findVaultBinary()).toBeDefined();
});
