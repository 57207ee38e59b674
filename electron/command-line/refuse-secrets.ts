import { failure } from '../workflows/failures.ts';
import type { Failure } from '../workflows/failures.ts';

/** Options of this program whose names look like the ones refused below. */
const harmless = new Set([
  '--pin-fd',
  '--so-pin-fd',
  '--share-fd',
  '--shares',
  '--share-to',
  '--pin-certificate',
  '--pin-holder',
  '--so-pin-holder',
  '--pin-tries',
  '--secret-label',
]);

const secretNames =
  /^--?(?:(?:so|user|admin|new|hsm)[-_]?)?(?:pin|puk|password|passphrase|passwd|share|key-?share|unseal-?key|recovery-?key|secret|token-?value)/iu;

/**
 * A PIN, share or password as an argument would stand in the process list, in the shell's history and in
 * the audit log of the machine. Answers what is wrong in the first such argument, without repeating it.
 */
export function findSecretArgument(argumentList: readonly string[]): Failure<'App_BadRequest'> | undefined {
  for (const argument of argumentList) {
    if (argument === '--') return undefined;
    if (!argument.startsWith('-')) continue;
    const name = argument.split('=', 1)[0] ?? '';
    if (harmless.has(name) || !secretNames.test(name)) continue;
    return failure(
      'App_BadRequest',
      'An argument looks like a PIN, share or password. Arguments are seen by every user of this machine and kept in the shell’s history, so none is taken.',
      'Leave it out to be asked for it in the terminal, or hand it over on a file descriptor: --pin-fd N, --so-pin-fd N, --share-fd N. If it was a real one, change it: it was on the command line.',
    ).error;
  }
  return undefined;
}
