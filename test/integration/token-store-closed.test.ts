/** A SoftHSM store that this user may not open, as Debian's is for users outside the group softhsm. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { createTestTokenPort } from '../fixtures/token-port.ts';

let directory = '';
let configuration = '';
let tokens = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-closed-'));
  await chmod(directory, 0o755);
  configuration = join(directory, 'softhsm2.conf');
  tokens = join(directory, 'tokens');
  await writeFile(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`, {
    mode: 0o644,
  });
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const inOwnWords = {
  code: 'Token_GeneralError',
  message: expect.stringContaining('SoftHSM could not open its token store'),
  next: expect.stringMatching(/group softhsm.*SOFTHSM2_CONF.*rehearsal/u),
};

test('a folder that is not there', async () => {
  const { port } = createTestTokenPort({ modulePath: softHsmModulePath, softhsmConfiguration: configuration });
  try {
    const [listed] = await port.listTokens();
    expect(listed?.result).toMatchObject({
      ok: false,
      error: { ...inOwnWords, details: { returnValue: 'CKR_GENERAL_ERROR', configuration } },
    });
  } finally {
    await port.closeAll();
  }
});

test('a folder that an ordinary user may not read', async () => {
  await mkdir(tokens, { mode: 0o000 });
  const script = `
    import { loadModule } from ${JSON.stringify(join(import.meta.dirname, '../../native/pkcs11/module.ts'))};
    process.stdout.write(JSON.stringify(loadModule(${JSON.stringify(softHsmModulePath)})));
  `;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  // Root may read anything.
  const asOrdinaryUser = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...node];
  const [program = '', ...argumentList] = process.getuid?.() === 0 ? asOrdinaryUser : node;
  const { stdout } = await promisify(execFile)(program, argumentList, {
    env: { PATH: '/usr/bin:/bin', SOFTHSM2_CONF: configuration },
    cwd: directory,
  });
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: inOwnWords });
});
