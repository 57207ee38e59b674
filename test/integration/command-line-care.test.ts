/** The care of a token in use from the command line, as a process of its own, on SoftHSM. */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encryptToWrappingKey } from '../../electron/runs/interpreter/wrapping.ts';
import type { CustodianDesk } from '../fixtures/custodian.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { createTestTokenPort, sealTestPin, valueOf } from '../fixtures/token-port.ts';

/** Test PINs: markers that no argument, environment or answer may hold. */
const testPin = 'test-pin-Rv55marker';
const newTestPin = 'test-pin-Zm77marker';
const testSoPin = 'test-sopin-Bd19marker';
const newTestSoPin = 'test-sopin-Wc28marker';
const testShare = 'test-share-value-Hq31marker';

const answerSchema = z.object({
  ok: z.boolean(),
  error: z
    .object({ code: z.string(), message: z.string(), next: z.string(), details: z.unknown().optional() })
    .optional(),
  resume: z.string().optional(),
  value: z.record(z.string(), z.unknown()).optional(),
});
type Answer = z.infer<typeof answerSchema>;

let desk: CustodianDesk;
let serial = '';
const run = promisify(execFile);

/** A card reader of this machine may hold tokens as well, so the token is always named. */
const named = (argumentList: readonly string[]): readonly string[] =>
  serial === '' ? argumentList : [...argumentList, '--serial', serial];

async function ask(
  argumentList: readonly string[],
  secrets: Readonly<Record<number, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly answer: Answer; readonly code: string }> {
  const result = await desk.run([...named(argumentList), '--json', '--data-dir', desk.dataDirectory], secrets);
  for (const secret of [testPin, newTestPin, testSoPin, newTestSoPin, testShare]) {
    expect(result.stdout).not.toContain(secret);
    expect(result.stderr).not.toContain(secret);
    expect(result.processes).not.toContain(secret);
  }
  const answer = answerSchema.parse(JSON.parse(result.stdout));
  return { exitCode: result.exitCode, answer, code: answer.error?.code ?? 'ok' };
}

const plain = (argumentList: readonly string[]) => desk.run([...named(argumentList), '--data-dir', desk.dataDirectory]);

/** Writes data objects beside the command line, with the PIN in force. */
async function writeBeside(values: readonly (readonly [string, string])[], pin: string): Promise<void> {
  const { port } = createTestTokenPort({
    modulePath: softHsmModulePath,
    softhsmConfiguration: desk.environment['SOFTHSM2_CONF'] ?? '',
  });
  const token = { storeId: 'test', serial };
  valueOf(await port.login(token, await sealTestPin(port, 'test', serial, pin), false));
  const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
  for (const [label, plaintext] of values)
    valueOf(await port.writeData(token, label, encryptToWrappingKey(key.publicKeySpki, Buffer.from(plaintext))));
  await port.closeAll();
}

/** A second data object of a label, by the field's own tool. */
async function doubleValue(label: string, file: string): Promise<void> {
  await run(
    'pkcs11-tool',
    [
      ...['--module', softHsmModulePath, '--token-label', 'office', '--login', '--pin', testPin],
      ...['--write-object', file, '--type', 'data', '--label', label, '--application-label', label],
    ],
    { env: { ...desk.environment } },
  );
}

beforeAll(async () => {
  desk = await makeDesk();
  const made = await ask(['token', 'init', '--label', 'office', '--so-pin-fd', '3', '--pin-fd', '4'], {
    3: `${testSoPin}\n`,
    4: `${testPin}\n${testPin}\n`,
  });
  expect(made.code).toBe('ok');
  const facts = z.object({ run: z.object({ facts: z.object({ serial: z.string() }) }) }).parse(made.answer.value);
  serial = facts.run.facts.serial;
  await writeBeside(
    [
      ['vault-unseal-0', testShare],
      ['vault-unseal-1', `${testShare}-1`],
      ['vault-root', `${testShare}-root`],
    ],
    testPin,
  );
});
afterAll(() => desk.remove());

