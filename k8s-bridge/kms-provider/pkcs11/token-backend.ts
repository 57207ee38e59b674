/** The KMS provider's key on a PKCS#11 token: brought back by itself when the token was away. */
import type { PKCS11 } from 'pkcs11js';
import type { Backend, Health } from '../backend.ts';
import { kleidiName, kleidiNonceLength, type TokenConfiguration } from '../configuration.ts';
import type { Sealed } from '../grpc/messages.ts';
import { answered, refused, type Outcome } from '../grpc/outcome.ts';
import type { Log } from '../log.ts';
import type { PinSource } from '../pin-source.ts';
import { findKeys, wipeKeys, type KeyRing } from './key-ring.ts';
import { connectToken, loadLibrary, type RefusedPins, type TokenConnection } from './token-connection.ts';
import { reasonOf, TokenUnusable } from './token-failure.ts';

interface Connected {
  readonly token: TokenConnection;
  readonly keys: KeyRing;
  /** When keys were last looked for, in milliseconds of performance.now(). */
  readonly lookedAt: number;
}
type State = { readonly connected: Connected } | { readonly reason: string };

/** Between two attempts to reach a token that is away, in milliseconds. */
const attemptPause = 1500;
/**
 * Between two looks for new keys, in milliseconds: SoftHSM reads every object of its token for one, which takes
 * milliseconds where there are many. In between, Status asks the key that writes alone.
 */
const lookPause = 4000;
/** The same where a key id is asked for that is not known: another node may write with a newer key already. */
const unknownKeyPause = 1000;

export function createTokenBackend(wanted: TokenConfiguration, pin: PinSource, log: Log): Backend {
  const refusedPins: RefusedPins = { digests: new Set() };
  let library: PKCS11 | undefined;
  let state: State = { reason: 'The token was not looked at yet.' };
  let lastAttempt = Number.NEGATIVE_INFINITY;
  let lastKeyId = '';

  const lose = (reason: string): void => {
    if ('connected' in state) {
      log('error', 'The token is not usable any more.', { reason });
      wipeKeys(state.connected.keys);
      state.connected.token.close();
    } else if (state.reason !== reason) log('warning', 'The token is not usable.', { reason });
    state = { reason };
  };
  const take = (token: TokenConnection, keys: KeyRing, lookedAt: number): Connected => {
    const { keyId } = keys.current;
    if (keyId !== lastKeyId) {
      const fields = {
        keyId,
        label: keys.current.label,
        id: keys.current.id,
        kind: keys.current.kind,
        keys: keys.byKeyId.size,
      };
      log('info', lastKeyId === '' ? 'The key that writes.' : 'Another key writes from now on.', fields);
    }
    lastKeyId = keyId;
    const connected = { token, keys, lookedAt };
    state = { connected };
    return connected;
  };
  /** Turns what the token throws into a state; undefined then. Anything else is a bug and goes on. */
  const guarded = <Value>(work: () => Value): { readonly value: Value } | undefined => {
    try {
      return { value: work() };
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (reason === undefined) throw thrown;
      lose(reason);
      return undefined;
    }
  };
  const connect = (): Connected | undefined => {
    lastAttempt = performance.now();
    return guarded(() => {
      library ??= loadLibrary(wanted.path);
      const token = connectToken(library, wanted, pin, refusedPins);
      let keys: KeyRing | undefined;
      try {
        keys = findKeys(token, wanted, undefined, log);
        if (!keys.current.isUsable()) throw new TokenUnusable('The key that writes cannot be used.');
        return take(token, keys, performance.now());
      } catch (thrown) {
        if (keys !== undefined) wipeKeys(keys);
        token.close();
        throw thrown;
      }
    })?.value;
  };
  /** @param pause how old the last look for new keys may be */
  const look = (pause: number): Connected | undefined => {
    if (!('connected' in state)) return performance.now() - lastAttempt < attemptPause ? undefined : connect();
    const { token, keys, lookedAt } = state.connected;
    const found = guarded(() => {
      const isRecent = performance.now() - lookedAt < pause;
      const now = isRecent ? keys : findKeys(token, wanted, keys, log);
      if (!now.current.isUsable()) return undefined;
      return take(token, now, isRecent ? lookedAt : performance.now());
    });
    if (found === undefined) return connect();
    if (found.value !== undefined) return found.value;
    lose('The key is another one than a moment ago.');
    return connect();
  };
  /** Once more after a fresh log-in: a session that was lost says nothing of the token. */
  const withKeys = <Value>(work: (connected: Connected) => Outcome<Value>): Outcome<Value> => {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const connected = 'connected' in state ? state.connected : look(lookPause);
      const outcome = connected === undefined ? undefined : guarded(() => work(connected));
      if (outcome !== undefined) return outcome.value;
      if (attempt === 0 && connected !== undefined) lastAttempt = Number.NEGATIVE_INFINITY;
    }
    return refused('unavailable', 'reason' in state ? state.reason : 'The token is not usable.');
  };
  const open = (connected: Connected, sealed: Sealed): Outcome<Buffer> => {
    const isKnown = sealed.keyId === kleidiName || connected.keys.byKeyId.has(sealed.keyId);
    const keys = (isKnown ? connected : look(unknownKeyPause))?.keys;
    if (keys === undefined) throw new TokenUnusable('reason' in state ? state.reason : 'The token is not usable.');
    const candidates = sealed.keyId === kleidiName ? keys.kleidis : [];
    const named = keys.byKeyId.get(sealed.keyId);
    if (named === undefined && candidates.length === 0)
      return refused('notFound', 'The token has no key of that key id under the configured labels.');
    let plaintext = named?.open(sealed);
    // What it wrote before its file said another length is read too: the tag tells which one holds.
    for (const ivLength of new Set([wanted.gcmIvLength, kleidiNonceLength]))
      for (const key of candidates) plaintext ??= key.openKleidis(sealed, ivLength);
    // A library may answer the same to a changed ciphertext and to a token that is gone.
    if (plaintext === undefined && !keys.current.isUsable()) throw new TokenUnusable('The key has changed.');
    return plaintext === undefined
      ? refused('invalidArgument', 'The ciphertext or its annotations were changed, or belong to another key.')
      : answered(plaintext);
  };
  return {
    check: (): Health => {
      const connected = look(lookPause);
      if (connected !== undefined) return { healthy: true, keyId: connected.keys.current.keyId };
      return {
        healthy: false,
        keyId: lastKeyId,
        reason: 'reason' in state ? state.reason : 'The token is not usable.',
      };
    },
    encrypt: (plaintext) => withKeys(({ keys }) => answered(keys.current.seal(plaintext))),
    decrypt: (sealed) => withKeys((connected) => open(connected, sealed)),
    close: () => {
      if ('connected' in state) {
        wipeKeys(state.connected.keys);
        state.connected.token.close();
      }
      state = { reason: 'The provider is ending.' };
    },
  };
}
