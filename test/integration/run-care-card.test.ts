/** The care of a SmartCard-HSM in use, as runs on the software card behind real pcscd and OpenSC. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import { encryptToWrappingKey, sha256Hex } from '../../electron/runs/interpreter/wrapping.ts';
import { createSealingKeyPair, openSecret, sealSecret } from '../../electron/sealing/sealed.ts';
import type { PinChangePlan } from '../../electron/workflows/device-plans.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import type { PromptPort } from '../../electron/workflows/ports.ts';
import { endOf } from '../fixtures/care-desk.ts';
import { openRunHarness, temporaryDirectory, type RunHarness } from '../fixtures/run-harness.ts';
import { openCardDesk, testPin, testSoPin, wrongTestPin, type CardDesk } from '../fixtures/smartcard-hsm/card-desk.ts';
import type { Card } from '../fixtures/smartcard-hsm/card.ts';
import { openscModulePath } from '../fixtures/smartcard-hsm/tools.ts';
import { sealTestPin, valueOf } from '../fixtures/token-port.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const newTestPin = '135790';
const newTestSoPin = '0123456789abcdef';
const run = promisify(execFile);

let readers: CardReaders;
let cards: CardDesk;
let card: Card;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let harness: RunHarness;
/** Answers to the questions for PINs, in order; the test PIN where there is none. */
let answers: string[];
/** Every question: role, whether it is new, and the act as the prompt says it. */
let asked: string[];
let consents = false;

const askPin: PromptPort['askPin'] = async ({ role, isNew, act, pinState, recipient, purpose }) => {
  asked.push(`${role}${isNew ? ' new' : ''} ${pinState}: ${act}`);
  const answer = answers.shift() ?? testPin;
  return success({
    sealed: await sealSecret(recipient, new Uint8Array(Buffer.from(answer)), purpose),
    consentToLastTry: consents && pinState === 'final-try',
  });
};

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
}, 620_000);
afterAll(() => readers.stop());

beforeEach(async () => {
  answers = [];
  asked = [];
  consents = false;
  cards = await openCardDesk();
  card = await cards.newInitialisedCard();
  directory = await temporaryDirectory('care-card');
  harness = await openRunHarness({
    dataDirectory: directory.path,
    softhsmConfiguration: '',
    modulePath: openscModulePath,
    wrap: (options) => ({ ...options, prompt: { ...options.prompt, askPin } }),
  });
});
afterEach(async () => {
  await harness.close();
  await Promise.all([cards.close(), directory.dispose()]);
});

const token = () => ({ storeId: 'test', serial: card.serial, label: 'Test' });
const common = () => ({ rehearsal: false, token: token() });
const pinPlan = (act: PinChangePlan['act']): Plan => ({
  workflow: 'pin-change',
  ...common(),
  act,
  smartCardHsm: true,
  holder: 'Grace',
});

async function goOn(runId: string, typedName = ''): Promise<RunSnapshot> {
  const gone = await harness.runner.proceed(runId, { by: 'Ada', typedName, throughDeliberateSteps: true });
  return valueOf(gone);
}
const carryThrough = async (plan: Plan, typedName = ''): Promise<RunSnapshot> =>
  goOn(valueOf(await harness.runner.start(plan, 'Ada')).runId, typedName);

const pinOf = (): string => card.state.userPin?.value.toString('utf8') ?? '';
const soPinOf = (): string => card.state.soPin?.value.toString('hex') ?? '';

async function logIn(): Promise<void> {
  valueOf(await harness.tokens.login(token(), await sealTestPin(harness.tokens, 'test', card.serial, testPin), false));
}

async function decrypt(label: string, keyLabel: string): Promise<string> {
  await logIn();
  const pair = await createSealingKeyPair();
  const sealed = await harness.tokens.decryptData(token(), keyLabel, label, pair.publicKey, 'test');
  return sealed.ok ? Buffer.from((await openSecret(pair, sealed.value, 'test')) ?? []).toString() : sealed.error.code;
}

