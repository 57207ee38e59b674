/** Everything on a token: keys of both kinds, certificates and data, made by pkcs11-tool and by this program. */
import { execFile } from 'node:child_process';
import { constants, createHash, createPublicKey, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import type { TokenReference } from '../../electron/workflows/ports.ts';
import { makeTestCertificate } from '../fixtures/certificate.ts';
import { createSoftHsmDirectory, softHsmModulePath, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { codeOf, createTestTokenPort, initializeTestToken, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = '24681357';
const testSoPin = '13572468';
const otherTestPin = '11223344';
const wrongTestPin = '99887766';

let softHsm: SoftHsmDirectory;
let port: ReturnType<typeof createTestTokenPort>['port'];
let token: TokenReference;
const storeId = 'test';

async function login(pin = testPin) {
  return port.login(token, await sealTestPin(port, storeId, token.serial, pin), false);
}

function pkcs11Tool(...argumentList: readonly string[]) {
  return promisify(execFile)(
    'pkcs11-tool',
    ['--module', softHsmModulePath, '--token-label', 'objects', '--login', '--pin', testPin, ...argumentList],
    { env: { ...process.env, SOFTHSM2_CONF: softHsm.configurationPath } },
  );
}

async function listed() {
  return valueOf(await port.listAllObjects(token)).objects;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  softHsm = await createSoftHsmDirectory();
  ({ port } = createTestTokenPort({ modulePath: softHsmModulePath, softhsmConfiguration: softHsm.configurationPath }));
  const { serial } = valueOf(
    await initializeTestToken(port, storeId, { label: 'objects', soPin: testSoPin, pin: testPin }),
  );
  token = { storeId, serial };
  await pkcs11Tool('--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'curve', '--id', '0a', '--usage-sign');
  await pkcs11Tool('--keypairgen', '--key-type', 'EC:secp384r1', '--label', 'agree', '--id', '0b', '--usage-derive');
  await pkcs11Tool('--keypairgen', '--key-type', 'RSA:2048', '--label', 'signing', '--id', '0c', '--usage-sign');
  await pkcs11Tool('--keygen', '--key-type', 'AES:32', '--label', 'secret', '--id', '0d', '--sensitive');
  valueOf(await login());
  valueOf(await port.generateKeyPair(token, 'bank-vaults', 2048));
});

afterAll(async () => {
  await port.closeAll();
  await softHsm.dispose();
});

describe('what lies on a token', () => {
  test('is listed with its attributes, and both halves of a pair have one fingerprint', async () => {
    valueOf(await port.writeData(token, 'vault-unseal-0', Buffer.alloc(256, 7)));
    const objects = await listed();
    const find = (objectClass: string, label: string) =>
      objects.find((object) => object.objectClass === objectClass && object.label === label);
    expect(find('private-key', 'curve')).toMatchObject({ id: '0a', kind: 'EC', bits: 256, curve: 'P-256', size: 0 });
    expect(find('private-key', 'curve')?.attributes).toEqual(
      expect.arrayContaining(['TOKEN', 'PRIVATE', 'SENSITIVE', 'NEVER_EXTRACTABLE', 'LOCAL', 'SIGN']),
    );
    expect(find('public-key', 'agree')).toMatchObject({ kind: 'EC', bits: 384, curve: 'P-384' });
    expect(find('secret-key', 'secret')).toMatchObject({ id: '0d', kind: 'AES', bits: 256 });
    expect(find('private-key', 'bank-vaults')).toMatchObject({ kind: 'RSA', bits: 2048, curve: '' });
    expect(find('private-key', 'bank-vaults')?.attributes).toContain('DECRYPT');
    expect(find('private-key', 'bank-vaults')?.attributes).not.toContain('EXTRACTABLE');
    for (const label of ['curve', 'agree', 'signing', 'bank-vaults']) {
      expect(find('private-key', label)?.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(find('private-key', label)?.sha256).toBe(find('public-key', label)?.sha256);
    }
    expect(find('data', 'vault-unseal-0')).toMatchObject({
      size: 256,
      sha256: sha256(Buffer.alloc(256, 7)),
      attributes: ['TOKEN', 'MODIFIABLE'],
    });
    valueOf(await port.deleteData(token, 'vault-unseal-0'));
  });

  test('hides what is private without a login', async () => {
    valueOf(await port.logout(token));
    const classes = (await listed()).map(({ objectClass }) => objectClass);
    expect(classes).toContain('public-key');
    expect(classes).not.toContain('private-key');
    valueOf(await login());
  });

  test('SoftHSM does not say how much memory it has', async () => {
    expect(valueOf(await port.listAllObjects(token))).toMatchObject({ freePublicMemory: -1, totalPublicMemory: -1 });
  });
});

describe('a public key', () => {
  test.each([
    ['curve', '0a', 'EC', 'prime256v1'],
    ['agree', '0b', 'EC', 'secp384r1'],
    ['signing', '0c', 'RSA', undefined],
  ])('“%s” is what node:crypto and openssl take', async (label, id, kind, namedCurve) => {
    const key = valueOf(await port.exportPublicKey(token, { id, label }));
    expect(key.kind).toBe(kind);
    const spki = Buffer.from(key.publicKeySpki, 'base64');
    expect(sha256(spki)).toBe(key.publicKeySha256);
    const read = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(read.asymmetricKeyDetails?.namedCurve).toBe(namedCurve);
    expect(read.export({ format: 'der', type: 'spki' })).toEqual(spki);
  });

  test('that is not there is missing, and an id that is another key’s is not enough', async () => {
    expect(codeOf(await port.exportPublicKey(token, { id: 'ff', label: 'curve' }))).toBe('Token_KeyMissing');
    expect(codeOf(await port.exportPublicKey(token, { id: '0a', label: 'agree' }))).toBe('Token_KeyMissing');
  });
});

describe('certificates', () => {
  test.each([
    ['RSA', ['rsa:2048']],
    ['P-256', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['brainpoolP384r1', ['ec', '-pkeyopt', 'ec_paramgen_curve:brainpoolP384r1']],
  ])('of %s keys are stored, listed, give their public key, and are deleted', async (name, newKey) => {
    const der = await makeTestCertificate(`/O=Test/CN=${name}`, newKey);
    const id = randomBytes(4).toString('hex');
    const stored = valueOf(await port.storeCertificate(token, { der, label: name, id }));
    expect(stored).toEqual({ label: name, sha256: sha256(der), subject: `O=Test, CN=${name}` });
    expect(codeOf(await port.storeCertificate(token, { der, label: name, id }))).toBe('Token_ObjectExists');
    const object = (await listed()).find(({ objectClass, label }) => objectClass === 'certificate' && label === name);
    expect(object).toMatchObject({ id, kind: 'X.509', size: der.length, subject: `O=Test, CN=${name}` });
    expect(Date.parse(object?.notAfter ?? '')).toBe(Date.parse(new X509Certificate(der).validTo));
    const key = valueOf(await port.exportPublicKey(token, { id, label: name }));
    expect(Buffer.from(key.publicKeySpki, 'base64')).toEqual(
      new X509Certificate(der).publicKey.export({ format: 'der', type: 'spki' }),
    );
    const named = { label: name, id, sha256: sha256(der) };
    expect(Buffer.from(valueOf(await port.readCertificate(token, named)))).toEqual(der);
    expect(codeOf(await port.readCertificate(token, { ...named, sha256: '0'.repeat(64) }))).toBe('Token_ObjectMissing');
    const wanted = { objectClass: 'certificate', label: name, id, sha256: '' } as const;
    expect(codeOf(await port.deleteObject(token, { ...wanted, sha256: '0'.repeat(64) }))).toBe('Token_ObjectMissing');
    expect(valueOf(await port.deleteObject(token, wanted))).toEqual({ deleted: 1 });
    expect(codeOf(await port.deleteObject(token, wanted))).toBe('Token_ObjectMissing');
  });

  test('what is none, or more than one, is refused', async () => {
    const der = await makeTestCertificate('/CN=twice');
    const pem = Buffer.from(new X509Certificate(der).toString());
    for (const bytes of [Buffer.from('no certificate'), Buffer.concat([der, der]), pem, der.subarray(0, 100)]) {
      expect(codeOf(await port.storeCertificate(token, { der: bytes, label: 'none', id: '01' }))).toBe(
        'Token_CertificateInvalid',
      );
    }
    expect((await listed()).filter(({ objectClass }) => objectClass === 'certificate')).toEqual([]);
  });
});

describe('tests of keys', () => {
  test.each([
    // SoftHSM lets a key do what it was not told to leave.
    ['bank-vaults', ['decrypt (RSA-OAEP)', 'sign (RSA, SHA-256)'], 'rsa-oaep-sha1'],
    ['signing', ['decrypt (RSA-OAEP)', 'sign (RSA, SHA-256)'], 'rsa-oaep-sha1'],
    ['curve', ['sign (ECDSA)'], undefined],
    ['agree', ['sign (ECDSA)', 'derive (ECDH)'], 'ecdh'],
  ])('“%s” does what it allows, and wraps with the best that worked', async (label, tried, mechanism) => {
    const id = (await listed()).find((object) => object.label === label)?.id ?? '';
    const { wrapping, ...tested } = valueOf(await port.testKey(token, { id, label }));
    expect(tested).toEqual({ tried, passed: true, problem: '' });
    expect(wrapping?.mechanism).toBe(mechanism);
    expect(wrapping?.isDowngrade ?? false).toBe(mechanism === 'rsa-oaep-sha1');
  });

  test('a certificate that is not the key’s own shows in the test of a key that has no public half', async () => {
    const id = '0e';
    await pkcs11Tool('--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'alone', '--id', id, '--usage-sign');
    await pkcs11Tool('--delete-object', '--type', 'pubkey', '--label', 'alone', '--id', id);
    expect(codeOf(await port.testKey(token, { id, label: 'alone' }))).toBe('Token_KeyUnsuitable');
    const der = await makeTestCertificate('/CN=foreign', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
    valueOf(await port.storeCertificate(token, { der, label: 'alone', id }));
    expect(valueOf(await port.testKey(token, { id, label: 'alone' }))).toMatchObject({
      tried: ['sign (ECDSA)'],
      passed: false,
      problem: 'signing with ECDSA: the result is wrong.',
    });
    valueOf(await port.deleteObject(token, { objectClass: 'certificate', label: 'alone', id, sha256: '' }));
    expect(
      valueOf(await port.deleteObject(token, { objectClass: 'key-pair', label: 'alone', id, sha256: '' })),
    ).toEqual({ deleted: 1 });
  });

  test('needs a login', async () => {
    valueOf(await port.logout(token));
    expect(codeOf(await port.testKey(token, { id: '0a', label: 'curve' }))).toBe('Token_NotLoggedIn');
    valueOf(await login());
  });
});

describe('what values can be wrapped with', () => {
  test('an RSA key on SoftHSM does OAEP with SHA-1 only, which is a downgrade', async () => {
    expect(valueOf(await port.wrappingAbility(token, 'bank-vaults'))).toEqual({
      oaepSha1: 'works',
      oaepSha256: 'fails',
      ecdh: 'offered',
      pkcs1: 'offered',
      choice: {
        mechanism: 'rsa-oaep-sha1',
        isDowngrade: true,
        reason: 'the token failed at RSA-OAEP with SHA-256',
      },
    });
  });

  test('an EC key derives', async () => {
    expect(valueOf(await port.wrappingAbility(token, 'agree'))).toMatchObject({
      ecdh: 'works',
      choice: { mechanism: 'ecdh', isDowngrade: false },
    });
    expect(valueOf(await port.wrappingAbility(token, 'curve')).ecdh).toBe('fails');
  });

  test('the mechanism list alone is nothing to rely on', async () => {
    expect(valueOf(await port.wrappingAbility(token, ''))).toEqual({
      oaepSha1: 'offered',
      oaepSha256: 'offered',
      ecdh: 'offered',
      pkcs1: 'offered',
      choice: null,
    });
  });
});

describe('bank-vaults’ values', () => {
  const encrypt = async (keyLabel: string, plaintext: string) => {
    const { publicKeySpki } = valueOf(await port.findWrappingKey(token, keyLabel));
    const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from(plaintext));
  };

  test('are encrypted anew under another key, and nothing is written', async () => {
    valueOf(await port.generateKeyPair(token, 'bank-vaults-2', 3072));
    const share = randomBytes(33).toString('hex');
    const old = await encrypt('bank-vaults', share);
    valueOf(await port.writeData(token, 'vault-unseal-0', old));
    const value = { label: 'vault-unseal-0', sha256: '' };
    const before = valueOf(await port.checkValue(token, value, 'bank-vaults'));
    expect(before).toMatchObject({ decrypts: true, plaintextLength: 66 });
    expect(valueOf(await port.checkValue(token, value, 'bank-vaults-2'))).toEqual({
      decrypts: false,
      plaintextLength: 0,
      mark: '',
    });
    const rewrapped = valueOf(await port.rewrapValue(token, value, 'bank-vaults', 'bank-vaults-2'));
    expect(rewrapped.ciphertext).toHaveLength(384);
    expect(sha256(rewrapped.ciphertext)).toBe(rewrapped.ciphertextSha256);
    expect(Buffer.from(valueOf(await port.readData(token, 'vault-unseal-0')))).toEqual(old);
    valueOf(await port.deleteData(token, 'vault-unseal-0'));
    valueOf(await port.writeData(token, 'vault-unseal-0', rewrapped.ciphertext));
    // The same plaintext, and nothing that tells what it is.
    const after = valueOf(await port.checkValue(token, value, 'bank-vaults-2'));
    expect(after).toEqual(before);
    expect(after.mark).not.toBe(sha256(Buffer.from(share)));
    expect(codeOf(await port.rewrapValue(token, value, 'bank-vaults', 'bank-vaults-2'))).toBe('Token_DecryptFailed');
    expect(codeOf(await port.rewrapValue(token, value, 'bank-vaults-2', 'no such key'))).toBe('Token_KeyMissing');
    valueOf(await port.deleteData(token, 'vault-unseal-0'));
  });

  test('under one label twice are told apart, read and deleted by their hash', async () => {
    const values = [await encrypt('bank-vaults', 'the right one'), await encrypt('bank-vaults-2', 'of another key')];
    for (const value of values) {
      const file = join(softHsm.directory, 'value');
      await writeFile(file, value);
      await pkcs11Tool(
        '--write-object',
        file,
        '--type',
        'data',
        '--label',
        'doubled',
        '--application-label',
        'doubled',
      );
    }
    const named = (value: Uint8Array | undefined) => ({ label: 'doubled', sha256: sha256(value ?? Buffer.alloc(0)) });
    const [right, other] = values;
    expect(codeOf(await port.readValue(token, { label: 'doubled', sha256: '' }))).toBe('Token_ObjectDoubled');
    expect(Buffer.from(valueOf(await port.readValue(token, named(right))))).toEqual(right);
    expect(valueOf(await port.checkValue(token, named(right), 'bank-vaults')).decrypts).toBe(true);
    expect(valueOf(await port.checkValue(token, named(other), 'bank-vaults')).decrypts).toBe(false);
    const meant = { objectClass: 'data', label: 'doubled', id: '' } as const;
    expect(codeOf(await port.deleteObject(token, { ...meant, sha256: '' }))).toBe('Token_ObjectDoubled');
    expect(valueOf(await port.deleteObject(token, { ...meant, sha256: named(other).sha256 }))).toEqual({ deleted: 1 });
    expect(Buffer.from(valueOf(await port.readData(token, 'doubled')))).toEqual(right);
    valueOf(await port.deleteData(token, 'doubled'));
  });
});

describe('deleting', () => {
  test('a key pair takes both halves along, and only those', async () => {
    const key = valueOf(await port.findWrappingKey(token, 'bank-vaults-2'));
    const meant = { objectClass: 'key-pair', label: 'bank-vaults-2', id: key.id, sha256: key.publicKeySha256 } as const;
    expect(codeOf(await port.deleteObject(token, { ...meant, sha256: '0'.repeat(64) }))).toBe('Token_ObjectMissing');
    expect(codeOf(await port.deleteObject(token, { ...meant, id: '00' }))).toBe('Token_ObjectMissing');
    const before = (await listed()).length;
    expect(valueOf(await port.deleteObject(token, meant))).toEqual({ deleted: 2 });
    expect(await listed()).toHaveLength(before - 2);
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults-2'))).toBe('Token_KeyMissing');
  });

  test('a secret key', async () => {
    const meant = { objectClass: 'secret-key', label: 'secret', id: '0d', sha256: '' } as const;
    expect(valueOf(await port.deleteObject(token, meant))).toEqual({ deleted: 1 });
    expect((await listed()).some(({ objectClass }) => objectClass === 'secret-key')).toBe(false);
  });

  test('needs a login', async () => {
    valueOf(await port.logout(token));
    const meant = { objectClass: 'key-pair', label: 'curve', id: '0a', sha256: '' } as const;
    expect(codeOf(await port.deleteObject(token, meant))).toBe('Token_NotLoggedIn');
    valueOf(await login());
  });
});

describe('PINs', () => {
  async function seal(pin: string, purpose: string) {
    const recipient = valueOf(await port.sealingPublicKey(storeId));
    return sealSecret(recipient, new TextEncoder().encode(pin), purpose);
  }

  async function change(role: 'user' | 'so', current: string, replacement: string) {
    const { pin, soPin, newPin, newSoPin } = secretPurpose;
    const purposes = role === 'user' ? ([pin, newPin] as const) : ([soPin, newSoPin] as const);
    return port.changePin({
      token,
      role,
      current: await seal(current, purposes[0](token.serial)),
      replacement: await seal(replacement, purposes[1](token.serial)),
      consentToLastTry: false,
    });
  }

  async function reset(soPin: string, newPin: string) {
    return port.resetPin(
      token,
      await seal(soPin, secretPurpose.soPin(token.serial)),
      await seal(newPin, secretPurpose.newPin(token.serial)),
    );
  }

  test('the user PIN is changed by who knows it, and the login is over', async () => {
    expect(codeOf(await change('user', wrongTestPin, otherTestPin))).toBe('Token_PinIncorrect');
    expect(codeOf(await change('user', testPin, '123'))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await login())).toBe('ok');
    expect(valueOf(await change('user', testPin, otherTestPin))).toEqual({ serial: token.serial });
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_NotLoggedIn');
    expect(codeOf(await login())).toBe('Token_PinIncorrect');
    expect(codeOf(await login(otherTestPin))).toBe('ok');
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('ok');
  });

  test('the SO-PIN resets the user PIN; what is on the token stays', async () => {
    expect(codeOf(await reset(wrongTestPin, testPin))).toBe('Token_SoPinIncorrect');
    expect(codeOf(await login(otherTestPin))).toBe('ok');
    expect(valueOf(await reset(testSoPin, testPin))).toEqual({ serial: token.serial });
    expect(codeOf(await login(otherTestPin))).toBe('Token_PinIncorrect');
    expect(codeOf(await login())).toBe('ok');
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('ok');
  });

  test('the SO-PIN is changed by who knows it', async () => {
    expect(codeOf(await change('so', wrongTestPin, otherTestPin))).toBe('Token_SoPinIncorrect');
    expect(valueOf(await change('so', testSoPin, otherTestPin))).toEqual({ serial: token.serial });
    expect(codeOf(await reset(testSoPin, testPin))).toBe('Token_SoPinIncorrect');
    expect(codeOf(await reset(otherTestPin, testPin))).toBe('ok');
  });

  test('a PIN that was sealed as the current one is not taken as a new one', async () => {
    const sealed = await seal(testPin, secretPurpose.pin(token.serial));
    const request = { token, role: 'user', current: sealed, replacement: sealed, consentToLastTry: false } as const;
    expect(codeOf(await port.changePin(request))).toBe('Token_BadRequest');
  });
});
