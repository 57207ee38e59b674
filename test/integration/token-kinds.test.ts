/**
 * What the token host does, on each kind of token: one suite from one table. What only one kind has is in files of
 * its own (token-softhsm, token-smartcard-hsm).
 */
import { constants, createHash, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wrappingCurveOf, wrapValue } from '../../electron/hosts/value-wrapping.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import { smartCardHsm, softhsm, type TokenOfKind } from '../fixtures/token-kinds.ts';
import { codeOf, sealTestPin, valueOf } from '../fixtures/token-port.ts';

/** Longer than one test may wait for another file's card readers. */
const patience = 300_000;

const keyLabel = 'bank-vaults';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function encryptTo(publicKeySpki: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
}

describe.each([softhsm, smartCardHsm])('$kind', ({ setUp }) => {
  let kind: TokenOfKind;

  async function listed() {
    const [store] = await kind.port.listTokens();
    return store === undefined ? [] : valueOf(store.result);
  }

  async function login(pin: string) {
    return kind.port.login(kind.token, await sealTestPin(kind.port, 'test', kind.serial, pin), false);
  }

  /** A card knows one login for all programs: where pkcs11-tool or another process logs out, everybody is. */
  async function logInAgain() {
    valueOf(await kind.port.logout(kind.token));
    await kind.logIn();
  }

  beforeAll(async () => {
    kind = await setUp();
  }, patience);

  afterAll(() => kind.dispose());

  describe('a login', () => {
    test('is listed with the token, by its serial and label', async () => {
      expect(await listed()).toContainEqual(
        expect.objectContaining({
          serial: kind.serial,
          label: kind.label,
          initialized: true,
          userPinSet: true,
          userPinState: 'ok',
          loggedIn: false,
        }),
      );
      await kind.logIn();
      expect((await listed()).find(({ serial }) => serial === kind.serial)?.loggedIn).toBe(true);
      valueOf(await kind.port.logout(kind.token));
    });

    test('with a wrong PIN uses a try up, and says so', async () => {
      const wrong = await login(kind.pins.wrongTestPin);
      expect(wrong.ok ? undefined : wrong.error).toMatchObject({
        code: 'Token_PinIncorrect',
        details: { pinState: 'count-low', serial: kind.serial },
      });
      expect((await listed()).find(({ serial }) => serial === kind.serial)?.userPinState).toBe('count-low');
      await kind.logIn();
      valueOf(await kind.port.logout(kind.token));
      expect((await listed()).find(({ serial }) => serial === kind.serial)?.userPinState).toBe('ok');
    });

    test('is what keys need', async () => {
      expect(codeOf(await kind.port.generateKeyPair(kind.token, keyLabel, 2048))).toBe('Token_NotLoggedIn');
      expect(codeOf(await login('123'))).toBe('Token_PinLengthInvalid');
    });
  });

  describe('a wrapping key', () => {
    beforeAll(() => kind.logIn());

    test.each([2048, 3072, 4096] as const)('of %i bits is made, found again and decrypts', async (modulusBits) => {
      const label = modulusBits === 2048 ? keyLabel : `wrapping-${String(modulusBits)}`;
      const made = valueOf(await kind.port.generateKeyPair(kind.token, label, modulusBits));
      expect(made.modulusBits).toBe(modulusBits);
      expect(made.id).toMatch(/^[0-9a-f]{40}$/);
      const spki = Buffer.from(made.publicKeySpki, 'base64');
      expect(sha256(spki)).toBe(made.publicKeySha256);
      expect(createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyDetails?.modulusLength).toBe(
        modulusBits,
      );
      expect(valueOf(await kind.port.findWrappingKey(kind.token, label))).toEqual(made);
      expect(codeOf(await kind.port.generateKeyPair(kind.token, label, modulusBits))).toBe('Token_KeyLabelInUse');
      const ciphertext = encryptTo(made.publicKeySpki, Buffer.from('share'));
      const digest = sha256(Buffer.from('share'));
      expect(valueOf(await kind.port.verifyDecrypt(kind.token, label, ciphertext, digest))).toEqual({ matches: true });
    });

    test.each(['P-256', 'P-384', 'P-521'] as const)(
      'of the curve %s is made, found again and decrypts',
      async (curve) => {
        const label = `wrapping-${curve}`;
        const made = valueOf(await kind.port.generateKeyPair(kind.token, label, curve));
        const spki = Buffer.from(made.publicKeySpki, 'base64');
        expect(sha256(spki)).toBe(made.publicKeySha256);
        expect(wrappingCurveOf(spki)).toBe(curve);
        expect(valueOf(await kind.port.findWrappingKey(kind.token, label))).toEqual(made);
        expect(codeOf(await kind.port.generateKeyPair(kind.token, label, 2048))).toBe('Token_KeyLabelInUse');
        const ciphertext = wrapValue(spki, '', Buffer.from('share'));
        const digest = sha256(Buffer.from('share'));
        expect(valueOf(await kind.port.verifyDecrypt(kind.token, label, ciphertext, digest))).toEqual({
          matches: true,
        });
        const { keyPairs } = valueOf(await kind.port.listObjects(kind.token));
        expect(keyPairs.find((pair) => pair.label === label)).toMatchObject({
          keyType: 'EC',
          curve,
          extractable: false,
        });
        expect(valueOf(await kind.port.wrappingAbility(kind.token, label)).choice?.mechanism).toBe('ecdh');
      },
    );

    test('gives what was encrypted to it sealed to its receiver, and only so', async () => {
      const { publicKeySpki } = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const plaintext = randomBytes(66);
      const ciphertext = encryptTo(publicKeySpki, plaintext);
      const receiver = await createSealingKeyPair();
      const decrypt = (label: string, value: Uint8Array) =>
        kind.port.decrypt(kind.token, label, value, receiver.publicKey, 'key share');
      const sealed = valueOf(await decrypt(keyLabel, ciphertext));
      expect(Buffer.from((await openSecret(receiver, sealed, 'key share')) ?? [])).toEqual(plaintext);
      const verify = (digest: string) => kind.port.verifyDecrypt(kind.token, keyLabel, ciphertext, digest);
      expect(valueOf(await verify('0'.repeat(64)))).toEqual({ matches: false });

      const changed = Uint8Array.from(ciphertext);
      changed[100] = (changed[100] ?? 0) ^ 1;
      expect(codeOf(await decrypt(keyLabel, changed))).toBe('Token_DecryptFailed');
      expect(codeOf(await decrypt(keyLabel, ciphertext.subarray(1)))).toBe('Token_DecryptFailed');
      expect(codeOf(await decrypt('wrapping-3072', ciphertext))).toBe('Token_DecryptFailed');
      expect(codeOf(await decrypt('no such key', ciphertext))).toBe('Token_KeyMissing');
      // The token still works after each refusal.
      expect(valueOf(await verify(sha256(plaintext)))).toEqual({ matches: true });
    });

    test('passes its test, and says what values can be wrapped with', async () => {
      const { id } = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const { oaepSha1, choice } = valueOf(await kind.port.wrappingAbility(kind.token, keyLabel));
      expect(oaepSha1).toBe('works');
      expect(valueOf(await kind.port.testKey(kind.token, { id, label: keyLabel }))).toEqual({
        tried: ['decrypt (RSA-OAEP)', 'sign (RSA, SHA-256)'],
        passed: true,
        problem: '',
        wrapping: choice,
      });
    });
  });

  describe('a value', () => {
    const value = randomBytes(256);
    const label = 'vault-unseal-0';

    test('is written once, listed, read and deleted', async () => {
      expect(valueOf(await kind.port.writeData(kind.token, label, value))).toEqual({ label, size: 256 });
      expect(Buffer.from(valueOf(await kind.port.readData(kind.token, label)))).toEqual(value);
      expect(codeOf(await kind.port.writeData(kind.token, label, randomBytes(256)))).toBe('Token_ObjectExists');
      expect(Buffer.from(valueOf(await kind.port.readData(kind.token, label)))).toEqual(value);
      expect(valueOf(await kind.port.listObjects(kind.token)).dataObjects).toEqual([
        { label, application: label, size: 256, token: true, private: false },
      ]);
      expect(valueOf(await kind.port.writeData(kind.token, 'vault-test', randomBytes(16))).size).toBe(16);
      valueOf(await kind.port.deleteData(kind.token, 'vault-test'));
      expect(codeOf(await kind.port.readData(kind.token, 'vault-test'))).toBe('Token_ObjectMissing');
      expect(codeOf(await kind.port.deleteData(kind.token, 'vault-test'))).toBe('Token_ObjectMissing');
    });

    test('is found from a new process without a PIN, and the key with one', async () => {
      const key = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const port = kind.openPort();
      expect(Buffer.from(valueOf(await port.readData(kind.token, label)))).toEqual(value);
      await kind.logIn(port);
      expect(valueOf(await port.findWrappingKey(kind.token, keyLabel))).toEqual(key);
      const pair = valueOf(await port.listObjects(kind.token)).keyPairs.find((each) => each.label === keyLabel);
      expect(pair).toEqual({
        label: keyLabel,
        id: key.id,
        keyType: 'RSA',
        modulusBits: 2048,
        curve: '',
        hasPublic: true,
        hasPrivate: true,
        sensitive: true,
        extractable: false,
        publicKeySha256: key.publicKeySha256,
      });
      await port.closeAll();
      await logInAgain();
    });

    test('is read by pkcs11-tool without a PIN', async () => {
      const path = kind.path('value');
      const read = ['--read-object', '--type', 'data', '--label', label, '--output-file', path];
      expect(await kind.pkcs11Tool(read)).toMatchObject({ exitCode: 0 });
      expect(await readFile(path)).toEqual(value);
      const { output } = await kind.pkcs11Tool(['--list-objects', '--type', 'data']);
      expect(output).toMatch(/label:\s+'vault-unseal-0'/);
      expect(output).toMatch(/application:\s+'vault-unseal-0'/);
    });

    test('that was encrypted to our key is decrypted by pkcs11-tool as bank-vaults does', async () => {
      const key = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const share = randomBytes(33).toString('hex');
      const [input, output] = [kind.path('ciphertext'), kind.path('plaintext')];
      await writeFile(input, encryptTo(key.publicKeySpki, Buffer.from(share)));
      const mechanism = ['-m', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'];
      const files = ['--input-file', input, '--output-file', output];
      await kind.pkcs11Tool(['--decrypt', '--id', key.id, ...mechanism, ...files], true);
      expect(await readFile(output, 'utf8')).toBe(share);
      await logInAgain();
    });

    test('is encrypted anew under another key, checked, and told apart by its mark', async () => {
      const key = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const name = { label: 'vault-root', sha256: '' };
      valueOf(await kind.port.writeData(kind.token, 'vault-root', encryptTo(key.publicKeySpki, Buffer.from('token'))));
      const before = valueOf(await kind.port.checkValue(kind.token, name, keyLabel));
      expect(before).toMatchObject({ decrypts: true, plaintextLength: 5 });
      const rewrapped = valueOf(await kind.port.rewrapValue(kind.token, name, keyLabel, 'wrapping-3072'));
      valueOf(await kind.port.deleteData(kind.token, 'vault-root'));
      valueOf(await kind.port.writeData(kind.token, 'vault-root', rewrapped.ciphertext));
      expect(valueOf(await kind.port.checkValue(kind.token, name, 'wrapping-3072'))).toEqual(before);
      expect(valueOf(await kind.port.checkValue(kind.token, name, keyLabel)).decrypts).toBe(false);
      valueOf(await kind.port.deleteData(kind.token, 'vault-root'));
    });
  });

  describe('everything on the token', () => {
    test('is listed; both halves of a key have one fingerprint, and its public half is exported', async () => {
      const { objects } = valueOf(await kind.port.listAllObjects(kind.token));
      const key = valueOf(await kind.port.findWrappingKey(kind.token, keyLabel));
      const halves = objects.filter(({ id }) => id === key.id);
      expect(halves.map(({ objectClass }) => objectClass).toSorted()).toEqual(['private-key', 'public-key']);
      for (const half of halves) expect(half).toMatchObject({ kind: 'RSA', bits: 2048, sha256: key.publicKeySha256 });
      const exported = valueOf(await kind.port.exportPublicKey(kind.token, { id: key.id, label: keyLabel }));
      expect(exported).toEqual({
        publicKeySpki: key.publicKeySpki,
        publicKeySha256: key.publicKeySha256,
        kind: 'RSA',
      });
    });

    test('a key is deleted with both its halves, and its label is free again', async () => {
      const { id } = valueOf(await kind.port.findWrappingKey(kind.token, 'wrapping-4096'));
      const meant = { objectClass: 'key-pair', label: 'wrapping-4096', id, sha256: '' } as const;
      expect(valueOf(await kind.port.deleteObject(kind.token, meant))).toEqual({ deleted: 2 });
      expect(codeOf(await kind.port.findWrappingKey(kind.token, 'wrapping-4096'))).toBe('Token_KeyMissing');
      expect(codeOf(await kind.port.deleteObject(kind.token, meant))).toBe('Token_ObjectMissing');
    });
  });
});
