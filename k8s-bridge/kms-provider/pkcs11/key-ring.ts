/** The keys of the configured labels: which one writes, and which ones read. */
import pkcs11js, { type Handle } from 'pkcs11js';
import { kleidiName, type TokenConfiguration } from '../configuration.ts';
import { openAesKey } from './aes-key.ts';
import type { TokenConnection } from './token-connection.ts';
import { TokenUnusable } from './token-failure.ts';
import type { TokenKey } from './token-key.ts';

export interface KeyRing {
  readonly current: TokenKey;
  readonly byKeyId: ReadonlyMap<string, TokenKey>;
  /** Any of them may have been kleidi's: it finds its key by this label and minds no id. */
  readonly kleidis: readonly TokenKey[];
}

/** CKA_ID counts up as a number of any length, so that a new key is told from an old one. */
function compareIds(one: string, other: string): number {
  const [left, right] = [one.replace(/^(?:00)+/u, ''), other.replace(/^(?:00)+/u, '')];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

function currentOf(keys: readonly TokenKey[], wanted: TokenConfiguration): TokenKey {
  const { keyLabel, keyId } = wanted;
  const labelled = keys.filter((key) => key.label === keyLabel && (keyId === undefined || key.id === keyId));
  const [newest, next] = labelled.toSorted((one, other) => compareIds(other.id, one.id));
  if (newest === undefined)
    throw new TokenUnusable(
      `The token has no AES key with the label ${keyLabel}${keyId === undefined ? '' : ` and the id ${keyId}`}.`,
    );
  if (next !== undefined && compareIds(newest.id, next.id) === 0)
    throw new TokenUnusable(
      `Two keys have the label ${keyLabel} and one id: nobody can tell which one is new. Give the new one a higher CKA_ID.`,
    );
  return newest;
}

/**
 * Looks for keys, and names those that are new. Throws TokenUnusable or what pkcs11js throws.
 * @param known of the same session; a handle that it knows is not named again
 */
export function findKeys(token: TokenConnection, wanted: TokenConfiguration, known: KeyRing | undefined): KeyRing {
  const labels = new Set([wanted.keyLabel, ...wanted.oldKeyLabels, kleidiName]);
  const before = new Map([...(known?.byKeyId.values() ?? [])].map((key) => [handleText(key.handle), key]));
  const keys = [...labels].flatMap((label) =>
    token
      .find([
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
        { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
        { type: pkcs11js.CKA_LABEL, value: label },
      ])
      .map((handle) => before.get(handleText(handle)) ?? openAesKey(token, handle, label)),
  );
  return {
    current: currentOf(keys, wanted),
    byKeyId: new Map(keys.map((key) => [key.keyId, key])),
    kleidis: keys.filter(({ label }) => label === kleidiName),
  };
}

const handleText = (handle: Handle): string => handle.toString('hex');
