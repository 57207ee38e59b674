/** OpenPGP keys of custodians: read, judged, encrypted to. */
import * as openpgp from 'openpgp';
import { failure, success, type PgpFailureCode, type Result } from '../workflows/failures.ts';
import type { PgpKeyDescription } from '../workflows/ports.ts';

async function readAnyKey(key: Uint8Array): Promise<openpgp.Key | undefined> {
  try {
    const text = Buffer.from(key).toString('latin1');
    return text.includes('-----BEGIN PGP')
      ? await openpgp.readKey({ armoredKey: text })
      : await openpgp.readKey({ binaryKey: new Uint8Array(key) });
  } catch {
    // openpgp throws plain Errors for whatever it cannot parse.
    return undefined;
  }
}

async function canEncryptAt(key: openpgp.Key, date: Date): Promise<boolean> {
  return key.getEncryptionKey(undefined, date).then(
    () => true,
    () => false,
  );
}

/**
 * A public key that may be encrypted to now.
 * Failures: Pgp_KeyUnreadable, Pgp_KeyIsPrivate, Pgp_KeyRevoked, Pgp_KeyExpired, Pgp_KeyCannotEncrypt.
 */
export async function readPgpKey(bytes: Uint8Array): Promise<Result<openpgp.Key, PgpFailureCode>> {
  const key = await readAnyKey(bytes);
  if (key === undefined)
    return failure(
      'Pgp_KeyUnreadable',
      'This is no OpenPGP public key.',
      "Ask the custodian for the output of 'gpg --export --armor'.",
    );
  const fingerprint = key.getFingerprint().toUpperCase();
  if (key.isPrivate())
    return failure(
      'Pgp_KeyIsPrivate',
      'This is a private key; nobody but its holder should have it.',
      "Tell the custodian, and ask for the public key: 'gpg --export --armor'.",
      { fingerprint },
    );
  if (await key.isRevoked())
    return failure(
      'Pgp_KeyRevoked',
      'This key was revoked by its holder.',
      'Ask the custodian for the key that replaces it.',
      { fingerprint },
    );
  const now = new Date();
  const expires = await key.getExpirationTime();
  if (expires instanceof Date && expires <= now)
    return failure(
      'Pgp_KeyExpired',
      `This key expired on ${expires.toISOString().slice(0, 10)}.`,
      'Ask the custodian to extend it and to send the public key anew.',
      { fingerprint },
    );
  if (!(await canEncryptAt(key, now))) {
    const subkeyTimes = await Promise.all(key.getSubkeys().map((subkey) => subkey.getExpirationTime()));
    const lapses = subkeyTimes.flatMap((time) => (time instanceof Date && time <= now ? [time.getTime()] : []));
    // A subkey may have been added long after its primary key: just before it lapsed is when it was good.
    const couldOnce = await Promise.all(lapses.map((lapse) => canEncryptAt(key, new Date(lapse - 1_000))));
    return couldOnce.includes(true)
      ? failure(
          'Pgp_KeyExpired',
          'The encryption part of this key has expired.',
          'Ask the custodian to extend it and to send the public key anew.',
          { fingerprint },
        )
      : failure(
          'Pgp_KeyCannotEncrypt',
          'This key can sign only; nothing can be encrypted to it.',
          'Ask the custodian for a key with an encryption subkey.',
          { fingerprint },
        );
  }
  return success(key);
}

export async function describePgpKey(
  bytes: Uint8Array,
): Promise<Result<PgpKeyDescription & { readonly publicKeyArmored: string }, PgpFailureCode>> {
  const read = await readPgpKey(bytes);
  if (!read.ok) return read;
  const key = read.value;
  const expires = await key.getExpirationTime();
  const encryptionKey = await key.getEncryptionKey();
  const { algorithm, bits, curve } = encryptionKey.getAlgorithmInfo();
  const user = await key.getPrimaryUser().then(
    (primary) => primary.user.userID?.userID ?? '',
    () => '',
  );
  return success({
    fingerprint: key.getFingerprint().toUpperCase(),
    userId: user,
    algorithm: curve === undefined ? `${algorithm}${bits === undefined ? '' : ` ${bits}`}` : `${algorithm} ${curve}`,
    expires: expires instanceof Date ? expires.toISOString() : '',
    publicKeyArmored: key.armor(),
  });
}

/**
 * @param plaintext stays the caller's to wipe
 * @returns a binary OpenPGP message
 */
export async function encryptToPgp(key: openpgp.Key, plaintext: Uint8Array): Promise<Buffer> {
  const binary = new Uint8Array(plaintext);
  const message = await openpgp.createMessage({ binary });
  const encrypted: unknown = await openpgp.encrypt({ message, encryptionKeys: key.toPublic(), format: 'binary' });
  binary.fill(0);
  if (!(encrypted instanceof Uint8Array)) throw new TypeError('openpgp answered no bytes for a binary message');
  return Buffer.from(encrypted);
}
