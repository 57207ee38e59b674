/**
 * `custodian device set-up` on a card in software leaks nothing: what is handed over on descriptors, what is typed at
 * a terminal and what is shown there is in no argument, environment, answer or file.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { combinePieces, decodePiece } from '../../native/smartcard-hsm/dkek/password-split.ts';
import { makeDesk, type CustodianDesk } from '../fixtures/custodian.ts';
import { markerOf, markersIn, searchFiles, type Marker } from '../fixtures/markers.ts';
import { openscModulePath } from '../fixtures/smartcard-hsm/tools.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { runAtTerminal } from '../fixtures/typed-command.ts';
import { startCardProcess, type CardProcess } from '../servers/card-process.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const serial = 'DECC0900519';
const label = 'marker-device';
const entry = join(import.meta.dirname, '../../electron/command-line/custodian.ts');

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.object({ code: z.string() }).loose().optional(),
  value: z
    .object({ run: z.object({ id: z.string(), status: z.string() }).loose() })
    .loose()
    .optional(),
});

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));
/** Of the device's longest form, and random: markers that are nowhere by chance. */
const makeTestPin = (): string => `p${randomBytes(7).toString('hex')}`;

let readers: CardReaders;
let card: CardProcess;
let desk: CustodianDesk;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000 });
});
afterAll(() => readers.stop());
beforeEach(async () => {
  card = await startCardProcess(serial);
  await card.tell('plug 0');
  desk = await makeDesk();
});
afterEach(async () => {
  await card.end();
  await desk.remove();
});

const setUp = (more: readonly string[]): readonly string[] => [
  ...['device', 'set-up', '--module', openscModulePath, '--serial', serial, '--label', label, '--confirm', serial],
  ...['--so-pin-holder', 'Ada', '--pin-holder', 'Bo', '--data-dir', desk.dataDirectory, '--json', ...more],
];

/** The run that an answer tells of, completed. */
function completedRun(stdout: string): string {
  const answer = answerSchema.parse(JSON.parse(stdout));
  expect(answer).toMatchObject({ ok: true, value: { run: { status: 'completed' } } });
  return answer.value?.run.id ?? '';
}

/** The DKEK share in the run's file, opened: the DKEK itself. */
async function shareOf(runId: string, password: Uint8Array): Promise<Marker> {
  const file = await readFile(join(desk.dataDirectory, 'runs', runId, 'outbox', 'dkek-share-1.pbe'));
  const share = valueOf(await openDkekShareFile(new Uint8Array(file), password));
  return markerOf('DKEK', Buffer.from(share).toString('hex'));
}

/** Everything below the desk: journals, settings, outbox, temporary files, a home; and the search itself. */
async function expectNotInFiles(markers: readonly Marker[]): Promise<void> {
  expect((await searchFiles(desk.directory, markers)).found).toEqual([]);
  const known = { name: 'label', forms: [Buffer.from(label)] };
  expect((await searchFiles(desk.directory, [known])).found).not.toEqual([]);
}

it('what is handed over on descriptors is in no argument, environment, answer or file', async () => {
  const testPin = makeTestPin();
  const testSoPin = randomBytes(8).toString('hex');
  const testPassword = `k${randomBytes(9).toString('hex')}`;
  const result = await desk.run(
    setUp(['--dkek-share', 'password:Cleo', '--so-pin-fd', '3', '--pin-fd', '4', '--dkek-fd', '5']),
    { 3: `${testSoPin}\n`, 4: `${testPin}\n${testPin}\n`, 5: `${testPassword}\n${testPassword}\n` },
  );
  const runId = completedRun(result.stdout);
  const markers = [
    markerOf('PIN', testPin),
    markerOf('SO-PIN', testSoPin),
    markerOf('DKEK password', testPassword),
    await shareOf(runId, bytesOf(testPassword)),
  ];
  expect(result.processes).toContain('token-host');
  expect(markersIn(Buffer.from(result.processes, 'latin1'), markers)).toEqual([]);
  expect(markersIn(result.stdout + result.stderr, markers)).toEqual([]);
  await expectNotInFiles(markers);
  expect(await card.tell('status')).toMatchObject({ initialised: true, pinTriesLeft: 3 });
});

it('what is typed at a terminal, or shown there once and typed back, is neither', async () => {
  const testPin = makeTestPin();
  /** What stood on the screen to be written down, in the order shown: three pieces, then the SO-PIN. */
  const shown: string[] = [];
  let typedPieces = 0;
  const output = { stdout: join(desk.directory, 'stdout.json'), stderr: join(desk.directory, 'stderr.txt') };
  const result = await runAtTerminal([process.execPath, entry, ...setUp(['--dkek-share', 'split:2:Cleo,Dora,Emil'])], {
    environment: desk.environment,
    output,
    answers: [
      { question: /Press Enter when alone with it\. $/u, keys: () => '' },
      {
        question: /Then press Enter: it is taken off the screen and asked for\.\s*$/u,
        keys: (screen) => {
          const drawn = /\n\n([0-9a-f \n]+)\n\nWrite it down/u.exec(screen)?.[1] ?? '';
          shown.push(drawn.replaceAll(/\s/gu, ''));
          return '';
        },
      },
      { question: /Type it back: $/u, keys: () => shown.at(-1) ?? '' },
      { question: /Enter alone makes one at random and shows it once\): $/u, keys: () => '' },
      { question: /New PIN [^\n]*: $/u, keys: () => testPin },
      { question: /The same PIN again: $/u, keys: () => testPin },
      {
        question: /Piece \d of 2[^\n]*: $/u,
        keys: () => {
          typedPieces += 1;
          return shown[typedPieces - 1] ?? '';
        },
      },
      { question: /(?:^|\n)PIN: $/u, keys: () => testPin },
    ],
  });
  const stdout = await readFile(output.stdout, 'utf8');
  const runId = completedRun(stdout);
  expect(shown.map(({ length }) => length)).toEqual([34, 34, 34, 16]);
  const [soPin = '', ...pieces] = shown.toReversed();
  const password = valueOf(await combinePieces(pieces.slice(0, 2).map((text) => valueOf(decodePiece(bytesOf(text))))));
  const pin = markerOf('PIN', testPin);
  const markers = [
    pin,
    markerOf('SO-PIN', soPin),
    ...pieces.flatMap((text) => [markerOf('piece', text), markerOf('value of a piece', text.slice(18))]),
    markerOf('password of the pieces', Buffer.from(password).toString('hex')),
    await shareOf(runId, password),
  ];
  expect(result.processes.includes('token-host')).toBe(true);
  expect(markersIn(result.processes, markers)).toEqual([]);
  await expectNotInFiles(markers);
  // Nothing that is typed is echoed; what is shown stands there once, in groups of four.
  expect(markersIn(result.screen, [pin])).toEqual([]);
  for (const text of shown) expect(result.screen).not.toContain(text.slice(-16));
  expect(result.screen.split(soPin.replaceAll(/.{4}(?=.)/gu, '$& ')).length).toBe(2);
  expect(await card.tell('status')).toMatchObject({ initialised: true, pinTriesLeft: 3 });
});
