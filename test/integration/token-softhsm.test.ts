import { createHash, createPublicKey, constants, publicEncrypt, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { TokenPort, TokenReference } from '../../electron/workflows/ports.ts';
import { createSoftHsmDirectory, softHsmModulePath, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { codeOf, createTestTokenPort, initializeTestToken, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = '24681357';
const testSoPin = '13572468';
const label = 'custodian test';

let softHsm: SoftHsmDirectory;
let port: TokenPort;
let token: TokenReference;
const storeId = 'test';

function openPort(): TokenPort {
  return createTestTokenPort({ modulePath: softHsmModulePath, softhsmConfiguration: softHsm.configurationPath }).port;
}

async function login(on: TokenPort = port): Promise<void> {
  valueOf(await on.login(token, await sealTestPin(on, storeId, token.serial, testPin), false));
}

beforeAll(async () => {
  softHsm = await createSoftHsmDirectory();
  port = openPort();
});

afterAll(async () => {
  await port.closeAll();
  await softHsm.dispose();
});

describe('from an empty slot to a wrapping key', () => {
  test('an empty store lists one uninitialised slot', async () => {
    const [listed] = await port.listTokens();
    expect(listed?.store.id).toBe(storeId);
    const tokens = listed === undefined ? [] : valueOf(listed.result);
    expect(tokens).toHaveLength(1);
    expect(tokens[0]).toMatchObject({ initialized: false, serial: '', soPinState: 'ok', userPinSet: false });
  });

  test('a token is initialised and read back', async () => {
    const made = valueOf(await initializeTestToken(port, storeId, { label, soPin: testSoPin, pin: testPin }));
    expect(made.label).toBe(label);
    expect(made.serial).toMatch(/^[0-9a-f]{16}$/);
    token = { storeId, serial: made.serial };
    const [listed] = await port.listTokens();
    const tokens = listed === undefined ? [] : valueOf(listed.result);
    expect(tokens.find(({ serial }) => serial === made.serial)).toMatchObject({
      label,
      slotId: made.slotId,
      initialized: true,
      userPinSet: true,
      userPinState: 'ok',
      loggedIn: false,
    });
  });

  test('keys need a login, and the login is remembered', async () => {
    expect(codeOf(await port.generateKeyPair(token, 'bank-vaults', 2048))).toBe('Token_NotLoggedIn');
    await login();
    await login();
    const [listed] = await port.listTokens();
    expect(listed?.result.ok === true && listed.result.value.some(({ loggedIn }) => loggedIn)).toBe(true);
  });

  test.each([2048, 3072] as const)('an RSA-%i pair is made and found again', async (modulusBits) => {
    const keyLabel = modulusBits === 2048 ? 'bank-vaults' : `wrapping-${String(modulusBits)}`;
    const made = valueOf(await port.generateKeyPair(token, keyLabel, modulusBits));
    expect(made.modulusBits).toBe(modulusBits);
    expect(made.id).toMatch(/^[0-9a-f]{40}$/);
    const spki = Buffer.from(made.publicKeySpki, 'base64');
    expect(createHash('sha256').update(spki).digest('hex')).toBe(made.publicKeySha256);
    expect(createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyDetails?.modulusLength).toBe(
      modulusBits,
    );
    expect(valueOf(await port.findWrappingKey(token, keyLabel))).toEqual(made);
    expect(codeOf(await port.generateKeyPair(token, keyLabel, modulusBits))).toBe('Token_KeyLabelInUse');
  });

  test('what is encrypted under the public key comes back sealed to its receiver, and only so', async () => {
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
    const plaintext = randomBytes(66);
    const ciphertext = publicEncrypt(
      {
        key: createPublicKey({ key: Buffer.from(key.publicKeySpki, 'base64'), format: 'der', type: 'spki' }),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha1',
      },
      plaintext,
    );
    const receiver = await createSealingKeyPair();
    const sealed = valueOf(await port.decrypt(token, 'bank-vaults', ciphertext, receiver.publicKey, 'key share'));
    expect(Buffer.from((await openSecret(receiver, sealed, 'key share')) ?? [])).toEqual(plaintext);
    const sha256 = createHash('sha256').update(plaintext).digest('hex');
    expect(valueOf(await port.verifyDecrypt(token, 'bank-vaults', ciphertext, sha256))).toEqual({ matches: true });
    expect(valueOf(await port.verifyDecrypt(token, 'bank-vaults', ciphertext, '0'.repeat(64)))).toEqual({
      matches: false,
    });

    const changed = Uint8Array.from(ciphertext);
    changed[100] = (changed[100] ?? 0) ^ 1;
    expect(codeOf(await port.decrypt(token, 'bank-vaults', changed, receiver.publicKey, 'key share'))).toBe(
      'Token_DecryptFailed',
    );
    expect(
      codeOf(await port.decrypt(token, 'bank-vaults', ciphertext.subarray(1), receiver.publicKey, 'key share')),
    ).toBe('Token_DecryptFailed');
    expect(codeOf(await port.decrypt(token, 'wrapping-3072', ciphertext, receiver.publicKey, 'key share'))).toBe(
      'Token_DecryptFailed',
    );
    expect(codeOf(await port.decrypt(token, 'no such key', ciphertext, receiver.publicKey, 'key share'))).toBe(
      'Token_KeyMissing',
    );
    // The host still works after each refusal.
    expect(valueOf(await port.verifyDecrypt(token, 'bank-vaults', ciphertext, sha256))).toEqual({ matches: true });
  });

  test('a receiver whose key is no point of the curve is refused, and the host lives', async () => {
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
    const ciphertext = publicEncrypt(
      {
        key: createPublicKey({ key: Buffer.from(key.publicKeySpki, 'base64'), format: 'der', type: 'spki' }),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha1',
      },
      Buffer.from('share'),
    );
    const notAPoint = Buffer.alloc(65, 4).toString('base64');
    expect(codeOf(await port.decrypt(token, 'bank-vaults', ciphertext, notAPoint, 'key share'))).toBe(
      'Token_BadRequest',
    );
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('ok');
  });

  test('many decrypts asked at once each get their own answer', async () => {
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
    const publicKey = createPublicKey({ key: Buffer.from(key.publicKeySpki, 'base64'), format: 'der', type: 'spki' });
    const receiver = await createSealingKeyPair();
    const opened = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const ciphertext = publicEncrypt(
          { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
          Buffer.from(`share ${String(index)}`),
        );
        const sealed = valueOf(await port.decrypt(token, 'bank-vaults', ciphertext, receiver.publicKey, 'key share'));
        return Buffer.from((await openSecret(receiver, sealed, 'key share')) ?? []).toString();
      }),
    );
    expect(opened).toEqual(Array.from({ length: 40 }, (_, index) => `share ${String(index)}`));
  });

  test('one that fails among them costs the others nothing', async () => {
    const keys = await Promise.all(
      ['bank-vaults', 'wrapping-3072'].map(async (keyLabel) => {
        const { publicKeySpki } = valueOf(await port.findWrappingKey(token, keyLabel));
        const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
        return { keyLabel, key };
      }),
    );
    const receiver = await createSealingKeyPair();
    const answered = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const { keyLabel, key } = keys[index % 2 === 0 ? 0 : 1] ?? {};
        if (keyLabel === undefined || key === undefined) throw new Error('No key.');
        const share = `share ${String(index)}`;
        const ciphertext =
          index % 7 === 3
            ? Buffer.alloc(keyLabel === 'bank-vaults' ? 256 : 384, 1)
            : publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from(share));
        const label = index % 11 === 5 ? 'no such key' : keyLabel;
        const sealed = await port.decrypt(token, label, ciphertext, receiver.publicKey, 'key share');
        if (!sealed.ok) return sealed.error.code;
        return Buffer.from((await openSecret(receiver, sealed.value, 'key share')) ?? []).toString();
      }),
    );
    expect(answered).toEqual(
      Array.from({ length: 60 }, (_, index) => {
        if (index % 11 === 5) return 'Token_KeyMissing';
        return index % 7 === 3 ? 'Token_DecryptFailed' : `share ${String(index)}`;
      }),
    );
  });
});

