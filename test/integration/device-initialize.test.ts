/** Setting a SmartCard-HSM up, and what its PINs answer, on the software card through real pcscd; read back by sc-hsm-tool. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import {
  factorySoPin,
  openDeviceBench,
  otherTestPin,
  otherTestSoPin,
  runScHsmTool,
  testPin,
  testSoPin,
  type DeviceBench,
} from '../fixtures/devices.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { runPkcs11Tool } from '../fixtures/smartcard-hsm/tools.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';

const serial = 'ZZTEST00001';
let bench: DeviceBench;
let card: Card;

beforeAll(async () => {
  bench = await openDeviceBench();
});

beforeEach(async () => {
  card = createCard({ serial });
  await card.plugIn(0);
});

afterEach(async () => {
  card.unplug();
  await bench.closeHost();
});

afterAll(() => bench.close());

const soPinOf = (of: Card): string => of.state.soPin?.value.toString('hex') ?? '';
const pinOf = (of: Card): string => of.state.userPin?.value.toString('utf8') ?? '';

/** Changes the factory's SO-PIN state: as a device that has been set up once is. */
async function setUpWithFactorySoPin(): Promise<void> {
  await runScHsmTool(0, ['--initialize', '--so-pin', factorySoPin, '--pin', otherTestPin, '--label', 'Before']);
}

