import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { createTokenPort } from '../../electron/tokens/token-port.ts';
import type { TokenPort, TokenStore } from '../../electron/workflows/ports.ts';
import { compileMisbehavingModule } from '../fixtures/pkcs11/compile.ts';
import { createSoftHsmDirectory, softHsmModulePath } from '../fixtures/softhsm.ts';
import { codeOf, createTestTokenPort, launchHostFromSource, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = '24681357';
const wrongTestPin = '99999999';
const serial = 'MISBEHAVING0001';
const finalTry = 'TOKEN_FLAGS=0x20000';
const lockedPin = 'TOKEN_FLAGS=0x40000';

let directory: string;
const ports: TokenPort[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-module-'));
});

afterEach(async () => {
  await Promise.all(ports.splice(0).map((port) => port.closeAll()));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function open(modulePath: string, more: Partial<TokenStore> = {}, listDeadline = 20_000): TokenPort {
  const { port } = createTestTokenPort({ modulePath, ...more }, { listTokens: listDeadline });
  ports.push(port);
  return port;
}

async function listed(port: TokenPort): Promise<string> {
  const [only] = await port.listTokens();
  return only === undefined ? 'nothing' : codeOf(only.result);
}

/** A module with one behaviour, and the number of PINs that it was sent. */
async function openMisbehaving(behaviour: string): Promise<{ port: TokenPort; pinsSent: () => Promise<number> }> {
  const counter = join(directory, `counter-${Math.random().toString(16).slice(2)}`);
  await writeFile(counter, '');
  const port = open(await compileMisbehavingModule(directory, behaviour), { softhsmConfiguration: counter });
  return { port, pinsSent: async () => (await readFile(counter, 'utf8')).length };
}

async function login(port: TokenPort, pin: string, consentToLastTry: boolean) {
  return port.login({ storeId: 'test', serial }, await sealTestPin(port, 'test', serial, pin), consentToLastTry);
}

describe('a path that is no PKCS#11 module', () => {
  test('nothing there', async () => {
    expect(await listed(open(join(directory, 'missing.so')))).toBe('Token_ModuleMissing');
  });

  test('a directory', async () => {
    expect(await listed(open(directory))).toBe('Token_ModuleMissing');
  });

  test('a text file', async () => {
    const path = join(directory, 'text.so');
    await writeFile(path, 'not a library\n');
    expect(await listed(open(path))).toBe('Token_ModuleNotPkcs11');
  });

  test('a library of another kind', async () => {
    const libraries = await readFile('/proc/self/maps', 'utf8');
    const library = /\S+\/libc\.so\.6$/m.exec(libraries)?.[0] ?? '';
    expect(await listed(open(library))).toBe('Token_ModuleNotPkcs11');
  });
});

describe('a module that takes its process along', () => {
  test('a crash ends the host only; the next call starts a new one', async () => {
    const port = open(await compileMisbehavingModule(directory, 'ABORT_IN_GET_SLOT_LIST'));
    valueOf(await port.sealingPublicKey('test'));
    expect(await listed(port)).toBe('Token_ModuleCrashed');
    valueOf(await port.sealingPublicKey('test'));
    expect(await listed(port)).toBe('Token_ModuleCrashed');
  });

  test('a hang is ended at the deadline, with everything that waited behind it', async () => {
    const port = open(await compileMisbehavingModule(directory, 'HANG_IN_GET_SLOT_LIST'), {}, 500);
    valueOf(await port.sealingPublicKey('test'));
    const listing = listed(port);
    // Whether the store may hold tokens is asked before the list.
    await new Promise((resolve) => setImmediate(resolve));
    const [list, waiting] = await Promise.all([listing, port.sealingPublicKey('test')]);
    expect(list).toBe('Token_ModuleHung');
    expect(codeOf(waiting)).toBe('Token_ModuleHung');
    valueOf(await port.sealingPublicKey('test'));
  });

  test('other stores are listed all the same', async () => {
    const softHsm = await createSoftHsmDirectory();
    const hanging = await compileMisbehavingModule(directory, 'HANG_IN_GET_SLOT_LIST');
    const port = createTokenPort({
      stores: () => [
        { id: 'hangs', name: 'Hangs', modulePath: hanging, rehearsal: false },
        {
          id: 'works',
          name: 'Works',
          modulePath: softHsmModulePath,
          softhsmConfiguration: softHsm.configurationPath,
          rehearsal: false,
        },
      ],
      launch: launchHostFromSource,
      deadlines: { listTokens: 3000 },
    });
    ports.push(port);
    const lists = await port.listTokens();
    expect(lists.map(({ store, result }) => [store.id, codeOf(result)])).toEqual([
      ['hangs', 'Token_ModuleHung'],
      ['works', 'ok'],
    ]);
    await port.closeAll();
    await softHsm.dispose();
  });

  test('the host of a script that is not there is unavailable', async () => {
    const port = createTokenPort({
      stores: () => [{ id: 'test', name: 'Test', modulePath: softHsmModulePath, rehearsal: false }],
      launch: createNodeLauncher({ entryPath: () => join(directory, 'missing-host.ts') }),
    });
    ports.push(port);
    expect(codeOf(await port.sealingPublicKey('test'))).toBe('Token_HostUnavailable');
  });
});

describe('tries that are running out', () => {
  test('the final try is never used without consent', async () => {
    const { port, pinsSent } = await openMisbehaving(finalTry);
    expect(codeOf(await login(port, wrongTestPin, false))).toBe('Token_PinLastTry');
    expect(codeOf(await login(port, testPin, false))).toBe('Token_PinLastTry');
    expect(await pinsSent()).toBe(0);
    expect(codeOf(await login(port, testPin, true))).toBe('ok');
    expect(await pinsSent()).toBe(1);
  });

  test('a wrong PIN says what the token says afterwards', async () => {
    const { port } = await openMisbehaving(finalTry);
    const wrong = await login(port, wrongTestPin, true);
    expect(wrong.ok ? undefined : wrong.error).toMatchObject({
      code: 'Token_PinIncorrect',
      details: { pinState: 'final-try', triesLeft: 1 },
    });
  });

  test('a locked PIN is not sent, with consent or without', async () => {
    const { port, pinsSent } = await openMisbehaving(lockedPin);
    expect(codeOf(await login(port, testPin, true))).toBe('Token_PinLocked');
    expect(await pinsSent()).toBe(0);
  });

  test('a PIN of the wrong length does not cost a try', async () => {
    const { port, pinsSent } = await openMisbehaving('TOKEN_FLAGS=0');
    expect(codeOf(await login(port, '12345', false))).toBe('Token_PinLengthInvalid');
    expect(codeOf(await login(port, '12345678901234567', false))).toBe('Token_PinLengthInvalid');
    expect(await pinsSent()).toBe(0);
  });

  test('someone who is logged in already does not send the PIN again', async () => {
    const { port, pinsSent } = await openMisbehaving('TOKEN_FLAGS=0');
    expect(codeOf(await login(port, testPin, false))).toBe('ok');
    expect(codeOf(await login(port, wrongTestPin, false))).toBe('ok');
    expect(await pinsSent()).toBe(1);
  });
});

describe('a token that is not the one it was', () => {
  test('no PIN goes to another token in the slot', async () => {
    const { port, pinsSent } = await openMisbehaving('OTHER_SERIAL_AFTER_OPEN');
    expect(codeOf(await login(port, testPin, true))).toBe('Token_SerialMismatch');
    expect(await pinsSent()).toBe(0);
  });

  test('an unplugged token is gone, then not found', async () => {
    const { port } = await openMisbehaving('REMOVED_ON_FIND');
    const token = { storeId: 'test', serial };
    valueOf(await login(port, testPin, false));
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_Gone');
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_NotLoggedIn');
    expect(codeOf(await port.readData(token, 'vault-root'))).toBe('Token_NotFound');
    expect(codeOf(await login(port, testPin, false))).toBe('Token_NotFound');
  });

  test('a lost session without a login is opened anew', async () => {
    const { port } = await openMisbehaving('SESSION_LOST_ONCE');
    expect(codeOf(await port.readData({ storeId: 'test', serial }, 'vault-root'))).toBe('Token_ObjectMissing');
  });

  test('a lost session with a login asks for the PIN again', async () => {
    const { port } = await openMisbehaving('SESSION_LOST_ONCE');
    const token = { storeId: 'test', serial };
    valueOf(await login(port, testPin, false));
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_SessionLost');
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_NotLoggedIn');
    valueOf(await login(port, testPin, false));
    expect(codeOf(await port.findWrappingKey(token, 'bank-vaults'))).toBe('Token_KeyMissing');
  });
});
