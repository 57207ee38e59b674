/** The keys of the configured labels: which one writes, and which ones read. */
import pkcs11js, { type Handle, type Template } from 'pkcs11js';
import { kleidiName, type TokenConfiguration } from '../configuration.ts';
import type { Log } from '../log.ts';
import { openAesKey, type AesKey } from './aes-key.ts';
import { openHybridKey } from './hybrid-key.ts';
import type { TokenConnection } from './token-connection.ts';
import { TokenUnusable } from './token-failure.ts';
import type { TokenKey } from './token-key.ts';
import { findPublicHalf } from './token-public-key.ts';

export interface KeyRing {
  readonly current: TokenKey;
  readonly byKeyId: ReadonlyMap<string, TokenKey>;
  /** Any of them may have been kleidi's: it finds its key by this label and minds no id. */
  readonly kleidis: readonly AesKey[];
  /** By handle, undefined for a private key that cannot be used; they are not opened again. */
  readonly seen: ReadonlyMap<string, TokenKey | AesKey | undefined>;
}

/** CKA_ID counts up as a number of any length, so that a new key is told from an old one. */
function compareIds(one: string, other: string): number {
  const [left, right] = [one.replace(/^(?:00)+/u, ''), other.replace(/^(?:00)+/u, '')];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** An AES key goes before a key pair: the token itself encrypts with it. */
function mayWrite(keys: readonly TokenKey[], { keyKind }: TokenConfiguration): readonly TokenKey[] {
  if (keyKind !== undefined) return keys.filter(({ kind }) => kind === keyKind);
  const aes = keys.filter(({ kind }) => kind === 'aes');
  return aes.length > 0 ? aes : keys;
}

function currentOf(keys: readonly TokenKey[], wanted: TokenConfiguration): TokenKey {
  const { keyLabel, keyId, keyKind } = wanted;
  const labelled = keys.filter((key) => key.label === keyLabel && (keyId === undefined || key.id === keyId));
  const [newest, next] = mayWrite(labelled, wanted).toSorted((one, other) => compareIds(other.id, one.id));
  const which = `with the label ${keyLabel}${keyId === undefined ? '' : ` and the id ${keyId}`}`;
  if (newest === undefined)
    throw new TokenUnusable(
      keyKind === undefined
        ? `The token has no key ${which} that it can be used with: AES, or a pair of RSA or of a NIST curve that unwraps.`
        : `The token has no usable key of the kind ${keyKind} ${which}.`,
    );
  if (next !== undefined && compareIds(newest.id, next.id) === 0)
    throw new TokenUnusable(
      `Two keys have the label ${keyLabel} and one id: nobody can tell which one is new. Give the new one a higher CKA_ID, or name the kind with keyKind.`,
    );
  return newest;
}

const handleText = (handle: Handle): string => handle.toString('hex');

const isAes = (key: TokenKey | AesKey): key is AesKey => 'openKleidis' in key;

/** Copies for the session are no keys of the ring. */
const onToken = { type: pkcs11js.CKA_TOKEN, value: true };

/**
 * Looks for keys, and names those that are new. Throws TokenUnusable or what pkcs11js throws.
 * @param known of the same session; a handle that it knows is not opened again
 */
export function findKeys(
  token: TokenConnection,
  wanted: TokenConfiguration,
  known: KeyRing | undefined,
  log: Log,
): KeyRing {
  const labels = new Set([wanted.keyLabel, ...wanted.oldKeyLabels, kleidiName]);
  const seen = new Map<string, TokenKey | AesKey | undefined>();
  const gather = (kind: Template, open: (handle: Handle, label: string) => TokenKey | AesKey | undefined): void => {
    for (const label of labels)
      for (const handle of token.find([...kind, onToken, { type: pkcs11js.CKA_LABEL, value: label }])) {
        const name = handleText(handle);
        seen.set(name, known?.seen.has(name) === true ? known.seen.get(name) : open(handle, label));
      }
  };
  if (token.isOffered(pkcs11js.CKM_AES_GCM))
    gather(
      [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
        { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
      ],
      (handle, label) => openAesKey(token, handle, label),
    );
  gather([{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }], (handle, label) => {
    const publicHalf = findPublicHalf(token, handle);
    const mechanism = publicHalf?.kind === 'RSA' ? pkcs11js.CKM_RSA_PKCS_OAEP : pkcs11js.CKM_ECDH1_DERIVE;
    if (publicHalf === undefined || !token.isOffered(mechanism)) return undefined;
    return openHybridKey(token, handle, label, publicHalf, log);
  });
  for (const [name, key] of known?.seen ?? []) if (!seen.has(name)) key?.wipe();
  const keys = [...seen.values()].filter((key) => key !== undefined);
  return {
    current: currentOf(keys, wanted),
    byKeyId: new Map(keys.map((key) => [key.keyId, key])),
    kleidis: keys.filter(isAes).filter(({ label }) => label === kleidiName),
    seen,
  };
}

/** What is kept of keys outside the token. */
export function wipeKeys({ seen }: KeyRing): void {
  for (const key of seen.values()) key?.wipe();
}