describe('what lies on the token', () => {
  it('is listed without a PIN, and with it', async () => {
    const open = await plain(['object', 'list']);
    expect(open.exitCode).toBe(0);
    expect(open.stdout).toMatch(/public-key +bank-vaults/u);
    expect(open.stdout).toMatch(/data +vault-unseal-0/u);
    expect(open.stdout).not.toContain('private-key');
    const withPin = await ask(['object', 'list', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(JSON.stringify(withPin.answer.value)).toContain('private-key');
  });

  it('gives its public key in every form', async () => {
    const pem = await plain(['object', 'export-key', '--object-label', 'bank-vaults']);
    const key = createPublicKey(pem.stdout);
    const ssh = await plain(['object', 'export-key', '--object-label', 'bank-vaults', '--form', 'ssh']);
    expect(ssh.stdout).toMatch(/^ssh-rsa \S+ bank-vaults\n$/u);
    const jwk = await plain(['object', 'export-key', '--object-label', 'bank-vaults', '--form', 'jwk']);
    expect(createPublicKey({ key: JSON.parse(jwk.stdout), format: 'jwk' }).equals(key)).toBe(true);
    expect(await ask(['object', 'export-key', '--object-label', 'nobody'])).toMatchObject({
      exitCode: 1,
      code: 'Token_KeyMissing',
    });
    expect((await plain(['object', 'export-key'])).exitCode).toBe(2);
  });

  it('takes a certificate and gives it up', async () => {
    const file = join(desk.directory, 'office.pem');
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Office'],
      ...['-keyout', '/dev/null', '-out', file],
    ]);
    const stored = await ask(
      ['certificate', 'store', '--file', file, '--object-label', 'office', '--id', 'c0ffee', '--pin-fd', '3'],
      { 3: `${testPin}\n` },
    );
    expect(stored.code).toBe('ok');
    expect((await plain(['object', 'list'])).stdout).toMatch(/certificate +office +c0ffee/u);
    const slip = await ask(
      ['certificate', 'remove', '--object-label', 'office', '--confirm', 'other', '--pin-fd', '3'],
      {
        3: `${testPin}\n`,
      },
    );
    expect(slip.code).toBe('Custody_ConfirmationMismatch');
    const removed = await ask(
      ['certificate', 'remove', '--object-label', 'office', '--confirm', 'office', '--pin-fd', '3'],
      { 3: `${testPin}\n` },
    );
    expect(removed.code).toBe('ok');
    expect((await plain(['object', 'list'])).stdout).not.toContain('certificate');
    expect(
      (
        await ask(['certificate', 'store', '--file', '/etc/hostname', '--object-label', 'x', '--pin-fd', '3'], {
          3: `${testPin}\n`,
        })
      ).code,
    ).toBe('Token_CertificateInvalid');
  });
});

