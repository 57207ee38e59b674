import { expect, test } from 'vitest';
import { sealedSecretSchema } from '../../electron/sealing/schema.ts';
import { createSealingKeyPair, fromBase64, openSecret, type SealedSecret } from '../../electron/sealing/sealed.ts';
import { createSealer } from '../../native/sealer.ts';

const secret = new TextEncoder().encode('a share');

test('what a sealer makes is opened like any sealed secret, for the same purpose only', async () => {
  const receiver = await createSealingKeyPair();
  const sealed = sealWith(receiver.publicKey);
  expect(await openSecret(receiver, sealed, 'key share')).toEqual(secret);
  expect(await openSecret(receiver, sealed, 'another purpose')).toBeUndefined();
  expect(await openSecret(await createSealingKeyPair(), sealed, 'key share')).toBeUndefined();
});

test('what a sealer makes passes the schema of sealed secrets', async () => {
  const receiver = await createSealingKeyPair();
  expect(sealedSecretSchema.safeParse(sealWith(receiver.publicKey)).success).toBe(true);
});

test('every message has its own nonce under the one key', async () => {
  const receiver = await createSealingKeyPair();
  const sealer = createSealer(receiver.publicKey, 'key share');
  const sealed = Array.from({ length: 50 }, () => sealer?.seal(secret));
  expect(new Set(sealed.map((entry) => entry?.nonce)).size).toBe(50);
  expect(new Set(sealed.map((entry) => entry?.ciphertext)).size).toBe(50);
  expect(new Set(sealed.map((entry) => entry?.ephemeralPublicKey)).size).toBe(1);
  expect(fromBase64(sealed[0]?.nonce ?? '')).toHaveLength(12);
});

test('a public key that is no point of the curve gets no sealer', () => {
  expect(createSealer(Buffer.alloc(65, 4).toString('base64'), 'key share')).toBeUndefined();
});

function sealWith(publicKey: string): SealedSecret {
  const sealer = createSealer(publicKey, 'key share');
  if (sealer === undefined) throw new Error('no sealer for a good public key');
  return sealer.seal(secret);
}
