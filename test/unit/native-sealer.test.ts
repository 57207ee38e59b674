import { expect, test } from 'vitest';
import { createSealer, createSealingKeyPair, fromBase64, openSecret } from '../../electron/sealing/sealed.ts';

const secretBytes = (): Uint8Array<ArrayBuffer> => new TextEncoder().encode('a share');

test('what a sealer makes is opened like any sealed secret, for the same purpose only', async () => {
  const receiver = await createSealingKeyPair();
  const sealer = await createSealer(receiver.publicKey, 'key share');
  const sealed = await sealer.seal(secretBytes());
  expect(await openSecret(receiver, sealed, 'key share')).toEqual(secretBytes());
  expect(await openSecret(receiver, sealed, 'another purpose')).toBeUndefined();
  expect(await openSecret(await createSealingKeyPair(), sealed, 'key share')).toBeUndefined();
});

test('every message has its own nonce under the one key', async () => {
  const receiver = await createSealingKeyPair();
  const sealer = await createSealer(receiver.publicKey, 'key share');
  const sealed = await Promise.all(Array.from({ length: 50 }, () => sealer.seal(secretBytes())));
  expect(new Set(sealed.map((entry) => entry.nonce)).size).toBe(50);
  expect(new Set(sealed.map((entry) => entry.ciphertext)).size).toBe(50);
  expect(new Set(sealed.map((entry) => entry.ephemeralPublicKey)).size).toBe(1);
  expect(fromBase64(sealed[0]?.nonce ?? '')).toHaveLength(12);
});

test('the secret is wiped once it is sealed', async () => {
  const receiver = await createSealingKeyPair();
  const secret = secretBytes();
  await (await createSealer(receiver.publicKey, 'key share')).seal(secret);
  expect([...secret].every((byte) => byte === 0)).toBe(true);
});
