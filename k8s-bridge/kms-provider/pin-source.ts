/** Where the PIN comes from: a file, a descriptor or a systemd credential; never an argument or the environment. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';
import type { TokenConfiguration } from './configuration.ts';
import { readSecretDescriptor, readSecretFile } from './secret-file.ts';

/** No token takes a longer PIN, in bytes. */
const longestPin = 255;

/** Reads it anew at each call, so that a file that was put right counts. The caller wipes it. */
export type PinSource = () => Result<Buffer, 'Kms_SecretUnreadable'>;

/** A descriptor can be read once: its PIN is kept for the next log-in. */
function fromDescriptor(descriptor: number): PinSource {
  let kept: ReturnType<PinSource> | undefined;
  return () => {
    if (kept === undefined) {
      kept = readSecretDescriptor(descriptor, `Descriptor ${descriptor}`, longestPin);
      if (kept.ok) closeSync(descriptor);
    }
    return kept.ok ? success(Buffer.from(kept.value)) : kept;
  };
}

/** @param credentialsDirectory systemd's $CREDENTIALS_DIRECTORY */
export function createPinSource(
  configuration: TokenConfiguration,
  credentialsDirectory: string | undefined,
): PinSource {
  const { pin, pinFile, pinFd, pinCredential } = configuration;
  if (pinFile !== undefined)
    return () => readSecretFile(pinFile, { longest: longestPin, otherReaders: 'nobody', otherOwners: 'root' });
  if (pinFd !== undefined) return fromDescriptor(pinFd);
  if (pinCredential === undefined) return () => success(Buffer.from(pin ?? '', 'utf8'));
  if (credentialsDirectory === undefined)
    return () =>
      failure('Kms_SecretUnreadable', 'There are no credentials of systemd here.', 'Set LoadCredential= in the unit.');
  // systemd gives a unit's user its credentials by an access list, which shows in the group's bits.
  const rules = { longest: longestPin, otherReaders: 'anyone', otherOwners: 'anyone' } as const;
  return () => readSecretFile(join(credentialsDirectory, pinCredential), rules);
}