describe('values', () => {
  it('are listed and checked; what is missing or doubled is a failure to a script', async () => {
    const listed = await plain(['value', 'list', '--shares', '3']);
    expect(listed.stdout).toMatch(/vault-unseal-0 +256 +\S+ +ok/u);
    expect(listed.stdout).toMatch(/vault-unseal-2 +missing/u);
    expect(await ask(['value', 'check', '--pin-fd', '3'], { 3: `${testPin}\n` })).toMatchObject({
      exitCode: 0,
      code: 'ok',
    });
    expect(await ask(['value', 'check', '--shares', '3', '--pin-fd', '3'], { 3: `${testPin}\n` })).toMatchObject({
      exitCode: 1,
      code: 'Token_ObjectMissing',
      answer: { error: { details: { 'vault-unseal-2': 'missing' } } },
    });
  });

  it('are repaired', async () => {
    await doubleValue('vault-unseal-1', '/usr/bin/env');
    expect((await plain(['value', 'list'])).stdout).toContain('doubled');
    const refused = await ask(['value', 'rewrap', '--to-key-label', 'new', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(refused.code).toBe('Token_ObjectDoubled');
    const checked = await ask(['value', 'check', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(checked).toMatchObject({ exitCode: 1, code: 'Token_ObjectDoubled' });
    const repaired = await ask(['value', 'repair', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(repaired).toMatchObject({ exitCode: 0, code: 'ok' });
    expect((await ask(['value', 'check', '--pin-fd', '3'], { 3: `${testPin}\n` })).code).toBe('ok');
  });

  it('are shown on a terminal only', async () => {
    const shown = await ask(['value', 'read-out', '--value', 'vault-root', '--custodian', 'Grace', '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(shown).toMatchObject({ exitCode: 1, code: 'App_BadRequest' });
    expect(shown.answer.resume).toContain('custodian value read-out --resume');
    expect((await ask(['value', 'read-out', '--value', 'vault-root'])).exitCode).toBe(2);
  });

  it('are encrypted under a new key, and the old one is deleted with its typed label', async () => {
    expect((await ask(['value', 'rewrap'])).exitCode).toBe(2);
    const halfway = await ask(
      ['value', 'rewrap', '--to-key-label', 'bank-vaults-2', '--remove-old-key', '--confirm', 'slip', '--pin-fd', '3'],
      { 3: `${testPin}\n` },
    );
    expect(halfway.code).toBe('Custody_ConfirmationMismatch');
    const { run: halfwayRun } = z.object({ run: z.object({ id: z.string() }) }).parse(halfway.answer.value);
    const rewrapped = await ask(
      ['value', 'rewrap', '--resume', halfwayRun.id, '--confirm', 'bank-vaults', '--pin-fd', '3'],
      { 3: `${testPin}\n` },
    );
    expect(rewrapped.code).toBe('ok');
    const objects = await plain(['object', 'list']);
    expect(objects.stdout).toContain('bank-vaults-2');
    expect(objects.stdout).not.toMatch(/bank-vaults /u);
    const checked = await ask(['value', 'check', '--key-label', 'bank-vaults-2', '--pin-fd', '3'], {
      3: `${testPin}\n`,
    });
    expect(checked.code).toBe('ok');
  });
});

describe('keys', () => {
  it('are tried, and say where they come from on a SmartCard-HSM only', async () => {
    const tried = await ask(['key', 'test', '--pin-fd', '3'], { 3: `${testPin}\n` });
    expect(tried.code).toBe('ok');
    expect((await ask(['key', 'test', '--key-label', 'nobody'])).code).toBe('Token_KeyMissing');
    expect((await ask(['key', 'test', '--attest'])).code).toBe('Device_NotSmartCardHsm');
  });
});

describe('PINs', () => {
  it('are changed: the one in force and the new one, a line each', async () => {
    const wrong = await ask(['pin', 'change', '--pin-fd', '3'], { 3: `wrong-pin\n${newTestPin}\n${testPin}\n` });
    expect(wrong).toMatchObject({ exitCode: 1, code: 'Token_PinIncorrect' });
    const changed = await ask(['pin', 'change', '--holder', 'Ada', '--pin-fd', '3'], {
      3: `${testPin}\n${newTestPin}\n`,
    });
    expect(changed.code).toBe('ok');
    expect((await ask(['key', 'test', '--pin-fd', '3'], { 3: `${newTestPin}\n` })).code).toBe('ok');
    const so = await ask(['pin', 'change', '--so', '--so-pin-fd', '3'], { 3: `${testSoPin}\n${newTestSoPin}\n` });
    expect(so.code).toBe('ok');
    const reset = await ask(['pin', 'reset', '--so-pin-fd', '3', '--pin-fd', '4'], {
      3: `${newTestSoPin}\n`,
      4: `${testPin}\n`,
    });
    expect(reset.code).toBe('ok');
    const unblocked = await ask(['pin', 'unblock', '--so-pin-fd', '3', '--pin-fd', '4'], {
      3: `${newTestSoPin}\n`,
      4: `${newTestPin}\n`,
    });
    expect(unblocked.code).toBe('ok');
  });

  it('are never an argument', async () => {
    const refused = await desk.run(['pin', 'change', '--new-pin', newTestPin]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).not.toContain(newTestPin);
  });
});

describe('destruction', () => {
  it('of one object takes its typed label and says what it was for', async () => {
    const slip = await ask(
      ['object', 'delete', '--class', 'data', '--object-label', 'vault-root', '--confirm', 'root', '--pin-fd', '3'],
      { 3: `${newTestPin}\n` },
    );
    expect(slip.code).toBe('Custody_ConfirmationMismatch');
    const deleted = await ask(
      [
        'object',
        'delete',
        '--class',
        'data',
        '--object-label',
        'vault-root',
        '--confirm',
        'vault-root',
        '--pin-fd',
        '3',
      ],
      { 3: `${newTestPin}\n` },
    );
    expect(deleted.code).toBe('ok');
    expect((await plain(['object', 'list'])).stdout).not.toContain('vault-root');
    expect((await ask(['object', 'delete', '--object-label', 'x'])).exitCode).toBe(2);
    expect((await ask(['object', 'delete', '--class', 'data'])).exitCode).toBe(2);
  });

  it('of everything takes the typed serial', async () => {
    const pins = { 3: `${newTestSoPin}\n`, 4: `${testPin}\n` };
    const fds = ['--so-pin-fd', '3', '--pin-fd', '4'];
    expect((await ask(['token', 'reset', '--confirm', 'office', ...fds], pins)).code).toBe(
      'Custody_ConfirmationMismatch',
    );
    expect((await ask(['token', 'reset', '--confirm', serial, ...fds], pins)).code).toBe('ok');
    expect((await plain(['object', 'list'])).stdout).toContain('nothing on this token');
    expect((await ask(['object', 'list', '--pin-fd', '3'], { 3: `${testPin}\n` })).answer.value).toMatchObject({
      objects: [],
    });
  });
});
