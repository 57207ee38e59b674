/**
 * What belongs to a SmartCard-HSM never leaks: a typed SO-PIN and one made in the prompt, the PIN, a DKEK share's
 * password, its pieces, and the share itself are searched in the packaged app, its files and every process, with a
 * card in software behind the real pcscd and OpenSC. The card's process holds them by nature and is left out.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type { TokenView } from '../../electron/contract/views.ts';
import { openDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { combinePieces, decodePiece } from '../../native/smartcard-hsm/dkek/password-split.ts';
import { markerOf, type Marker } from '../fixtures/markers.ts';
import { HomeScreen } from '../screens/home.ts';
import { startCardProcess, type CardProcess } from '../servers/card-process.ts';
import { requireCardReaders } from '../servers/pcscd.ts';
import { planDeviceSetUp, startRun } from './contract-calls.ts';
import { completeRun, type Keepers } from './device-keepers.ts';
import { readView } from './drive-run.ts';
import { launchApp, makeAppHome, type AppHome, type LaunchedApp } from './launch/launch-app.ts';
import { expectNotRelayedInClear, expectNowhere, findOwnChildren } from './marker-search.ts';

const serial = 'DECC0900472';
const label = 'marker-device';
/** What a person waits for when a device is plugged in or was changed: OpenSC takes seconds to know it. */
const known = { timeout: 60_000 };

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));