describe('PINs of a SmartCard-HSM', () => {
  it('are changed, with the tries left said in front of the person', async () => {
    answers.push(wrongTestPin, newTestPin, testPin);
    const ended = await carryThrough(pinPlan('change-pin'));
    expect(endOf(ended)).toBe('completed');
    expect(pinOf()).toBe(newTestPin);
    expect(asked).toEqual([
      'user ok: Change the user PIN (PIN: 3 tries left)',
      'user new ok: Change the user PIN',
      'user count-low: Change the user PIN (PIN: 2 tries left)',
    ]);
    expect(ended.state.facts).toMatchObject({ pinTriesLeft: 3 });
    answers.push(testSoPin, newTestSoPin);
    expect(endOf(await carryThrough(pinPlan('change-so-pin')))).toBe('completed');
    expect(soPinOf()).toBe(newTestSoPin);
    expect(asked[3]).toBe('so ok: Change the SO-PIN (SO-PIN: 15 tries left)');
  });

  it('are never tried a last time without consent; a blocked one is unblocked, and a new one set', async () => {
    answers.push(wrongTestPin, newTestPin, wrongTestPin, testPin);
    const kept = await carryThrough(pinPlan('change-pin'));
    expect(endOf(kept)).toContain('change-pin: Token_PinLastTry');
    expect(card.state.userPin?.triesLeft).toBe(1);
    consents = true;
    answers = [wrongTestPin, newTestPin];
    expect(endOf(await goOn(kept.state.runId))).toContain('change-pin: Token_PinLocked');
    expect(card.state.userPin?.triesLeft).toBe(0);
    const exchanges = card.exchanges.length;
    expect(endOf(await goOn(kept.state.runId))).toContain('change-pin: Token_PinLocked');
    expect(card.exchanges.slice(exchanges).some(({ instruction }) => instruction === 'changeReferenceData')).toBe(
      false,
    );

    answers = [testSoPin];
    expect(endOf(await carryThrough(pinPlan('unblock-pin')))).toBe('completed');
    expect(card.state.userPin?.triesLeft).toBe(3);
    expect(pinOf()).toBe(testPin);
    answers = ['1111111111111111', newTestPin, testSoPin];
    const reset = await carryThrough(pinPlan('reset-pin'));
    expect(endOf(reset)).toBe('completed');
    expect(pinOf()).toBe(newTestPin);
    expect(reset.state.facts).toMatchObject({ pinTriesLeft: 3, soPinTriesLeft: 15 });
  });
});

