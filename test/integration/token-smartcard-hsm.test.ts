/** What only a card does to the token host: it is pulled out, fills up, and holds keys on curves. Through OpenSC. */
import { constants, createHash, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Result } from '../../electron/workflows/failures.ts';
import { setUpSmartCardHsm, type SmartCardHsmToken } from '../fixtures/token-kinds.ts';
import { codeOf, sealTestPin, valueOf } from '../fixtures/token-port.ts';

/** Longer than one test may wait for another file's card readers. */
const patience = 300_000;

const keyLabel = 'bank-vaults';

let kind: SmartCardHsmToken;

function encryptTo(publicKeySpki: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
}

/** As soon as the token is listed again. */
async function plugInAgain(): Promise<void> {
  await kind.card.plugIn();
  for (;;) {
    const [store] = await kind.port.listTokens();
    if (store?.result.ok === true && store.result.value.some(({ serial }) => serial === kind.serial)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function logInAgain(): Promise<void> {
  valueOf(await kind.port.logout(kind.token));
  await kind.logIn();
}

beforeAll(async () => {
  kind = await setUpSmartCardHsm();
}, patience);

afterAll(() => kind.dispose());

describe('pulled out', { timeout: 60_000 }, () => {
  let ciphertext: Buffer;
  const plaintext = Buffer.from('share');
  const digest = createHash('sha256').update(plaintext).digest('hex');

  const acts: Readonly<Record<string, () => Promise<Result<unknown>>>> = {
    'a decryption': () => kind.port.verifyDecrypt(kind.token, keyLabel, ciphertext, digest),
    'writing a value': () => kind.port.writeData(kind.token, 'written', ciphertext),
    'deleting a value': () => kind.port.deleteData(kind.token, 'written'),
    'making a key': () => kind.port.generateKeyPair(kind.token, 'second', 2048),
    'a key test': async () => {
      const key = await kind.port.findWrappingKey(kind.token, keyLabel);
      return key.ok ? kind.port.testKey(kind.token, { id: key.value.id, label: keyLabel }) : key;
    },
    'a login': async () => {
      valueOf(await kind.port.logout(kind.token));
      return kind.port.login(kind.token, await sealTestPin(kind.port, 'test', kind.serial, kind.pins.testPin), false);
    },
  };

  beforeAll(async () => {
    await kind.logIn();
    const key = valueOf(await kind.port.generateKeyPair(kind.token, keyLabel, 2048));
    ciphertext = encryptTo(key.publicKeySpki, plaintext);
  });

  afterEach(async () => {
    if (!kind.card.isPluggedIn) await plugInAgain();
    await logInAgain();
  });

  test.each([
    ['a decryption', 1, 'before'],
    ['a decryption', 1, 'after'],
    ['a key test', 1, 'before'],
    ['a login', 2, 'before'],
    ['a login', 4, 'after'],
    ['writing a value', 1, 'before'],
    ['writing a value', 4, 'after'],
    ['writing a value', 8, 'before'],
    ['deleting a value', 1, 'before'],
    ['deleting a value', 2, 'after'],
    ['making a key', 1, 'before'],
    ['making a key', 3, 'after'],
    ['making a key', 9, 'before'],
  ] as const)(
    'in the middle of %s (command %i, %s it): gone, and all right once it is back',
    async (name, at, moment) => {
      const act = acts[name];
      if (act === undefined) throw new Error(`There is no act ${name}.`);
      if (name === 'writing a value') await kind.port.deleteData(kind.token, 'written');
      if (name === 'deleting a value') await kind.port.writeData(kind.token, 'written', ciphertext);
      const old = await kind.port.findWrappingKey(kind.token, 'second');
      if (old.ok) {
        const meant = { objectClass: 'key-pair', label: 'second', id: old.value.id, sha256: '' } as const;
        valueOf(await kind.port.deleteObject(kind.token, meant));
      }
      const triesLeft = kind.card.state.userPin?.triesLeft;

      const pulled = kind.card.unplugAtApdu(at, moment);
      expect(codeOf(await act())).toBe('Token_Gone');
      await pulled.happened;
      // Asked again without it, the host says so at once, whatever it is asked.
      expect(['Token_NotFound', 'Token_NotLoggedIn']).toContain(codeOf(await act()));
      expect(codeOf(await kind.port.readData(kind.token, 'written'))).toBe('Token_NotFound');

      await plugInAgain();
      await kind.logIn();
      expect(codeOf(await act())).toBe('ok');
      expect(kind.card.state.userPin?.triesLeft).toBe(triesLeft);
    },
  );

  test('while idle, and put back: the login is over, and nothing has to be started anew', async () => {
    kind.card.unplug();
    await plugInAgain();
    expect(['Token_SessionLost', 'Token_NotLoggedIn', 'Token_Gone']).toContain(
      codeOf(await kind.port.findWrappingKey(kind.token, keyLabel)),
    );
    await kind.logIn();
    expect(codeOf(await kind.port.findWrappingKey(kind.token, keyLabel))).toBe('ok');
  });
});

describe('keys on curves', () => {
  test.each([
    ['EC:prime256v1', 'P-256', 256],
    ['EC:secp384r1', 'P-384', 384],
  ])('%s signs, derives, and shows its public half', async (type, curve, bits) => {
    const id = bits.toString(16).padStart(4, '0');
    const made = await kind.pkcs11Tool(['--keypairgen', '--key-type', type, '--label', curve, '--id', id], true);
    expect(made).toMatchObject({ exitCode: 0 });
    // OpenSC looks at a card's contents once; a new process sees what another one made.
    await kind.port.closeAll();
    await kind.logIn();
    const { objects } = valueOf(await kind.port.listAllObjects(kind.token));
    const [half] = objects.filter((object) => object.objectClass === 'private-key' && object.label === curve);
    expect(half).toMatchObject({ id, kind: 'EC', bits, curve });
    expect(half?.attributes).toEqual(expect.arrayContaining(['SENSITIVE', 'NEVER_EXTRACTABLE', 'SIGN', 'DERIVE']));
    expect(valueOf(await kind.port.testKey(kind.token, { id, label: curve }))).toEqual({
      tried: ['sign (ECDSA)', 'derive (ECDH)'],
      passed: true,
      problem: '',
      wrapping: { mechanism: 'ecdh', isDowngrade: false, reason: '' },
    });
    expect(valueOf(await kind.port.wrappingAbility(kind.token, curve))).toMatchObject({
      ecdh: 'works',
      pkcs1: 'unsafe',
      choice: { mechanism: 'ecdh', isDowngrade: false },
    });
    const exported = valueOf(await kind.port.exportPublicKey(kind.token, { id, label: curve }));
    const spki = Buffer.from(exported.publicKeySpki, 'base64');
    expect(createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' })).toEqual(
      spki,
    );
  });

  test('an RSA key on a card does OAEP with SHA-256, and PKCS #1 v1.5 is unsafe with this OpenSC', async () => {
    expect(valueOf(await kind.port.wrappingAbility(kind.token, keyLabel))).toMatchObject({
      oaepSha1: 'works',
      oaepSha256: 'works',
      pkcs1: 'unsafe',
      choice: { mechanism: 'rsa-oaep-sha256', isDowngrade: false },
    });
  });
});

describe('full', { timeout: 60_000 }, () => {
  test('it says so, keeps what it had, and takes more once there is room', async () => {
    await logInAgain();
    let written = 0;
    let code = 'ok';
    for (; code === 'ok' && written < 40; written += 1) {
      code = codeOf(await kind.port.writeData(kind.token, `fill-${String(written)}`, randomBytes(4000)));
    }
    expect(code).toBe('Token_MemoryFull');
    const keys = await kind.port.generateKeyPair(kind.token, 'no room', 4096);
    expect(codeOf(keys)).toBe('Token_MemoryFull');
    expect(valueOf(await kind.port.readData(kind.token, 'fill-0'))).toHaveLength(4000);
    valueOf(await kind.port.deleteData(kind.token, 'fill-0'));
    expect(codeOf(await kind.port.writeData(kind.token, 'fits', randomBytes(256)))).toBe('ok');
  });
});
