/**
 * A device pulled out at every command of an initialisation, a DKEK import and an unwrapping, before the command is
 * carried out and after it: a value each time, and the act can be repeated. In this process, through real pcscd.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withDevice, type Device } from '../../native/smartcard-hsm/device.ts';
import { importDkekShare } from '../../native/smartcard-hsm/dkek-import.ts';
import { initializeDevice, type Initialization } from '../../native/smartcard-hsm/initialize.ts';
import { verifyPin } from '../../native/smartcard-hsm/pins.ts';
import { readDkekStatus } from '../../native/smartcard-hsm/status.ts';
import { unwrapKey } from '../../native/smartcard-hsm/unwrap-key.ts';
import { wrapKey } from '../../native/smartcard-hsm/wrap-key.ts';
import type { TokenResult } from '../../native/pkcs11/return-values.ts';
import { createCard, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import type { InstructionName } from '../fixtures/smartcard-hsm/applet.ts';
import type { SavedCard } from '../fixtures/smartcard-hsm/state.ts';
import { runPkcs11Tool } from '../fixtures/smartcard-hsm/tools.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const serial = 'ZZTEST00001';
const testPin = Buffer.from('648219');
const testSoPin = Buffer.from('0123456789abcdef', 'hex');
const factory = Buffer.from('3537363231383830', 'hex');
const testShare = Buffer.alloc(32, 9);

const setUp: Initialization = {
  label: 'Unseal A',
  currentSoPin: factory,
  newSoPin: testSoPin,
  pin: testPin,
  retryLimit: 3,
  dkek: { kind: 'shares', count: 1 },
  allowPinResetWithSoPin: true,
};

/** What a pulled-out device is: gone, or not there for the next command. */
const pulledOut = ['Token_Gone', 'Token_NotFound'];
/** Commands that leave something behind: only with these an answer that is lost differs from a command that is. */
const changes: ReadonlySet<InstructionName | undefined> = new Set<InstructionName>([
  'initializeDevice',
  'updateBinary',
  'changeReferenceData',
  'verify',
  'importDkekShare',
  'deleteFile',
  'unwrapKey',
]);

let readers: CardReaders;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
});

afterAll(() => readers.stop());

const act = <Value>(work: (device: Device) => Promise<TokenResult<Value>>): Promise<TokenResult<Value>> =>
  withDevice(serial, work);

/** The card after the act, with nothing in its way. */
async function undisturbed(saved: SavedCard, work: () => Promise<TokenResult<unknown>>): Promise<Card> {
  const card = loadCard(saved);
  await card.plugIn(0);
  valueOf(await work());
  card.unplug();
  return card;
}

/** Pulls the card out at the command; undefined where the act is over before it comes. */
async function disturb(
  saved: SavedCard,
  work: () => Promise<TokenResult<unknown>>,
  at: number,
  moment: 'before' | 'after',
): Promise<
  { readonly card: Card; readonly instruction: InstructionName | undefined; readonly code: string } | undefined
> {
  // On a machine where other programs look at cards too, one of theirs may have been the command: then once more.
  for (let attempt = 1; ; attempt += 1) {
    const card = loadCard(saved);
    await card.plugIn(0);
    const disturbance = card.unplugAtApdu(at, moment);
    const code = codeOf(await work());
    if (card.isPluggedIn) {
      disturbance.cancel();
      card.unplug();
      return undefined;
    }
    const { instruction } = await disturbance.happened;
    if (code !== 'ok' || attempt === 3) return { card, instruction, code };
  }
}