describe('values and keys of a SmartCard-HSM', () => {
  const testValues = { 'vault-unseal-0': 'test share zero', 'vault-root': 'test root token' } as const;

  async function storeValues(): Promise<void> {
    await logIn();
    const key = valueOf(await harness.tokens.generateKeyPair(token(), 'bank-vaults', 2048));
    for (const [label, plaintext] of Object.entries(testValues))
      valueOf(
        await harness.tokens.writeData(token(), label, encryptToWrappingKey(key.publicKeySpki, Buffer.from(plaintext))),
      );
  }

  it('are checked, encrypted anew, and the old key goes last', async () => {
    await storeValues();
    const labels = Object.keys(testValues);
    const checked = await carryThrough({
      workflow: 'values-repair',
      ...common(),
      keyLabel: 'bank-vaults',
      doubled: [],
      labels,
    });
    expect(endOf(checked)).toBe('completed');
    expect(checked.state.deviations).toEqual([]);
    const rewrapped = await carryThrough(
      {
        workflow: 'values-rewrap',
        ...common(),
        fromKeyLabel: 'bank-vaults',
        toKeyLabel: 'bank-vaults-2',
        modulusBits: 2048,
        labels,
        removeOldKey: true,
      },
      'bank-vaults',
    );
    expect(endOf(rewrapped)).toBe('completed');
    for (const [label, plaintext] of Object.entries(testValues))
      expect(await decrypt(label, 'bank-vaults-2')).toBe(plaintext);
    const { keyPairs, dataObjects } = valueOf(await harness.tokens.listObjects(token()));
    expect(keyPairs.filter(({ hasPrivate }) => hasPrivate).map(({ label }) => label)).toEqual(['bank-vaults-2']);
    expect(dataObjects.map(({ label }) => label).sort()).toEqual(labels.toSorted());
  });

  it('are tried and shown to come from the device; certificates and objects come and go; all is erased', async () => {
    await storeValues();
    const { objects } = valueOf(await harness.tokens.listAllObjects(token()));
    const key = objects.find(({ objectClass, label }) => objectClass === 'private-key' && label === 'bank-vaults');
    const tested = await carryThrough({
      workflow: 'key-test',
      ...common(),
      keys: [{ label: 'bank-vaults', id: key?.id ?? '' }],
      attest: true,
    });
    expect(endOf(tested)).toBe('completed');

    const path = cards.path('office.pem');
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Key Custodian test'],
      ...['-keyout', '/dev/null', '-out', path],
    ]);
    const stored = await carryThrough({
      workflow: 'certificate-store',
      ...common(),
      certificateLabel: 'office',
      id: 'c0ffee',
      fileName: 'office.pem',
      fileBase64: (await readFile(path)).toString('base64'),
    });
    expect(endOf(stored)).toBe('completed');
    expect(stored.state.facts['requestFile']).toBeUndefined();

    // Under the key's own id it takes the place of the key's request, which is checked and kept first.
    const request = Buffer.from(card.state.files.get(0xce01) ?? '');
    const { publicKeySpki } = valueOf(
      await harness.tokens.exportPublicKey(token(), { id: key?.id ?? '', label: 'bank-vaults' }),
    );
    await writeFile(cards.path('key.der'), Buffer.from(publicKeySpki, 'base64'));
    await run('openssl', ['genrsa', '-out', cards.path('signer.pem'), '2048']);
    await run('openssl', [
      ...['x509', '-new', '-subj', '/CN=Key Custodian test', '-days', '30', '-force_pubkey', cards.path('key.der')],
      ...['-signkey', cards.path('signer.pem'), '-out', path],
    ]);
    const ofKey: Plan = {
      workflow: 'certificate-store',
      ...common(),
      certificateLabel: 'bank-vaults',
      id: key?.id ?? '',
      fileName: 'office.pem',
      fileBase64: (await readFile(path)).toString('base64'),
    };
    const started = valueOf(await harness.runner.start(ofKey, 'Ada'));
    const begun = valueOf(await harness.runner.snapshot(started.runId));
    expect(begun.definitions.at(-1)?.explanation).toContain('takes the place of the key’s certificate request');
    // Cut off after the request was kept, it is said all the same.
    const pulled = card.unplugAtApdu('updateBinary', 'after');
    const stopped = await goOn(started.runId);
    await pulled.happened;
    expect(endOf(stopped)).toMatch(/store: /u);
    await card.plugIn(0);
    const under = await goOn(started.runId);
    expect(endOf(under)).toBe('completed');
    const kept = await readFile(String(under.state.facts['requestFile']));
    expect(kept.equals(request)).toBe(true);
    expect(under.state.facts).toMatchObject({
      // The software card's vendor is nobody's root.
      keyAttestation: 'absent',
      requestSha256: sha256Hex(request),
    });
    expect(card.state.files.get(0xce01)?.equals(request)).toBe(false);

    // Another one for the key, by whatever label, takes that one's place only once it was deleted.
    const first = card.state.files.get(0xce01);
    await run('openssl', [
      ...['x509', '-new', '-subj', '/CN=Renewed', '-days', '60', '-force_pubkey', cards.path('key.der')],
      ...['-signkey', cards.path('signer.pem'), '-out', path],
    ]);
    const renewal: Plan = {
      ...ofKey,
      certificateLabel: 'renewed',
      fileBase64: (await readFile(path)).toString('base64'),
    };
    expect(endOf(await carryThrough(renewal))).toMatch(/Token_ObjectExists .*“bank-vaults”/u);
    expect(card.state.files.get(0xce01)).toEqual(first);
    const removal: Plan = {
      workflow: 'object-delete',
      ...common(),
      object: {
        objectClass: 'certificate',
        label: 'bank-vaults',
        id: key?.id ?? '',
        sha256: String(under.state.facts['objectSha256']),
      },
      losses: [],
    };
    expect(endOf(await carryThrough(removal, 'bank-vaults'))).toBe('completed');
    expect(endOf(await carryThrough(renewal))).toBe('completed');

    const root = valueOf(await harness.tokens.readData(token(), 'vault-root'));
    const deleted = await carryThrough(
      {
        workflow: 'object-delete',
        ...common(),
        object: { objectClass: 'data', label: 'vault-root', id: '', sha256: sha256Hex(root) },
        losses: [],
      },
      'vault-root',
    );
    expect(endOf(deleted)).toBe('completed');

    answers = [testSoPin, newTestSoPin];
    expect(endOf(await carryThrough(pinPlan('change-so-pin')))).toBe('completed');
    answers = [newTestSoPin, newTestPin];
    const reset = await carryThrough(
      { workflow: 'token-reset', ...common(), slotId: 0, smartCardHsm: true, losses: ['everything'] },
      card.serial,
    );
    expect(endOf(reset)).toBe('completed');
    expect(pinOf()).toBe(newTestPin);
    expect(valueOf(await harness.tokens.listObjects(token()))).toEqual({ keyPairs: [], dataObjects: [] });
  });
});