describe('INITIALIZE DEVICE', () => {
  test.each([
    [{ kind: 'none' } as const, undefined],
    [{ kind: 'random' } as const, 'DKEK shares          : 0'],
    [{ kind: 'shares', count: 2 } as const, 'DKEK import pending, 2 share(s) still missing'],
  ])('with DKEK choice %j, read back by sc-hsm-tool', async (dkek, line) => {
    await setUpWithFactorySoPin();
    const status = valueOf(await bench.initialize(serial, { dkek, retryLimit: 5, pin: otherTestPin }));
    expect(status).toMatchObject({ label: 'Unseal A', pinTriesLeft: 5, soPinTriesLeft: 15 });
    expect(status.options).toEqual(['pin-reset-with-so-pin']);
    const { output } = await runScHsmTool(0, []);
    expect(output).toContain('User PIN tries left  : 5');
    expect(output).toContain('SO-PIN tries left    : 15');
    if (line === undefined) expect(output).not.toContain('DKEK');
    else expect(output).toContain(line);
    if (dkek.kind === 'random') {
      expect(output).toContain(`DKEK key check value : ${status.dkek.keyCheckValue.toUpperCase()}`);
    }
    expect(soPinOf(card)).toBe(testSoPin);
    expect(pinOf(card)).toBe(otherTestPin);
    // OpenSC sees label and serial, and nobody is left logged in.
    const { output: slots } = await runPkcs11Tool(['--list-slots']);
    expect(slots).toContain('Unseal A');
    const [listed] = valueOf((await bench.port.listTokens()).map(({ result }) => result)[0] ?? { ok: true, value: [] });
    expect(listed).toMatchObject({ serial, userPinSet: true, loggedIn: false });
  });

  test('a device fresh from its vendor, and without resets by the SO-PIN', async () => {
    const status = valueOf(await bench.initialize(serial, { allowPinResetWithSoPin: false }));
    expect(status.options).toEqual([]);
    expect(soPinOf(card)).toBe(testSoPin);
    expect((await runScHsmTool(0, [])).output).not.toContain('reset with SO-PIN');
  });

  test('a new SO-PIN takes the place of a typed one, and another initialisation needs it', async () => {
    valueOf(await bench.initialize(serial));
    valueOf(await bench.initialize(serial, { currentSoPin: testSoPin, newSoPin: otherTestSoPin, label: 'Unseal B' }));
    expect(soPinOf(card)).toBe(otherTestSoPin);
    // Kept where no new one is given.
    valueOf(await bench.initialize(serial, { currentSoPin: otherTestSoPin, newSoPin: null }));
    expect(soPinOf(card)).toBe(otherTestSoPin);
  });

  test('a wrong SO-PIN erases nothing and says what is left; the last try is kept', async () => {
    valueOf(await bench.initialize(serial));
    valueOf(await bench.login(serial));
    valueOf(await bench.port.generateKeyPair(bench.token(serial), 'kept', 2048));
    const wrong = { currentSoPin: otherTestSoPin, newSoPin: null, label: 'Unseal C' };
    const refused = await bench.initialize(serial, wrong);
    expect(refused).toMatchObject({ ok: false, error: { code: 'Token_SoPinIncorrect', details: { triesLeft: 14 } } });
    expect(card.state.keys.size).toBe(2);
    for (let left = 13; left >= 1; left -= 1) await bench.initialize(serial, wrong);
    const before = card.exchanges.length;
    expect(codeOf(await bench.initialize(serial, wrong))).toBe('Token_PinLastTry');
    expect(card.exchanges.slice(before).every(({ instruction }) => instruction !== 'initializeDevice')).toBe(true);
    expect(card.state.soPin?.triesLeft).toBe(1);
    expect((await bench.device(serial)).soPinTriesLeft).toBe(1);
  });

  test('what is refused before anything is sent', async () => {
    await setUpWithFactorySoPin();
    const before = card.save();
    const choices = [
      [{ label: ' blank' }, 'Token_LabelInvalid'],
      [{ label: 'x'.repeat(33) }, 'Token_LabelInvalid'],
      [{ pin: '12345' }, 'Token_PinLengthInvalid'],
      [{ pin: '1234567890123456' }, 'Token_PinLengthInvalid'],
      [{ pin: '123456', retryLimit: 4 }, 'Token_PinLengthInvalid'],
      [{ newSoPin: factorySoPin }, 'Device_SoPinIsFactory'],
      [{ newSoPin: '0123456789abcde' }, 'Device_SoPinFormInvalid'],
      [{ newSoPin: '0123456789abcdeg' }, 'Device_SoPinFormInvalid'],
      [{ currentSoPin: '123456' }, 'Device_SoPinFormInvalid'],
    ] as const;
    for (const [choice, code] of choices) expect(codeOf(await bench.initialize(serial, choice)), code).toBe(code);
    expect(card.save()).toEqual(before);
  });

  test('a device that lies about what it did is noticed', async () => {
    const disturbance = card.failAtApdu((observed) => observed.instruction === 'updateBinary', 0x9000, 9);
    expect(await bench.initialize(serial)).toMatchObject({
      ok: false,
      error: { code: 'Device_StatusUnexpected', details: { different: 'label' } },
    });
    disturbance.cancel();
    valueOf(await bench.initialize(serial, { currentSoPin: testSoPin, newSoPin: null }));
  });

  test('a status word that should not come, and a full card', async () => {
    card.failAtApdu('initializeDevice', 0x6f00);
    expect(await bench.initialize(serial)).toMatchObject({
      ok: false,
      error: { code: 'Device_CardFault', details: { status: '6f00', act: 'INITIALIZE DEVICE' } },
    });
    card.failAtApdu('updateBinary', 0x6a84);
    expect(codeOf(await bench.initialize(serial))).toBe('Token_MemoryFull');
  });
});

