/** Drill, clone and replacement of a SmartCard-HSM as runs, undisturbed and disturbed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';
import { makeTestCertificate } from '../fixtures/certificate.ts';
import { initialiseForShares, otherTestDkek, testDkek, withDkek } from '../fixtures/device-cards.ts';
import { testPasswordOf, testPin } from '../fixtures/device-person.ts';
import { killAndResume } from '../fixtures/device-kill.ts';
import {
  clonePlan,
  drillPlan,
  fromFile,
  openDeviceRunDesk,
  setUpPlan,
  storeId,
  type DeviceRunDesk,
} from '../fixtures/device-run-desk.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { createCard, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import type { SavedCard } from '../fixtures/smartcard-hsm/state.ts';
import { openscModulePath, runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { valueOf } from '../fixtures/token-port.ts';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { TokenOfPlan } from '../../electron/workflows/device-plans.ts';
import { createDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { sha256Hex } from '../../electron/runs/interpreter/wrapping.ts';

const first: TokenOfPlan = { storeId, serial: 'ZZTEST00001', label: 'office' };
const second: TokenOfPlan = { storeId, serial: 'ZZTEST00002', label: 'spare' };

let readers: CardReaders;
let savedFirst: SavedCard;
let savedSecond: SavedCard;
let source: Card;
let target: Card;
const desks: DeviceRunDesk[] = [];

async function newDesk(): Promise<DeviceRunDesk> {
  const desk = await openDeviceRunDesk();
  desks.push(desk);
  return desk;
}

/** Both cards as they were prepared; the second under another DKEK where that is wanted. */
async function plugInBoth(dkekOfSecond: Buffer = testDkek): Promise<void> {
  source = loadCard(savedFirst);
  target = withDkek(loadCard(savedSecond), dkekOfSecond);
  await source.plugIn(0);
  await target.plugIn(1);
}

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  const desk = await openDeviceRunDesk();
  const cards: Card[] = [];
  try {
    for (const [reader, { serial, label }] of [
      [0, first],
      [1, second],
    ] as const) {
      const card = createCard({ serial });
      await card.plugIn(reader);
      cards.push(card);
      await initialiseForShares(card, reader, label);
    }
    const [one, two] = cards;
    if (one === undefined || two === undefined) throw new Error('no cards');
    savedSecond = two.save();
    for (const card of cards) card.unplug();
    const ready = withDkek(one, testDkek);
    cards.push(ready);
    await ready.plugIn(0);
    // The wrapping key, an EC key, a certificate of neither, and two values.
    const made = await desk.carryThrough({ ...setUpPlan(first.serial, first.label), initialize: false });
    expect(failedSteps(made)).toEqual([]);
    const { tokens } = desk.harness;
    for (const index of [0, 1])
      valueOf(await tokens.writeData(first, `vault-unseal-${index.toString()}`, Buffer.alloc(256, index + 1)));
    const der = await makeTestCertificate('/O=Test/CN=CA');
    valueOf(await tokens.storeCertificate(first, { der, label: 'ca', id: 'ca01' }));
    await tokens.closeAll();
    const { output, exitCode } = await runTool('pkcs11-tool', [
      ...['--module', openscModulePath, '--login', '--pin', testPin],
      ...['--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'sign', '--id', '20'],
    ]);
    if (exitCode !== 0) throw new Error(output);
    savedFirst = ready.save();
  } finally {
    for (const card of cards) card.unplug();
    await desk.close();
  }
});

afterEach(async () => {
  source.unplug();
  target.unplug();
  for (const desk of desks.splice(0)) await desk.close();
});

afterAll(() => readers.stop());

const evidenceOf = (run: RunSnapshot, id: string): Readonly<Record<string, unknown>> =>
  run.state.steps.find((step) => step.id === id)?.evidence ?? {};

/** How often a card carried an instruction out that changes it. */
const times = (card: Card, name: 'unwrapKey' | 'wrapKey' | 'initializeDevice'): number =>
  card.exchanges.filter(
    ({ instruction, carriedOut, status }) => instruction === name && carriedOut && status === 0x9000,
  ).length;