describe('data objects', () => {
  const value = randomBytes(256);

  test('a value is written once, listed, read and deleted', async () => {
    expect(valueOf(await port.writeData(token, 'vault-unseal-0', value))).toEqual({
      label: 'vault-unseal-0',
      size: 256,
    });
    expect(Buffer.from(valueOf(await port.readData(token, 'vault-unseal-0')))).toEqual(value);
    expect(codeOf(await port.writeData(token, 'vault-unseal-0', randomBytes(256)))).toBe('Token_ObjectExists');
    expect(Buffer.from(valueOf(await port.readData(token, 'vault-unseal-0')))).toEqual(value);
    const objects = valueOf(await port.listObjects(token));
    expect(objects.dataObjects).toEqual([
      { label: 'vault-unseal-0', application: 'vault-unseal-0', size: 256, token: true, private: false },
    ]);
    expect(valueOf(await port.writeData(token, 'vault-test', randomBytes(16))).size).toBe(16);
    valueOf(await port.deleteData(token, 'vault-test'));
    expect(codeOf(await port.readData(token, 'vault-test'))).toBe('Token_ObjectMissing');
    expect(codeOf(await port.deleteData(token, 'vault-test'))).toBe('Token_ObjectMissing');
  });

  test('everything is found from a new process, after the first one shut the module down', async () => {
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults'));
    await port.closeAll();
    port = openPort();
    expect(Buffer.from(valueOf(await port.readData(token, 'vault-unseal-0')))).toEqual(value);
    const withoutLogin = valueOf(await port.listObjects(token));
    expect(
      withoutLogin.keyPairs.map(({ label: name, hasPublic, hasPrivate }) => ({ name, hasPublic, hasPrivate })),
    ).toContainEqual({ name: 'bank-vaults', hasPublic: true, hasPrivate: false });
    await login();
    expect(valueOf(await port.findWrappingKey(token, 'bank-vaults'))).toEqual(key);
    const pair = valueOf(await port.listObjects(token)).keyPairs.find(({ label: name }) => name === 'bank-vaults');
    expect(pair).toEqual({
      label: 'bank-vaults',
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
  });
});

describe('a token that another process made meanwhile', () => {
  test('is listed without starting the host anew', async () => {
    await port.logout(token);
    const other = openPort();
    const made = valueOf(
      await initializeTestToken(other, storeId, { label: 'made elsewhere', soPin: testSoPin, pin: testPin }),
    );
    await other.closeAll();
    const [listed] = await port.listTokens();
    const tokens = listed === undefined ? [] : valueOf(listed.result);
    expect(tokens.map(({ serial }) => serial)).toContain(made.serial);
    expect(tokens.map(({ serial }) => serial)).toContain(token.serial);
  });

  test('its label is in use, and our own token may keep its own', async () => {
    const [listed] = await port.listTokens();
    const own = (listed === undefined ? [] : valueOf(listed.result)).find(({ serial }) => serial === token.serial);
    const request = async (newLabel: string) =>
      port.initializeToken({
        storeId,
        slotId: own?.slotId ?? -1,
        expectedSerial: token.serial,
        label: newLabel,
        soPin: await sealTestPin(port, storeId, token.serial, testSoPin, 'so'),
        pin: await sealTestPin(port, storeId, token.serial, testPin),
      });
    expect(codeOf(await request('made elsewhere'))).toBe('Token_LabelInUse');
    const again = valueOf(await request(label));
    expect(again.label).toBe(label);
    token = { storeId, serial: again.serial };
    await login();
    const objects = valueOf(await port.listObjects(token));
    expect(objects.keyPairs).toEqual([]);
    expect(objects.dataObjects).toEqual([]);
  });
});
