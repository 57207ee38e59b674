/** The one door to the person's own gpg: argument array, no shell, message on stdin, output capped, a deadline. */
import { spawn } from 'node:child_process';
import { failure, success, type PgpFailureCode, type Result } from '../workflows/failures.ts';

/** A person may have to find and type a passphrase, or touch a card. */
const deadlineMilliseconds = 120_000;
const outputLimitBytes = 65_536;

/** What gpg needs to find its keys and its pinentry the person; nothing else is passed on. */
export const gpgEnvironmentNames = [
  'GNUPGHOME',
  'DISPLAY',
  'XAUTHORITY',
  'WAYLAND_DISPLAY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'GPG_TTY',
  'TERM',
] as const;

function gpgEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'LANG', ...gpgEnvironmentNames]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/**
 * Decrypts with the person's keys; their pinentry asks for the passphrase.
 * @param message binary or armored OpenPGP message
 * @returns the plaintext, which the caller wipes. Failures: Pgp_GpgMissing, Pgp_DecryptFailed.
 */
export async function decryptWithGpg(message: Uint8Array): Promise<Result<Buffer, PgpFailureCode>> {
  return new Promise((resolve) => {
    const child = spawn('gpg', ['--batch', '--no-tty', '--quiet', '--status-fd', '2', '--decrypt'], {
      env: gpgEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const plaintext: Buffer[] = [];
    let length = 0;
    let status = '';
    let settled = false;
    const settle = (result: Result<Buffer, PgpFailureCode>): void => {
      clearTimeout(timer);
      for (const chunk of plaintext.splice(0)) chunk.fill(0);
      if (settled && result.ok) result.value.fill(0);
      settled = true;
      resolve(result);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(
        failure(
          'Pgp_DecryptFailed',
          'gpg did not finish within two minutes.',
          'Try again and answer its passphrase window.',
        ),
      );
    }, deadlineMilliseconds);
    child.on('error', () => {
      settle(
        failure(
          'Pgp_GpgMissing',
          'The program gpg was not found.',
          'Install GnuPG (Debian: apt install gnupg), or type the share instead.',
        ),
      );
    });
    // gpg may end before it has read everything; its exit says why.
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      plaintext.push(chunk);
      if (length > outputLimitBytes) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (status.length < outputLimitBytes) status += chunk.toString('latin1');
    });
    child.on('close', (code) => {
      if (settled) return;
      if (code === 0 && status.includes('[GNUPG:] DECRYPTION_OKAY')) {
        settle(success(Buffer.concat(plaintext)));
        return;
      }
      const noKey = status.includes('[GNUPG:] NO_SECKEY') && !status.includes('[GNUPG:] ENC_TO_SELF');
      settle(
        noKey
          ? failure(
              'Pgp_DecryptFailed',
              'gpg has no secret key for this message.',
              'Check that the message is meant for you and that your key or card is at hand.',
            )
          : failure(
              'Pgp_DecryptFailed',
              'gpg could not decrypt this message.',
              'Check the passphrase, and that the message is whole.',
            ),
      );
    });
    child.stdin.end(message);
  });
}