describe('a backup drill', () => {
  test('wraps the key, unwraps it on the second device and proves both; a second one finds it there', async () => {
    await plugInBoth();
    const desk = await newDesk();
    const run = await desk.carryThrough(drillPlan(first, second));
    expect(failedSteps(run)).toEqual([]);
    expect(run.state.status).toBe('completed');
    const ciphertext = await desk.left(run.state.runId, 'test-ciphertext.bin');
    expect(evidenceOf(run, 'prove')).toMatchObject({
      testCiphertextSha256: sha256Hex(ciphertext),
      provenOn: `${first.serial} and ${second.serial}`,
    });
    const { keyCheckValue } = evidenceOf(run, 'compare-dkek');
    expect(keyCheckValue).toBe(sha256Hex(testDkek).slice(0, 16));
    expect(evidenceOf(run, 'wrap-key')).toMatchObject({ keyCheckValue });
    expect(evidenceOf(run, 'unwrap-key')).toMatchObject({
      publicKeySha256: evidenceOf(run, 'make-test')['publicKeySha256'],
    });
    expect(times(target, 'unwrapKey')).toBe(1);
    // The library that has to see the key is started anew, and nobody is asked twice for that.
    expect(desk.person.asked).toEqual([first, second].map(({ serial }) => `pin user ${serial}`));
    const again = await desk.carryThrough(drillPlan(first, second));
    expect(again.state.status).toBe('completed');
    expect(times(target, 'unwrapKey')).toBe(1);
  });

  test('is refused before a PIN is asked for and before anything is wrapped, where the DKEKs differ', async () => {
    await plugInBoth(otherTestDkek);
    const desk = await newDesk();
    for (const plan of [drillPlan(first, second), clonePlan(first, second)]) {
      expect(failedSteps(await desk.carryThrough(plan))).toEqual(['compare-dkek: Device_DkekMismatch']);
    }
    expect(desk.person.asked).toEqual([]);
    expect(times(source, 'wrapKey')).toBe(0);
  });

  test.each([
    ['the first', 'wrapKey', 'before'],
    ['the first', 'wrapKey', 'after'],
    ['the second', 'unwrapKey', 'before'],
    ['the second', 'unwrapKey', 'after'],
    ['the first', 'decipher', 'before'],
  ] as const)('that loses %s device at %s (%s) goes on when it is back', async (which, instruction, moment) => {
    await plugInBoth();
    const desk = await newDesk();
    const card = which === 'the first' ? source : target;
    card.unplugAtApdu(instruction, moment);
    const stopped = await desk.carryThrough(drillPlan(first, second));
    expect(failedSteps(stopped)).toHaveLength(1);
    expect(card.isPluggedIn).toBe(false);
    await card.plugIn(which === 'the first' ? 0 : 1);
    desk.person.asked.splice(0);
    const ended = await desk.goOn(stopped.state.runId);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(keysOf(target)).toBe(1);
    // No try was spent.
    expect(desk.person.asked.some((question) => question.endsWith('again'))).toBe(false);
    for (const one of [source, target]) expect(one.state.userPin?.triesLeft).toBe(3);
  });

  test('on the same device brings the key back after it was erased, from the files of its DKEK shares', async () => {
    const made = await createDkekShareFile(new TextEncoder().encode(testPasswordOf('1')));
    const keyCheckValue = sha256Hex(made.share).slice(0, 16);
    await plugInBoth();
    source.unplug();
    source = withDkek(loadCard(savedFirst), Buffer.from(made.share));
    await source.plugIn(0);
    const desk = await newDesk();
    const { device: reset } = setUpPlan(first.serial, first.label, {
      currentSoPin: 'typed',
      newSoPin: false,
      dkek: fromFile(Buffer.from(made.file), keyCheckValue),
    });
    if (reset === undefined) throw new Error('no choices');
    const plan = { ...drillPlan(first, first), reset };
    const { runId } = valueOf(await desk.harness.runner.start(plan, 'Ada'));
    const by = { by: 'Ada', typedName: first.label, throughDeliberateSteps: true };
    // The share files are opened, a wrong password and all, before anything is asked that erases.
    desk.person.wrongPasswords.push('not-the-test-password');
    const refused = await desk.harness.runner.proceed(runId, by);
    expect(refused.ok ? 'ok' : refused.error.code).toBe('Custody_ConfirmationMismatch');
    expect(keysOf(source)).toBe(2);
    expect(desk.person.asked).toEqual([`pin user ${first.serial}`, 'password Dora', 'password Dora again']);
    const opened = valueOf(await desk.harness.runner.snapshot(runId));
    expect(evidenceOf(opened, 'open-shares')).toEqual({ sharesOpened: 1, keyCheckValue });
    const ended = await desk.goOn(runId, first.serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state).toMatchObject({ status: 'completed', facts: { keyCheckValue } });
    // Everything else was lost, as was said.
    expect(keysOf(source)).toBe(1);
    const other = await desk.carryThrough({
      ...plan,
      reset: { ...reset, dkek: fromFile(Buffer.from(made.file), '0123456789abcdef') },
    });
    expect(failedSteps(other)).toEqual(['compare-dkek: Device_DkekMismatch']);
    // A file of another DKEK under the right name is found out by opening it.
    const foreign = await createDkekShareFile(new TextEncoder().encode(testPasswordOf('1')));
    const unknown = await desk.carryThrough(
      { ...plan, reset: { ...reset, dkek: fromFile(Buffer.from(foreign.file), keyCheckValue) } },
      first.serial,
    );
    expect(failedSteps(unknown)).toEqual(['open-shares: Device_DkekMismatch']);
    expect(keysOf(source)).toBe(1);
    expect(times(source, 'initializeDevice')).toBe(1);
  });
});