test.describe.serial('what belongs to a device', () => {
  const keepers: Keepers = {
    pin: `p${randomBytes(7).toString('hex')}`,
    dkekPassword: `k${randomBytes(9).toString('hex')}`,
    soPin: '',
    ownSoPin: randomBytes(8).toString('hex'),
    pieces: [],
    typedPieces: 0,
    answered: [],
    beforeHandingOver: () => Promise.resolve(),
  };
  /** Every secret so far: what was searched once is searched again by the later tests. */
  const markers: Marker[] = [];
  let card: CardProcess;
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;
  let output = '';

  async function findToken(): Promise<TokenView> {
    const find = async (): Promise<TokenView | undefined> =>
      (await readView(page)).tokens.find((token) => token.serial === serial && token.device !== null);
    await expect.poll(async () => (await find()) !== undefined, known).toBe(true);
    const token = await find();
    if (token === undefined) throw new Error('The device is gone.');
    return token;
  }

  /** Adds the DKEK share in a run's file as a marker: what its password opens is the DKEK itself. */
  async function markShare(runId: string, password: Uint8Array): Promise<void> {
    const file = await readFile(join(home.dataDirectory, 'runs', runId, 'outbox', 'dkek-share-1.pbe'));
    const share = await openDkekShareFile(new Uint8Array(file), password);
    if (!share.ok) throw new Error(share.error.message);
    markers.push(markerOf('DKEK', Buffer.from(share.value).toString('hex')));
  }

  /** While the run's processes live, and after the lock. */
  async function expectKept(): Promise<void> {
    await expectNotRelayedInClear(app, markers, label);
    const screen = new HomeScreen(page);
    await screen.lock.click();
    await expect(screen.lockedHeading).toBeVisible();
    await expectNotRelayedInClear(app, markers, serial);
    const leftOut = await findOwnChildren('start-card.ts');
    expect(leftOut.length).toBe(1);
    await expectNowhere(app, markers, { output, leftOut, known: { name: 'label', forms: [Buffer.from(label)] } });
    await screen.unlock();
  }

  test.beforeAll(async () => {
    await requireCardReaders();
    markers.push(
      markerOf('PIN', keepers.pin),
      markerOf('typed SO-PIN', keepers.ownSoPin ?? ''),
      markerOf('DKEK password', keepers.dkekPassword),
    );
    card = await startCardProcess(serial);
    home = await makeAppHome();
    // What is put aside for a moment is searched as well.
    const temporary = join(home.directory, 'tmp');
    await mkdir(temporary);
    app = await launchApp({ home, environment: { TMPDIR: temporary } });
    const collect = (chunk: Buffer): void => void (output += chunk.toString('latin1'));
    app.mainProcess.stdout?.on('data', collect);
    app.mainProcess.stderr?.on('data', collect);
    page = await app.window('app://main');
    keepers.beforeHandingOver = (shown) => {
      const all = shown === '' ? markers : [...markers, markerOf('what is shown', shown)];
      return expectNotRelayedInClear(app, all, serial);
    };
    await card.tell('plug 0');
    await findToken();
  });
  test.afterAll(async () => {
    await app.close();
    await card.end();
    await home.remove();
  });

  test('a typed SO-PIN, a PIN and a DKEK share’s password are only where they are used', async () => {
    test.setTimeout(10 * 60_000);
    const protection = { kind: 'password', custodian: 'Cleo' } as const;
    const plan = planDeviceSetUp(await findToken(), label, {
      currentSoPin: 'factory',
      newSoPin: true,
      dkek: { kind: 'shares', shares: [{ source: 'new', protection }], expectedKeyCheckValue: '' },
    });
    const runId = await startRun(page, plan);
    await completeRun(app, page, runId, keepers);
    expect(keepers.answered).toEqual([
      'Choose a password',
      'Choose an SO-PIN',
      'Choose a PIN',
      'Type the password',
      'Type the PIN',
    ]);
    await markShare(runId, bytesOf(keepers.dkekPassword));
    await expectKept();
    expect(await card.tell('status')).toMatchObject({ initialised: true, pinTriesLeft: 3, soPinTriesLeft: 15 });
  });

  test('nor is an SO-PIN that the prompt made, read aloud and typed back', async () => {
    test.setTimeout(10 * 60_000);
    keepers.ownSoPin = undefined;
    keepers.answered.length = 0;
    const { storeId, label: tokenLabel } = await findToken();
    const runId = await startRun(page, {
      workflow: 'pin-change',
      rehearsal: false,
      token: { storeId, serial, label: tokenLabel },
      act: 'change-so-pin',
      smartCardHsm: true,
      holder: 'Ada',
    });
    await completeRun(app, page, runId, keepers);
    expect(keepers.answered).toEqual(['Type the SO-PIN', 'Choose an SO-PIN']);
    expect(keepers.soPin).toMatch(/^[0-9a-f]{16}$/u);
    markers.push(markerOf('SO-PIN made in the prompt', keepers.soPin));
    await expectKept();
  });

  test('nor are pieces of a DKEK share’s password, handed out and typed, nor what they open', async () => {
    test.setTimeout(12 * 60_000);
    keepers.answered.length = 0;
    const protection = { kind: 'split', threshold: 2, custodians: ['Cleo', 'Dora', 'Emil'] } as const;
    const plan = planDeviceSetUp(await findToken(), label, {
      currentSoPin: 'typed',
      newSoPin: false,
      dkek: {
        kind: 'shares',
        shares: [{ source: 'new', protection: { ...protection, custodians: [...protection.custodians] } }],
        expectedKeyCheckValue: '',
      },
    });
    const runId = await startRun(page, plan);
    await completeRun(app, page, runId, keepers);
    expect(keepers.answered).toEqual([
      'A piece of a password for Cleo',
      'A piece of a password for Dora',
      'A piece of a password for Emil',
      'Type the SO-PIN',
      'Choose a PIN',
      'Type your piece of the password',
      'Type your piece of the password',
      'Type the PIN',
    ]);
    const pieces = keepers.pieces.map((text, index) => {
      expect(text).toMatch(/^[0-9a-f]{34}$/u);
      // After the number and the prime, which every piece names, comes what is its custodian's alone.
      markers.push(markerOf(`piece ${String(index + 1)}`, text), markerOf('value of a piece', text.slice(18)));
      const piece = decodePiece(bytesOf(text));
      if (!piece.ok) throw new Error(piece.error.message);
      return piece.value;
    });
    const password = await combinePieces(pieces.slice(0, 2));
    if (!password.ok) throw new Error(password.error.message);
    markers.push(markerOf('password of the pieces', Buffer.from(password.value).toString('hex')));
    await markShare(runId, password.value);
    await expectKept();
    expect(await card.tell('status')).toMatchObject({ pinTriesLeft: 3, soPinTriesLeft: 15 });
  });
});
