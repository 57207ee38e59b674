/** `custodian device` on SmartCard-HSMs in software, as a process with its secrets on descriptors. */
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';
import { makeDesk, type CustodianDesk } from '../fixtures/custodian.ts';
import { newTestSoPin, testPasswordOf, testPin } from '../fixtures/device-person.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { createDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { sha256Hex } from '../../electron/runs/interpreter/wrapping.ts';

const first = 'ZZTEST00001';
const second = 'ZZTEST00002';

let readers: CardReaders;
let desk: CustodianDesk;
let sharePath: string;
let keyCheckValue: string;
const cards: Card[] = [];

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.object({ code: z.string(), message: z.string(), next: z.string() }).optional(),
  value: z
    .object({
      devices: z.array(z.record(z.string(), z.unknown())).optional(),
      dkek: z.record(z.string(), z.unknown()).optional(),
      run: z.object({ status: z.string(), facts: z.record(z.string(), z.unknown()) }).optional(),
    })
    .loose()
    .optional(),
});

async function ask(
  argumentList: readonly string[],
  secrets: Readonly<Record<number, string>> = {},
): Promise<{ readonly exitCode: number | null; readonly answer: z.infer<typeof answerSchema> }> {
  const result = await desk.run(['device', ...argumentList, '--json', '--data-dir', desk.dataDirectory], secrets);
  for (const secret of [newTestSoPin, testPasswordOf('1')])
    for (const place of [result.stdout, result.stderr, result.processes]) expect(place).not.toContain(secret);
  return { exitCode: result.exitCode, answer: answerSchema.parse(JSON.parse(result.stdout)) };
}

/** With the reason, where it did not come to its end. */
const endOf = ({ answer }: Awaited<ReturnType<typeof ask>>): string =>
  answer.value?.run?.status === 'completed' ? 'completed' : JSON.stringify(answer.error);

beforeAll(async () => {
  desk = await makeDesk();
  readers = await startCardReaders({ patience: 600_000 });
  for (const [reader, serial] of [
    [0, first],
    [1, second],
  ] as const) {
    const card = createCard({ serial });
    await card.plugIn(reader);
    cards.push(card);
  }
  const made = await createDkekShareFile(new TextEncoder().encode(testPasswordOf('1')));
  keyCheckValue = sha256Hex(made.share).slice(0, 16);
  sharePath = join(desk.directory, 'share.pbe');
  await writeFile(sharePath, made.file);
});

afterAll(async () => {
  for (const card of cards) card.unplug();
  await readers.stop();
  await desk.remove();
});

const setUp = (serial: string, label: string): readonly string[] => [
  'set-up',
  ...['--serial', serial, '--label', label, '--so-pin-holder', 'Sofia', '--confirm', serial],
  ...['--dkek-share', `file:${sharePath}:password:Dora`, '--expect-key-check', keyCheckValue],
  ...['--so-pin-fd', '3', '--pin-fd', '4', '--dkek-fd', '5'],
];
const setUpSecrets = (password = testPasswordOf('1')): Readonly<Record<number, string>> => ({
  3: `${newTestSoPin}\n`,
  4: `${testPin}\n${testPin}\n`,
  5: `${password}\n`,
});

test('two devices from the factory are listed and set up with one DKEK', async () => {
  const listed = await ask(['list']);
  expect(listed.answer.value?.devices).toEqual([
    expect.objectContaining({
      serial: first,
      pinState: 'not-initialized',
      pinTriesLeft: null,
      readerName: 'Virtual PCD 00 00',
    }),
    expect.objectContaining({ serial: second, firmwareVersion: '3.5' }),
  ]);
  const text = await desk.run(['device', 'list', '--data-dir', desk.dataDirectory]);
  expect(text.stdout).toMatch(/LABEL +SERIAL +FIRMWARE +FREE +PIN +SO-PIN +DKEK +SLOT +READER/u);
  expect(text.stdout).toContain('(not initialised)');

  // Which of two is meant is not guessed, and neither is the DKEK.
  expect((await ask(['dkek-status'])).answer.error?.code).toBe('App_BadRequest');
  const undecided = await ask(['set-up', '--serial', first, '--confirm', first]);
  expect(undecided).toMatchObject({ exitCode: 2, answer: { error: { code: 'App_BadRequest' } } });
  expect(cards[0]?.state.soPin).toBeUndefined();

  expect(endOf(await ask(setUp(first, 'office'), setUpSecrets()))).toBe('completed');
  const wrong = await ask(setUp(second, 'spare'), setUpSecrets('not-the-test-password'));
  expect(wrong).toMatchObject({ exitCode: 1, answer: { error: { code: 'Device_SharePasswordWrong' } } });
  expect(endOf(await ask([...setUp(second, 'spare'), '--keep-so-pin'], setUpSecrets()))).toBe('completed');

  const status = await ask(['dkek-status', '--serial', second]);
  expect(status.answer.value?.dkek).toMatchObject({ kind: 'ready', keyCheckValue });
  const words = await desk.run(['device', 'dkek-status', '--serial', first, '--data-dir', desk.dataDirectory]);
  expect(words.stdout).toContain(`Key check value ${keyCheckValue}`);
});

test('a clone onto a device with a key of the same label is refused; after a reset it is taken', async () => {
  const pins = { 3: `${testPin}\n`.repeat(6) };
  const clone = ['clone', '--serial', first, '--target', second, '--pin-fd', '3'];
  expect(await ask(clone, pins)).toMatchObject({ exitCode: 1, answer: { error: { code: 'Token_KeyLabelInUse' } } });
  const reset = ['reset', '--serial', second, '--so-pin-fd', '3', '--pin-fd', '4'];
  const secrets = { 3: `${newTestSoPin}\n`, 4: `${testPin}\n` };
  expect(await ask([...reset, '--confirm', first], secrets)).toMatchObject({
    exitCode: 1,
    answer: { error: { code: 'Custody_ConfirmationMismatch' } },
  });
  expect(endOf(await ask([...reset, '--confirm', second], secrets))).toBe('completed');
  expect(cards[1]?.state.keys.size).toBe(1);
  // Erased, it has no DKEK; with its share it is set up again. Its own new key has another label.
  expect(await ask(clone, pins)).toMatchObject({ answer: { error: { code: 'Device_DkekAbsent' } } });
  const again = [...setUp(second, 'spare'), '--keep-so-pin', '--key-label', 'spare-key'];
  expect(endOf(await ask(again, setUpSecrets()))).toBe('completed');
  expect(endOf(await ask(clone, pins))).toBe('completed');
  expect(cards[1]?.state.keys.size).toBe(3);
  expect(endOf(await ask(['drill', '--serial', first, '--target', second, '--pin-fd', '3'], pins))).toBe('completed');
});