/** Pulls the card out at each of its commands, plugs it in again, and lets the test repeat the act. */
async function disturbEach(
  saved: SavedCard,
  work: () => Promise<TokenResult<unknown>>,
  repeat: (card: Card, place: string) => Promise<void>,
): Promise<void> {
  const check = async (at: number, moment: 'before' | 'after'): Promise<InstructionName | 'over' | undefined> => {
    const disturbed = await disturb(saved, work, at, moment);
    if (disturbed === undefined) return 'over';
    const { card, instruction, code } = disturbed;
    const place = `${moment} command ${at}, ${instruction ?? 'unknown'}: ${code}`;
    expect(pulledOut, place).toContain(code);
    await card.plugIn(0);
    await repeat(card, place);
    card.unplug();
    return instruction;
  };
  for (let at = 1; ; at += 1) {
    const instruction = await check(at, 'before');
    if (instruction === 'over') break;
    if (changes.has(instruction)) await check(at, 'after');
  }
}

/** A card that has been set up once, as a device is that its owner sets up anew. */
async function usedCard(): Promise<SavedCard> {
  const card = createCard({ serial });
  await card.plugIn(0);
  valueOf(await act((device) => initializeDevice(device, { ...setUp, label: 'Before' })));
  valueOf(await act((device) => importDkekShare(device, testShare)));
  card.unplug();
  return card.save();
}

describe('pulled out at each command of', { timeout: 600_000 }, () => {
  test('an initialisation: repeated with the same SO-PINs, no try is lost', async () => {
    const before = await usedCard();
    const request = { ...setUp, currentSoPin: testSoPin, newSoPin: Buffer.from('fedcba9876543210', 'hex') };
    const initialize = (): Promise<TokenResult<unknown>> => act((device) => initializeDevice(device, request));
    await disturbEach(before, initialize, async (card, place) => {
      const again = await initialize();
      expect(again, place).toMatchObject({
        ok: true,
        value: { label: 'Unseal A', pinTriesLeft: 3, soPinTriesLeft: 15, dkek: { outstanding: 1 } },
      });
      expect(card.state.soPin?.value.toString('hex'), place).toBe('fedcba9876543210');
    });
  });

  test('a DKEK import: what the device counts says whether to repeat it', async () => {
    const card = createCard({ serial });
    await card.plugIn(0);
    valueOf(await act((device) => initializeDevice(device, setUp)));
    card.unplug();
    const importShare = (): Promise<TokenResult<unknown>> => act((device) => importDkekShare(device, testShare));
    const done = await undisturbed(card.save(), importShare);
    const expected = done.state.dkek?.key.toString('hex');
    await disturbEach(card.save(), importShare, async (again, place) => {
      const status = valueOf(await act(readDkekStatus));
      if (status.outstanding > 0) valueOf(await importShare());
      expect(again.state.dkek?.key.toString('hex'), place).toBe(expected);
    });
  });

  test('an unwrapping: the key is there once, described, and nothing else', async () => {
    const before = await usedCard();
    const card = loadCard(before);
    await card.plugIn(0);
    const made = ['--login', '--pin', testPin.toString(), '--keypairgen', '--key-type', 'EC:prime256v1', '--id', '0a'];
    await runPkcs11Tool([...made, '--label', 'unseal']);
    const withLogin = <Value>(work: (device: Device) => Promise<TokenResult<Value>>): Promise<TokenResult<Value>> =>
      act(async (device) => {
        const verified = await verifyPin(device, serial, testPin, true);
        return verified.ok ? work(device) : verified;
      });
    const { file } = valueOf(await withLogin((device) => wrapKey(device, '0a')));
    card.unplug();
    const unwrap = (): Promise<TokenResult<unknown>> => withLogin((device) => unwrapKey(device, file));
    const done = await undisturbed(before, unwrap);
    const expected = [...done.state.files.keys()].sort();
    await disturbEach(before, unwrap, async (again, place) => {
      const repeated = await unwrap();
      expect(['ok', 'Device_KeyExists'], place).toContain(codeOf(repeated));
      expect([...again.state.keys.keys()], place).toEqual([0, 1]);
      const files = [...again.state.files.keys()].filter((identifier) => identifier !== 0x2f10);
      expect(files.sort(), place).toEqual(expected);
      for (const identifier of expected) {
        expect(again.state.files.get(identifier), place).toEqual(done.state.files.get(identifier));
      }
    });
  });
});
