/** The set-up of a SmartCard-HSM as a run: DKEK shares, PINs, key, and what goes wrong on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';
import { newTestSoPin, testPasswordOf, testPin } from '../fixtures/device-person.ts';
import {
  fromFile,
  openDeviceRunDesk,
  passwordOf,
  setUpPlan,
  storeId,
  type DeviceRunDesk,
} from '../fixtures/device-run-desk.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { statusOf } from '../fixtures/smartcard-hsm/card-desk.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { createDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { killAndResume } from '../fixtures/device-kill.ts';
import type { ObservedCommand } from '../fixtures/smartcard-hsm/trace.ts';
import { sha256Hex } from '../../electron/runs/interpreter/wrapping.ts';

let readers: CardReaders;
let desk: DeviceRunDesk;
const cards: Card[] = [];

const serial = 'ZZTEST00001';

async function plugIn(name = serial, reader: 0 | 1 = 0): Promise<Card> {
  const card = createCard({ serial: name });
  await card.plugIn(reader);
  cards.push(card);
  return card;
}

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
});

afterEach(async () => {
  for (const card of cards.splice(0)) card.unplug();
  await desk.close();
});

afterAll(() => readers.stop());

const split = { kind: 'split', threshold: 2, custodians: ['Ada', 'Ben', 'Cleo'] } as const;

describe('a device that comes from the factory', () => {
  test('is set up with a share under a password and one that is split', async () => {
    desk = await openDeviceRunDesk();
    const card = await plugIn();
    const plan = setUpPlan(serial, 'office', {
      dkek: {
        kind: 'shares',
        shares: [
          { source: 'new', protection: passwordOf('Dora') },
          { source: 'new', protection: { ...split, custodians: [...split.custodians] } },
        ],
        expectedKeyCheckValue: '',
      },
    });
    const unnamed = valueOfRun(await desk.harness.runner.start(plan, 'Ada'));
    // Without the name typed nothing is erased; the shares are made all the same.
    const refused = await desk.harness.runner.proceed(unnamed, {
      by: 'Ada',
      typedName: '',
      throughDeliberateSteps: true,
    });
    expect(refused.ok ? 'ok' : refused.error.code).toBe('Custody_ConfirmationMismatch');
    expect(card.state.soPin).toBeUndefined();
    expect(desk.person.asked).toEqual([
      'password Dora new',
      'hand-out Piece 1 of 3 of DKEK share 2 to Ada',
      'hand-out Piece 2 of 3 of DKEK share 2 to Ben',
      'hand-out Piece 3 of 3 of DKEK share 2 to Cleo',
    ]);
    desk.person.asked.splice(0);
    const ended = await desk.goOn(unnamed, serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(desk.person.asked).toEqual([
      `pin so ${serial} new`,
      `pin user ${serial} new`,
      'password Dora',
      'piece one of Ada, Ben and Cleo',
      'piece one of Ada, Ben and Cleo',
      `pin user ${serial}`,
    ]);

    const { facts, runId } = ended.state;
    const output = await statusOf(0);
    expect(output).toContain('DKEK shares          : 2');
    expect(output).toContain(`DKEK key check value : ${String(facts['keyCheckValue']).toUpperCase()}`);
    expect(String(facts['keyCheckWords']).split(' ')).toHaveLength(8);
    expect(await desk.device(serial)).toMatchObject({ label: 'office', pinState: 'set', soPinTriesLeft: 15 });
    expect(Buffer.from(card.state.soPin?.value ?? '').toString('hex')).toBe(newTestSoPin);

    const evidence = (id: string) => ended.state.steps.find((step) => step.id === id)?.evidence ?? {};
    for (const number of [1, 2]) {
      const file = await desk.left(runId, `dkek-share-${number.toString()}.pbe`);
      expect(file).toHaveLength(64);
      expect(evidence(`share-${number.toString()}-create`)).toMatchObject({ fileSha256: sha256Hex(file) });
    }
    const kept = await desk.onDisk(runId);
    for (const secret of [newTestSoPin, testPasswordOf('1'), ...desk.person.pieces.values()])
      expect(kept).not.toContain(secret);
    expect(kept).not.toContain(`"${testPin}"`);
  });

  test('is set up without a DKEK, and attested as far as its certificates are known', async () => {
    desk = await openDeviceRunDesk();
    await plugIn();
    const ended = await desk.carryThrough(setUpPlan(serial, 'office'), serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(await desk.device(serial)).toMatchObject({ dkek: { kind: 'none' } });
    // The vendor of the software card is nobody's root.
    expect(ended.state.facts).toMatchObject({ dkek: 'none', attestation: 'unknown-root' });
  });

  test('loses its pieces with the process that held them: share and pieces are made anew, and said so', async () => {
    desk = await openDeviceRunDesk();
    await plugIn();
    let lost = false;
    desk.person.before = async (question) => {
      if (lost || !question.startsWith('hand-out Piece 2')) return;
      lost = true;
      await desk.harness.tokens.closeAll();
    };
    const shares = [{ source: 'new' as const, protection: { ...split, custodians: [...split.custodians] } }];
    const plan = setUpPlan(serial, 'office', { dkek: { kind: 'shares', shares, expectedKeyCheckValue: '' } });
    const ended = await desk.carryThrough(plan, serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    const pieces = desk.person.asked.filter((question) => question.startsWith('hand-out'));
    expect(pieces.map((question) => question.replace(/ of 3 of DKEK share 1 to/u, ''))).toEqual([
      'hand-out Piece 1 Ada',
      'hand-out Piece 2 Ben',
      'hand-out Piece 1 Ada',
      'hand-out Piece 2 Ben',
      'hand-out Piece 3 Cleo',
    ]);
    expect(ended.state.deviations.map(({ text }) => text)).toEqual([
      expect.stringContaining('What Ada wrote down before is void'),
    ]);
  });
});

describe('a share that is there already', () => {
  let share: Buffer;
  let keyCheckValue: string;

  beforeAll(async () => {
    const password = new TextEncoder().encode(testPasswordOf('1'));
    const made = await createDkekShareFile(password);
    share = Buffer.from(made.file);
    keyCheckValue = sha256Hex(made.share).slice(0, 16);
  });

  test('opened with a wrong password is asked for again; the key check value that comes out is compared', async () => {
    desk = await openDeviceRunDesk();
    const card = await plugIn();
    desk.person.wrongPasswords.push('not-the-test-password');
    const plan = setUpPlan(serial, 'office', { dkek: fromFile(share, keyCheckValue) });
    const ended = await desk.carryThrough(plan, serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state).toMatchObject({ status: 'completed', facts: { keyCheckValue } });
    expect(desk.person.asked.filter((question) => question.startsWith('password'))).toEqual([
      'password Dora',
      'password Dora again',
    ]);
    expect(card.state.dkek?.outstandingShares).toBe(0);
  });

  test('of another device is found out by the key check value, before a key is made', async () => {
    desk = await openDeviceRunDesk();
    const card = await plugIn();
    const plan = setUpPlan(serial, 'office', { dkek: fromFile(share, '0123456789abcdef') });
    const ended = await desk.carryThrough(plan, serial);
    expect(failedSteps(ended)).toEqual(['share-1-import: Device_DkekMismatch']);
    // Begun again it is neither imported twice nor passed over.
    expect(failedSteps(await desk.goOn(ended.state.runId, serial))).toEqual(['share-1-import: Device_DkekMismatch']);
    expect(
      card.exchanges.filter(({ instruction, command }) => instruction === 'importDkekShare' && command.data.length > 0),
    ).toHaveLength(1);
    expect(card.state.keys.size).toBe(1);
  });

  test.each([
    ['initializeDevice', 'before'],
    ['initializeDevice', 'after'],
    ['changeReferenceData', 'after'],
    ['importDkekShare', 'after'],
  ] as const)(
    'and a device that is unplugged %s (%s): the run goes on when it is back',
    async (instruction, moment) => {
      desk = await openDeviceRunDesk();
      const card = await plugIn();
      const isMeant = ({ instruction: name, command }: ObservedCommand): boolean =>
        name === instruction && (name !== 'importDkekShare' || command.data.length > 0);
      const pulled = card.unplugAtApdu(isMeant, moment);
      const plan = setUpPlan(serial, 'office', { dkek: fromFile(share, keyCheckValue) });
      const stopped = await desk.carryThrough(plan, serial);
      if (card.isPluggedIn) {
        // A device that was never initialised takes its SO-PIN with its initialisation.
        expect(instruction).toBe('changeReferenceData');
        pulled.cancel();
        expect(stopped.state.status).toBe('completed');
        return;
      }
      expect(failedSteps(stopped)).toHaveLength(1);
      await card.plugIn(0);
      const ended = await desk.goOn(stopped.state.runId, serial);
      expect(failedSteps(ended)).toEqual([]);
      expect(ended.state).toMatchObject({ status: 'completed', facts: { keyCheckValue } });
      expect(card.state.soPin?.triesLeft).toBe(15);
      // The one that attests it, and the one wrapping key.
      expect(card.state.keys.size).toBe(2);
      expect(ended.state.deviations).toEqual([]);
      const { keyPairs } = valueOf(await desk.harness.tokens.listObjects({ storeId, serial }));
      expect(keyPairs.map(({ label }) => label)).toEqual(['bank-vaults']);
    },
  );

  test.each(['initialize-device 1 after', 'import 1 before', 'import 1 after'])(
    'and a run that is ended with SIGKILL at “%s”: nothing is erased or imported twice',
    async (point) => {
      desk = await openDeviceRunDesk();
      const card = await plugIn();
      const plan = setUpPlan(serial, 'office', { dkek: fromFile(share, keyCheckValue) });
      await killAndResume(plan, serial, point, (ended) => {
        expect(failedSteps(ended)).toEqual([]);
        expect(ended.state).toMatchObject({ status: 'completed', facts: { keyCheckValue } });
        return Promise.resolve();
      });
      const carriedOut = (name: string): number =>
        card.exchanges.filter(
          ({ instruction, command, status }) => instruction === name && command.data.length > 0 && status === 0x9000,
        ).length;
      expect(carriedOut('initializeDevice')).toBe(1);
      expect(carriedOut('importDkekShare')).toBe(1);
    },
  );
});

function valueOfRun(started: Awaited<ReturnType<DeviceRunDesk['harness']['runner']['start']>>): string {
  if (!started.ok) throw new Error(started.error.message);
  return started.value.runId;
}
