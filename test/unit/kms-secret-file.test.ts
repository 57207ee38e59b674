/** Files with the provider's PIN and with what it logs in to Vault with: whose they may be, and what they may hold. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readSecretFile, type SecretFileRules } from '../../k8s-bridge/kms-provider/secret-file.ts';

const ownersAlone: SecretFileRules = { longest: 8, otherReaders: 'nobody', otherOwners: 'root' };
const anyones: SecretFileRules = { longest: 8, otherReaders: 'anyone', otherOwners: 'anyone' };
const somebody = 54_321;

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-secret-'));
  path = join(directory, 'pin');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function write(content: string, mode = 0o400): Promise<void> {
  await writeFile(path, content);
  await chmod(path, mode);
}
const textOf = (rules: SecretFileRules): string => {
  const read = readSecretFile(path, rules);
  return read.ok ? read.value.toString() : `${read.error.code}: ${read.error.message}`;
};
const unreadable = (words: string): unknown => expect.stringContaining(`Kms_SecretUnreadable: ${path} ${words}`);

it.each([
  ['482913', '482913'],
  ['482913\n', '482913'],
  ['482913\r\n', '482913'],
  [' 4 8 ', ' 4 8 '],
  ['12345678\n', '12345678'],
])('of %j the secret is %j', async (content, secret) => {
  await write(content);
  expect(textOf(ownersAlone)).toBe(secret);
});

it.each(['', '\n', '\r\n\r\n'])('%j holds none', async (content) => {
  await write(content);
  expect(textOf(ownersAlone)).toEqual(unreadable('is empty'));
});

it.each(['123456789', '123456789\n', '12345678\n12345678\n', 'x'.repeat(5000)])(
  'of %j nothing is taken, not its beginning either',
  async (content) => {
    await write(content);
    expect(textOf(ownersAlone)).toEqual(unreadable('holds more than 8 bytes'));
  },
);

it.each([0o440, 0o404, 0o420, 0o402, 0o410, 0o401])('one of mode %o is its owner’s alone no more', async (mode) => {
  await write('482913', mode);
  expect(textOf(ownersAlone)).toEqual(unreadable('is open to others'));
  expect(textOf(anyones)).toBe('482913');
});

it('one of somebody else’s is taken only where anybody’s is', async () => {
  await write('482913');
  if (process.getuid?.() === 0) await chown(path, somebody, somebody);
  else vi.spyOn(process, 'getuid').mockReturnValue(somebody);
  expect(textOf(ownersAlone)).toEqual(unreadable('belongs to somebody else'));
  expect(textOf(anyones)).toBe('482913');
});

it('what is none, or no file, is told with the system’s word', () => {
  expect(textOf(ownersAlone)).toEqual(unreadable('cannot be read (ENOENT)'));
  path = directory;
  expect(textOf(anyones)).toEqual(unreadable('cannot be read (EISDIR)'));
});

it('a pipe that nobody writes to is not waited for', () => {
  execFileSync('mkfifo', ['-m', '0400', path]);
  expect(textOf(ownersAlone)).toEqual(unreadable('is empty'));
});