describe('PINs', () => {
  beforeEach(async () => {
    valueOf(await bench.initialize(serial));
  });

  const changePin = async (current: string, replacement: string, consentToLastTry = false) =>
    bench.port.changeDevicePin({
      token: bench.token(serial),
      role: 'user',
      current: await bench.seal(current, secretPurpose.pin(serial)),
      replacement: await bench.seal(replacement, secretPurpose.newPin(serial)),
      consentToLastTry,
    });
  const changeSoPin = async (current: string, replacement: string) =>
    bench.port.changeDevicePin({
      token: bench.token(serial),
      role: 'so',
      current: await bench.seal(current, secretPurpose.soPin(serial)),
      replacement: await bench.seal(replacement, secretPurpose.newSoPin(serial)),
      consentToLastTry: false,
    });
  const unblock = async (soPin: string, newPin: string | null) =>
    bench.port.unblockDevicePin(
      bench.token(serial),
      await bench.seal(soPin, secretPurpose.soPin(serial)),
      newPin === null ? null : await bench.seal(newPin, secretPurpose.newPin(serial)),
    );

  test('change the PIN; a wrong one of another length sets nothing that nobody typed', async () => {
    // Side by side these two read like the right PIN with something behind it.
    expect(await changePin('64821', '9270000')).toMatchObject({
      ok: false,
      error: { code: 'Token_PinIncorrect', details: { triesLeft: 2, pinState: 'count-low' } },
    });
    expect(pinOf(card)).toBe(testPin);
    expect(valueOf(await changePin(testPin, otherTestPin))).toMatchObject({ pinTriesLeft: 3 });
    expect(pinOf(card)).toBe(otherTestPin);
    expect((await runPkcs11Tool(['--login', '--pin', otherTestPin, '--list-objects'])).exitCode).toBe(0);
    valueOf(await bench.login(serial, otherTestPin));
    expect(codeOf(await changePin(otherTestPin, '12345'))).toBe('Token_PinLengthInvalid');
  });

  test('wrong to the last try, which takes consent, then locked, then unblocked', async () => {
    for (const triesLeft of [2, 1]) {
      expect(await changePin('000000', otherTestPin)).toMatchObject({ ok: false, error: { details: { triesLeft } } });
    }
    expect(codeOf(await changePin(testPin, otherTestPin))).toBe('Token_PinLastTry');
    expect(codeOf(await bench.login(serial))).toBe('Token_PinLastTry');
    expect(card.state.userPin?.triesLeft).toBe(1);
    expect(codeOf(await changePin('000000', otherTestPin, true))).toBe('Token_PinLocked');
    expect(await bench.device(serial)).toMatchObject({ pinState: 'locked', pinTriesLeft: 0 });
    expect((await runScHsmTool(0, [])).output).toContain('User PIN locked');
    expect(codeOf(await changePin(testPin, otherTestPin, true))).toBe('Token_PinLocked');

    expect(await unblock(otherTestSoPin, null)).toMatchObject({
      ok: false,
      error: { code: 'Token_SoPinIncorrect', details: { triesLeft: 14 } },
    });
    expect(valueOf(await unblock(testSoPin, null))).toMatchObject({ pinState: 'set', pinTriesLeft: 3 });
    expect(card.state.soPin?.triesLeft).toBe(15);
    valueOf(await bench.login(serial));
    valueOf(await unblock(testSoPin, otherTestPin));
    expect(pinOf(card)).toBe(otherTestPin);
  });

  test('a device that was set up without it is not unblocked, and no SO-PIN is sent', async () => {
    valueOf(await bench.initialize(serial, { currentSoPin: testSoPin, newSoPin: null, allowPinResetWithSoPin: false }));
    const before = card.exchanges.length;
    expect(codeOf(await unblock(testSoPin, null))).toBe('Device_PinResetNotAllowed');
    expect(card.exchanges.slice(before).every(({ instruction }) => instruction !== 'resetRetryCounter')).toBe(true);
  });

  test('change the SO-PIN', async () => {
    expect(codeOf(await changeSoPin(testSoPin, factorySoPin))).toBe('Device_SoPinIsFactory');
    expect(codeOf(await changeSoPin(testSoPin, '1234'))).toBe('Device_SoPinFormInvalid');
    expect(await changeSoPin(otherTestSoPin, otherTestSoPin)).toMatchObject({
      ok: false,
      error: { code: 'Token_SoPinIncorrect', details: { triesLeft: 14 } },
    });
    expect(valueOf(await changeSoPin(testSoPin, otherTestSoPin))).toMatchObject({ soPinTriesLeft: 15 });
    expect(soPinOf(card)).toBe(otherTestSoPin);
  });

  test('a secret that was sealed for something else is not used', async () => {
    const sealed = await bench.seal(testPin, secretPurpose.pin('ZZTEST09999'));
    const token = bench.token(serial);
    const asked = { token, role: 'user', current: sealed, replacement: sealed, consentToLastTry: false } as const;
    expect(codeOf(await bench.port.changeDevicePin(asked))).toBe('Token_BadRequest');
    expect(card.state.userPin?.triesLeft).toBe(3);
  });
});
