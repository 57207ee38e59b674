/** A SoftHSM token store of the rehearsal's own: its configuration and tokens lie in the rehearsal's folder. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, success, type RehearsalFailureCode, type Result } from '../workflows/failures.ts';
import type { TokenStore } from '../workflows/ports.ts';

/** Debian, Debian multiarch, Fedora, Arch, openSUSE, Homebrew on Apple silicon and Intel. SOFTHSM2_MODULE names another. */
const modulePlaces = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib/libsofthsm2.so',
  '/usr/lib/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

/** The path of SoftHSM's library, or undefined where it is not installed. */
export async function findSoftHsmModule(environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const named = environment['SOFTHSM2_MODULE'];
  for (const path of named === undefined || named === '' ? modulePlaces : [named]) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return undefined;
}

/** Makes the store (mode 0700), or takes up the one that is there. Failure: Rehearsal_SoftHsmMissing. */
export async function openSoftHsmStore(directory: string): Promise<Result<TokenStore, RehearsalFailureCode>> {
  const modulePath = await findSoftHsmModule();
  if (modulePath === undefined)
    return failure(
      'Rehearsal_SoftHsmMissing',
      'SoftHSM, the token in software that a rehearsal practises on, is not installed.',
      'Install it (Debian: apt install softhsm2; Fedora: dnf install softhsm; macOS: brew install softhsm), then start the rehearsal again.',
    );
  const tokens = join(directory, 'tokens');
  await mkdir(tokens, { recursive: true, mode: 0o700 });
  const configuration = join(directory, 'softhsm2.conf');
  await writeFile(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
    { mode: 0o600 },
  );
  return success({
    id: 'rehearsal',
    name: 'Rehearsal tokens (SoftHSM)',
    modulePath,
    softhsmConfiguration: configuration,
    rehearsal: true,
  });
}
