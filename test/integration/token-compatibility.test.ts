/** What we write is what bank-vaults and the field's own tools read, and the other way round (bank-vaults' pkg/kv/hsm/hsm.go). */
import { execFile } from 'node:child_process';
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pkcs11js from 'pkcs11js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { TokenPort, TokenReference, WrappingKey } from '../../electron/workflows/ports.ts';
import { openDirectSession } from '../fixtures/pkcs11/direct.ts';
import { createSoftHsmDirectory, softHsmModulePath, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { createTestTokenPort, initializeTestToken, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = '24681357';
const keyLabel = 'bank-vaults';
const run = promisify(execFile);
const share = randomBytes(33).toString('hex');

let softHsm: SoftHsmDirectory;
let port: TokenPort;
let token: TokenReference;
let key: WrappingKey;
const yes = '01';
const no = '00';

beforeAll(async () => {
  softHsm = await createSoftHsmDirectory();
  ({ port } = createTestTokenPort({
    modulePath: softHsmModulePath,
    softhsmConfiguration: softHsm.configurationPath,
  }));
  const { serial } = valueOf(
    await initializeTestToken(port, 'test', { label: 'compatibility', soPin: testPin, pin: testPin }),
  );
  token = { storeId: 'test', serial };
  valueOf(await port.login(token, await sealTestPin(port, 'test', serial, testPin), false));
  key = valueOf(await port.generateKeyPair(token, keyLabel, 2048));
});

afterAll(async () => {
  await port.closeAll();
  await softHsm.dispose();
});

function pkcs11Tool(...argumentList: readonly string[]) {
  return run('pkcs11-tool', ['--module', softHsmModulePath, '--token-label', 'compatibility', ...argumentList], {
    env: { ...process.env, SOFTHSM2_CONF: softHsm.configurationPath },
  });
}

test('the key pair has the attributes of bank-vaults, and SENSITIVE and an id beside them', () => {
  const direct = openDirectSession(softHsm.configurationPath, token.serial, testPin);
  const [publicKey] = direct.find(pkcs11js.CKO_PUBLIC_KEY, keyLabel);
  const [privateKey] = direct.find(pkcs11js.CKO_PRIVATE_KEY, keyLabel);
  if (publicKey === undefined || privateKey === undefined) throw new Error('a half is missing');
  const ofPublic = (type: number) => direct.attribute(publicKey, type);
  const ofPrivate = (type: number) => direct.attribute(privateKey, type);
  expect({
    token: ofPublic(pkcs11js.CKA_TOKEN),
    verify: ofPublic(pkcs11js.CKA_VERIFY),
    encrypt: ofPublic(pkcs11js.CKA_ENCRYPT),
    exponent: ofPublic(pkcs11js.CKA_PUBLIC_EXPONENT),
    id: ofPublic(pkcs11js.CKA_ID),
  }).toEqual({ token: yes, verify: yes, encrypt: yes, exponent: '010001', id: key.id });
  expect({
    token: ofPrivate(pkcs11js.CKA_TOKEN),
    decrypt: ofPrivate(pkcs11js.CKA_DECRYPT),
    private: ofPrivate(pkcs11js.CKA_PRIVATE),
    sensitive: ofPrivate(pkcs11js.CKA_SENSITIVE),
    extractable: ofPrivate(pkcs11js.CKA_EXTRACTABLE),
    neverExtractable: ofPrivate(pkcs11js.CKA_NEVER_EXTRACTABLE),
    id: ofPrivate(pkcs11js.CKA_ID),
  }).toEqual({
    token: yes,
    decrypt: yes,
    private: yes,
    sensitive: yes,
    extractable: no,
    neverExtractable: yes,
    id: key.id,
  });
  expect(key.id).toHaveLength(40);
  direct.close();
});

test('a data object has the form of bank-vaults, and pkcs11-tool lists and reads it', async () => {
  const value = randomBytes(256);
  valueOf(await port.writeData(token, 'vault-unseal-1', value));
  const direct = openDirectSession(softHsm.configurationPath, token.serial, testPin);
  const objects = direct.find(pkcs11js.CKO_DATA, 'vault-unseal-1');
  const [object] = objects;
  expect(objects).toHaveLength(1);
  if (object === undefined) throw new Error('the object is missing');
  expect({
    token: direct.attribute(object, pkcs11js.CKA_TOKEN),
    private: direct.attribute(object, pkcs11js.CKA_PRIVATE),
    modifiable: direct.attribute(object, pkcs11js.CKA_MODIFIABLE),
    application: direct.attribute(object, pkcs11js.CKA_APPLICATION),
    value: direct.attribute(object, pkcs11js.CKA_VALUE),
  }).toEqual({
    token: yes,
    private: no,
    modifiable: yes,
    application: Buffer.from('vault-unseal-1').toString('hex'),
    value: value.toString('hex'),
  });
  direct.close();

  // Without a PIN, since it is not private.
  const { stdout } = await pkcs11Tool('-O', '--type', 'data');
  expect(stdout).toMatch(/label:\s+'vault-unseal-1'/);
  expect(stdout).toMatch(/application:\s+'vault-unseal-1'/);
  const path = join(softHsm.directory, 'value');
  await pkcs11Tool('--read-object', '--type', 'data', '--label', 'vault-unseal-1', '--output-file', path);
  expect(await readFile(path)).toEqual(value);
});

test('pkcs11-tool sees the pair with our label, id and uses', async () => {
  const { stdout } = await pkcs11Tool('-O', '--login', '--pin', testPin);
  const pair = stdout.split(/(?=^\S)/m).filter((part) => part.includes(`label:      ${keyLabel}`));
  expect(pair).toHaveLength(2);
  for (const half of pair) expect(half).toContain(key.id);
  expect(pair.find((half) => half.startsWith('Private Key'))).toMatch(/Usage:\s+decrypt/);
  expect(pair.find((half) => half.startsWith('Private Key'))).toMatch(/Access:.*sensitive.*never extractable/);
});

test('what node:crypto encrypts under our public key, pkcs11-tool decrypts', async () => {
  const ciphertext = publicEncrypt(
    {
      key: createPublicKey({ key: Buffer.from(key.publicKeySpki, 'base64'), format: 'der', type: 'spki' }),
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha1',
    },
    Buffer.from(share),
  );
  const input = join(softHsm.directory, 'ciphertext');
  const output = join(softHsm.directory, 'plaintext');
  await writeFile(input, ciphertext);
  await pkcs11Tool(
    ...['--login', '--pin', testPin, '--decrypt', '--id', key.id],
    ...['-m', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'],
    ...['--input-file', input, '--output-file', output],
  );
  expect(await readFile(output, 'utf8')).toBe(share);
});

test('what openssl encrypts, the token host decrypts', async () => {
  const keyPath = join(softHsm.directory, 'public.der');
  const input = join(softHsm.directory, 'share');
  const output = join(softHsm.directory, 'openssl-ciphertext');
  await writeFile(keyPath, Buffer.from(key.publicKeySpki, 'base64'));
  await writeFile(input, share);
  await run('openssl', [
    ...['pkeyutl', '-encrypt', '-pubin', '-keyform', 'DER', '-inkey', keyPath, '-in', input, '-out', output],
    ...['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha1'],
  ]);
  const receiver = await createSealingKeyPair();
  const sealed = valueOf(await port.decrypt(token, keyLabel, await readFile(output), receiver.publicKey, 'key share'));
  expect(Buffer.from((await openSecret(receiver, sealed, 'key share')) ?? []).toString()).toBe(share);
});
