import { randomBytes } from 'node:crypto';
import pkcs11js from 'pkcs11js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createSealingKeyPair, sealSecret } from '../../electron/sealing/sealed.ts';
import type { TokenPort, TokenReference } from '../../electron/workflows/ports.ts';
import { keyPairTemplates } from '../../native/pkcs11/templates.ts';
import { openDirectSession } from '../fixtures/pkcs11/direct.ts';
import { createSoftHsmDirectory, softHsmModulePath, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { codeOf, createTestTokenPort, initializeTestToken, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = 'user-pin-8421';
const testSoPin = 'so-pin-1248';
const wrongTestPin = 'wrong-pin-7777';
const label = 'bad input';

let softHsm: SoftHsmDirectory;
let port: TokenPort;
let token: TokenReference;
/** Everything that left the host in this file's tests. */
const answers: unknown[] = [];

/** Keeps an answer for the search for PINs at the end. */
function kept<Answer>(answer: Answer): Answer {
  answers.push(answer);
  return answer;
}

async function login(pin: string) {
  return kept(await port.login(token, await sealTestPin(port, 'test', token.serial, pin), false));
}

async function initialize(request: { label?: string; soPin?: string; pin?: string; slotId?: number; serial?: string }) {
  const serial = request.serial ?? token.serial;
  const slotId = request.slotId ?? (await slotOfToken());
  return kept(
    await port.initializeToken({
      storeId: 'test',
      slotId,
      expectedSerial: serial,
      label: request.label ?? label,
      soPin: await sealTestPin(port, 'test', serial, request.soPin ?? testSoPin, 'so'),
      pin: await sealTestPin(port, 'test', serial, request.pin ?? testPin),
    }),
  );
}

async function listTokens() {
  const [listed] = kept(await port.listTokens());
  return listed === undefined ? [] : valueOf(listed.result);
}

async function slotOfToken(): Promise<number> {
  return (await listTokens()).find(({ serial }) => serial === token.serial)?.slotId ?? -1;
}

beforeAll(async () => {
  softHsm = await createSoftHsmDirectory();
  ({ port } = createTestTokenPort({
    modulePath: softHsmModulePath,
    softhsmConfiguration: softHsm.configurationPath,
  }));
  const pins = { soPin: testSoPin, pin: testPin };
  const { serial } = valueOf(await initializeTestToken(port, 'test', { label, ...pins }));
  token = { storeId: 'test', serial };
});

beforeEach(async () => {
  await port.logout(token);
});

afterAll(async () => {
  await port.closeAll();
  await softHsm.dispose();
});

describe('PINs', () => {
  test('a wrong PIN is refused, and the token says that a try is used up', async () => {
    const wrong = await login(wrongTestPin);
    expect(wrong.ok ? undefined : wrong.error).toMatchObject({
      code: 'Token_PinIncorrect',
      details: { pinState: 'count-low' },
    });
    expect(codeOf(await login(testPin))).toBe('ok');
  });

  test('a wrong SO-PIN erases nothing', async () => {
    expect(codeOf(await initialize({ soPin: wrongTestPin }))).toBe('Token_SoPinIncorrect');
    expect(codeOf(await login(testPin))).toBe('ok');
  });

  test('a PIN that is too short is refused before anything is erased', async () => {
    expect(codeOf(await initialize({ pin: '123' }))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await initialize({ soPin: '123' }))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await login('123'))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await login('x'.repeat(300)))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await login(testPin))).toBe('ok');
  });

  test('a PIN that was sealed for something else is not used', async () => {
    const recipient = valueOf(await port.sealingPublicKey('test'));
    const pin = () => new TextEncoder().encode(testPin);
    const forAnotherToken = await sealSecret(recipient, pin(), secretPurpose.pin('another'));
    expect(codeOf(kept(await port.login(token, forAnotherToken, false)))).toBe('Token_BadRequest');
    const { publicKey } = await createSealingKeyPair();
    const forAnotherHost = await sealSecret(publicKey, pin(), secretPurpose.pin(token.serial));
    expect(codeOf(kept(await port.login(token, forAnotherHost, false)))).toBe('Token_BadRequest');
  });
});

