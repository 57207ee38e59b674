/** The envelope of a value under a key of a curve: what opens it, and that nothing else does. */
import { createECDH, createHash, generateKeyPairSync, type ECDH } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canWrap, openValueEnvelope, readValueEnvelope, wrapValue } from '../../electron/hosts/value-wrapping.ts';

const testValue = Buffer.from('a key share of a test');

/** The token's side: a key, its public half as DER, and what the token derives from a point. */
function makeKey(curve: string): { readonly spki: Buffer; readonly ecdh: ECDH } {
  const pair = generateKeyPairSync('ec', { namedCurve: curve });
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(Buffer.from(pair.privateKey.export({ format: 'jwk' }).d ?? '', 'base64url'));
  return { spki: pair.publicKey.export({ type: 'spki', format: 'der' }), ecdh };
}

function open(wrapped: Buffer, ecdh: ECDH): string | undefined {
  const envelope = readValueEnvelope(wrapped);
  if (envelope === undefined) return undefined;
  return openValueEnvelope(envelope, ecdh.computeSecret(envelope.ephemeralPoint))?.toString();
}

describe.each(['prime256v1', 'secp384r1', 'secp521r1'])('under a key of %s', (curve) => {
  const { spki, ecdh } = makeKey(curve);

  test('a value comes back, with its label and its key', () => {
    expect(canWrap(spki)).toBe(true);
    const wrapped = wrapValue(spki, 'vault-unseal-0', testValue);
    expect(readValueEnvelope(wrapped)).toMatchObject({
      label: 'vault-unseal-0',
      publicKeySha256: createHash('sha256').update(spki).digest('hex'),
    });
    expect(open(wrapped, ecdh)).toBe(testValue.toString());
    expect(wrapped.includes(testValue)).toBe(false);
    // Each one under a key of its own.
    expect(wrapValue(spki, 'vault-unseal-0', testValue).equals(wrapped)).toBe(false);
  });

  test('changed in any byte, or cut off anywhere, it gives nothing', () => {
    const wrapped = wrapValue(spki, 'vault-unseal-0', testValue);
    for (let at = 0; at < wrapped.length; at += 1) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(open(changed, ecdh), `byte ${at.toString()}`).toBeUndefined();
      expect(open(wrapped.subarray(0, at), ecdh), `cut at ${at.toString()}`).toBeUndefined();
    }
  });

  test('another key of the curve does not open it', () => {
    expect(open(wrapValue(spki, 'a', testValue), makeKey(curve).ecdh)).toBeUndefined();
  });
});

test('a point that is not on the curve is not given to a token', () => {
  const { spki } = makeKey('prime256v1');
  const wrapped = wrapValue(spki, '', testValue);
  const envelope = readValueEnvelope(wrapped);
  const pointAt = wrapped.indexOf(envelope?.ephemeralPoint ?? testValue);
  wrapped.fill(1, pointAt + 1, pointAt + 65);
  expect(readValueEnvelope(wrapped)).toBeUndefined();
});

test('a secret without its leading zeros is the same secret', () => {
  const { spki, ecdh } = makeKey('prime256v1');
  for (;;) {
    const envelope = readValueEnvelope(wrapValue(spki, 'a', testValue));
    if (envelope === undefined) throw new Error('no envelope');
    const secret = ecdh.computeSecret(envelope.ephemeralPoint);
    if (secret[0] !== 0) continue;
    expect(openValueEnvelope(envelope, secret.subarray(1))?.toString()).toBe(testValue.toString());
    break;
  }
});

test('keys of other kinds are refused', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  expect(canWrap(publicKey.export({ type: 'spki', format: 'der' }))).toBe(false);
  expect(canWrap(makeKey('secp256k1').spki)).toBe(false);
});