/** The keys of a card without the one that attests it. */
const keysOf = (card: Card): number => card.state.keys.size - 1;

async function expectCopied(desk: DeviceRunDesk): Promise<void> {
  expect(keysOf(target)).toBe(2);
  const { tokens } = desk.harness;
  for (const index of [0, 1]) {
    const value = valueOf(await tokens.readData(second, `vault-unseal-${index.toString()}`));
    expect(Buffer.from(value)).toEqual(Buffer.alloc(256, index + 1));
  }
  const { objects } = valueOf(await tokens.listAllObjects(second));
  expect(objects.filter(({ objectClass }) => objectClass === 'data')).toHaveLength(2);
  expect(objects.filter(({ objectClass, label }) => objectClass === 'certificate' && label === 'ca')).toHaveLength(1);
  expect(
    objects
      .filter(({ objectClass }) => objectClass === 'private-key')
      .map(({ label }) => label)
      .sort(),
  ).toEqual(['bank-vaults', 'sign']);
}

describe('a clone', () => {
  test('brings every key, certificate and data object over, each once; again it finds all there', async () => {
    await plugInBoth();
    const desk = await newDesk();
    const run = await desk.carryThrough(clonePlan(first, second));
    expect(failedSteps(run)).toEqual([]);
    expect(run.state.status).toBe('completed');
    expect(evidenceOf(run, 'copy')).toMatchObject({ keysCopied: 2, certificatesCopied: 1, dataObjectsCopied: 2 });
    expect(evidenceOf(run, 'verify')).toEqual({ keysProven: 2, objectsCompared: 5 });
    // One PIN for each device, from the first command to the last.
    expect(desk.person.asked).toEqual([first, second].map(({ serial }) => `pin user ${serial}`));
    expect(Object.keys(evidenceOf(run, 'copy')).filter((name) => name.startsWith('copied '))).toHaveLength(5);
    await expectCopied(desk);
    const again = await desk.carryThrough(clonePlan(first, second));
    expect(again.state.status).toBe('completed');
    expect(times(target, 'unwrapKey')).toBe(2);
    expect(keysOf(source)).toBe(2);
  });

  test('brings a second pair of one label over, where the first device has both; one that it has not is a conflict', async () => {
    await plugInBoth();
    const makePair = async (reader: 0 | 1, id: string): Promise<void> => {
      const made = await runTool('pkcs11-tool', [
        ...['--module', openscModulePath, '--slot-index', reader.toString(), '--login', '--pin', testPin],
        ...['--keypairgen', '--key-type', 'EC:prime256v1', '--usage-derive', '--label', 'sign', '--id', id],
      ]);
      expect(made.exitCode, made.output).toBe(0);
    };
    expect((await (await newDesk()).carryThrough(clonePlan(first, second))).state.status).toBe('completed');
    // As for a rotation of the KMS provider's key.
    await makePair(0, '21');
    const again = await (await newDesk()).carryThrough(clonePlan(first, second));
    expect(failedSteps(again)).toEqual([]);
    expect(evidenceOf(again, 'copy')).toMatchObject({ keysCopied: 3 });
    await makePair(1, '22');
    await makePair(0, '23');
    const other = await (await newDesk()).carryThrough(clonePlan(first, second));
    expect(failedSteps(other)).toEqual(['copy: Token_KeyLabelInUse']);
  });

  test('that replaces a device erases it last, with its serial typed', async () => {
    await plugInBoth();
    const desk = await newDesk();
    const stopped = await desk.harness.runner.start(clonePlan(first, second, true), 'Ada');
    const { runId } = valueOf(stopped);
    const refused = await desk.harness.runner.proceed(runId, {
      by: 'Ada',
      typedName: second.serial,
      throughDeliberateSteps: true,
    });
    expect(refused.ok ? 'ok' : refused.error.code).toBe('Custody_ConfirmationMismatch');
    expect(times(source, 'initializeDevice')).toBe(0);
    await expectCopied(desk);
    const ended = await desk.goOn(runId, first.serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(keysOf(source)).toBe(0);
    expect(keysOf(target)).toBe(2);
  });

  test.each(['wrap 2 after', 'unwrap 1 after', 'unwrap 2 after', 'certificate 1 after', 'write vault-unseal-0 after'])(
    'ended with SIGKILL at “%s” goes on and repeats nothing',
    async (point) => {
      await plugInBoth();
      await killAndResume(clonePlan(first, second), '', point, async (ended, desk) => {
        expect(failedSteps(ended)).toEqual([]);
        expect(ended.state.status).toBe('completed');
        await expectCopied(desk);
      });
      expect(times(target, 'unwrapKey')).toBe(2);
    },
  );
});