describe('labels and tokens', () => {
  test.each([
    ['33 letters', 'x'.repeat(33), 'Token_LabelInvalid'],
    ['17 letters of two bytes', 'é'.repeat(17), 'Token_LabelInvalid'],
    ['a blank at the end', 'label ', 'Token_LabelInvalid'],
    ['a control character', 'la\u0007bel', 'Token_LabelInvalid'],
  ])('a label of %s is refused', async (_, newLabel, code) => {
    expect(codeOf(await initialize({ label: newLabel }))).toBe(code);
    expect(codeOf(await login(testPin))).toBe('ok');
  });

  test('16 letters of two bytes are kept as they are', async () => {
    const made = valueOf(
      kept(await initializeTestToken(port, 'test', { label: 'é'.repeat(16), soPin: testSoPin, pin: testPin })),
    );
    expect(made.label).toBe('é'.repeat(16));
  });

  test('a label in use is refused', async () => {
    expect(codeOf(await initialize({ label: 'é'.repeat(16) }))).toBe('Token_LabelInUse');
    const empty = await initializeTestToken(port, 'test', { label, soPin: testSoPin, pin: testPin });
    expect(codeOf(kept(empty))).toBe('Token_LabelInUse');
  });

  test('another token in the slot is not erased', async () => {
    expect(codeOf(await initialize({ serial: '0000000000000000' }))).toBe('Token_SerialMismatch');
    expect(codeOf(await initialize({ slotId: 987_654 }))).toBe('Token_NotFound');
    expect(codeOf(await login(testPin))).toBe('ok');
  });

  test('a token that is not there is not found', async () => {
    const absent = { storeId: 'test', serial: '0000000000000000' };
    const pin = await sealTestPin(port, 'test', absent.serial, testPin);
    expect(codeOf(kept(await port.login(absent, pin, false)))).toBe('Token_NotFound');
    expect(codeOf(kept(await port.readData(absent, 'vault-root')))).toBe('Token_NotFound');
    expect(codeOf(kept(await port.readData({ storeId: 'no store', serial: token.serial }, 'vault-root')))).toBe(
      'Token_NotFound',
    );
  });
});

describe('keys and objects', () => {
  test('nothing there, one half, two pairs, and a key of another use each have their own code', async () => {
    valueOf(await login(testPin));
    expect(codeOf(kept(await port.findWrappingKey(token, 'none')))).toBe('Token_KeyMissing');
    const direct = openDirectSession(softHsm.configurationPath, token.serial, testPin);
    for (const name of ['doubled', 'doubled', 'half']) {
      const templates = keyPairTemplates(name, 2048, randomBytes(20));
      direct.generateKeyPair(templates.publicKey, templates.privateKey);
    }
    const [half] = direct.find(pkcs11js.CKO_PRIVATE_KEY, 'half');
    if (half !== undefined) direct.cryptoki.C_DestroyObject(direct.session, half);
    const signing = keyPairTemplates('signing', 2048, randomBytes(20));
    direct.generateKeyPair(
      signing.publicKey,
      signing.privateKey.map((entry) =>
        entry.type === pkcs11js.CKA_DECRYPT ? { type: pkcs11js.CKA_DECRYPT, value: false } : entry,
      ),
    );
    direct.close();
    // The host sees what another program wrote while it was logged in.
    expect(codeOf(kept(await port.findWrappingKey(token, 'doubled')))).toBe('Token_KeyLabelDoubled');
    expect(codeOf(kept(await port.generateKeyPair(token, 'doubled', 2048)))).toBe('Token_KeyLabelDoubled');
    expect(codeOf(kept(await port.findWrappingKey(token, 'half')))).toBe('Token_KeyIncomplete');
    expect(codeOf(kept(await port.generateKeyPair(token, 'half', 2048)))).toBe('Token_KeyLabelInUse');
    expect(codeOf(kept(await port.findWrappingKey(token, 'signing')))).toBe('Token_KeyUnsuitable');
    const listed = valueOf(kept(await port.listObjects(token)));
    expect(listed.keyPairs.filter(({ label: name }) => name === 'doubled')).toHaveLength(2);
    expect(listed.keyPairs.find(({ label: name }) => name === 'half')).toMatchObject({
      hasPublic: true,
      hasPrivate: false,
      sensitive: null,
    });
  });

  test('two objects under one label are neither read nor deleted', async () => {
    valueOf(await login(testPin));
    const direct = openDirectSession(softHsm.configurationPath, token.serial, testPin);
    for (const value of [1, 2]) {
      direct.cryptoki.C_CreateObject(direct.session, [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA },
        { type: pkcs11js.CKA_TOKEN, value: true },
        { type: pkcs11js.CKA_PRIVATE, value: false },
        { type: pkcs11js.CKA_LABEL, value: 'vault-root' },
        { type: pkcs11js.CKA_VALUE, value: Buffer.alloc(256, value) },
      ]);
    }
    direct.close();
    expect(codeOf(kept(await port.readData(token, 'vault-root')))).toBe('Token_ObjectDoubled');
    expect(codeOf(kept(await port.deleteData(token, 'vault-root')))).toBe('Token_ObjectDoubled');
    expect(codeOf(kept(await port.writeData(token, 'vault-root', randomBytes(256))))).toBe('Token_ObjectExists');
  });
});

test('no PIN is in anything that left the host', () => {
  const everything = JSON.stringify(answers);
  expect(answers.length).toBeGreaterThan(20);
  for (const pin of [testPin, testSoPin, wrongTestPin]) {
    expect(everything).not.toContain(pin);
    expect(everything).not.toContain(Buffer.from(pin).toString('base64'));
    expect(everything).not.toContain(Buffer.from(pin).toString('hex'));
  }
});
