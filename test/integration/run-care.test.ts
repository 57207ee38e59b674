/** PINs, erasing, objects, certificates and key tests of a token in use, as runs on SoftHSM. */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PinChangePlan } from '../../electron/workflows/device-plans.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { lossesOf } from '../../electron/workflows/token-losses.ts';
import type { CareDesk } from '../fixtures/care-desk.ts';
import { endOf, openCareDesk } from '../fixtures/care-desk.ts';
import { testPin, testSoPin } from '../fixtures/run-harness.ts';
import { codeOf, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const newTestPin = '97531864';
const run = promisify(execFile);

let desk: CareDesk;
beforeEach(async () => {
  desk = await openCareDesk();
});
afterEach(() => desk.close());

const common = () => ({ rehearsal: false, token: desk.token });
const pinPlan = (act: PinChangePlan['act']): Plan => ({
  workflow: 'pin-change',
  ...common(),
  act,
  smartCardHsm: false,
  holder: 'Ada',
});

async function loginCode(pin: string): Promise<string> {
  const { tokens } = desk.harness;
  await tokens.logout(desk.token);
  return codeOf(await tokens.login(desk.token, await sealTestPin(tokens, 'test', desk.token.serial, pin), false));
}

const objects = async () => valueOf(await desk.harness.tokens.listAllObjects(desk.token)).objects;

describe('PINs', () => {
  it('changes the user PIN, after a wrong one was asked again', async () => {
    desk.harness.prompt.asked.length = 0;
    desk.harness.prompt.pinAnswers.push('11111111', newTestPin, testPin);
    const ended = await desk.carryThrough(pinPlan('change-pin'));
    expect(endOf(ended)).toBe('completed');
    expect(desk.harness.prompt.asked).toEqual(['pin user', 'pin user new', 'pin user again']);
    expect(await loginCode(testPin)).toBe('Token_PinIncorrect');
    expect(await loginCode(newTestPin)).toBe('ok');
    const [definition] = ended.definitions;
    expect(definition?.actor).toEqual({ role: 'custodian', name: 'Ada' });
  });

  it('changes the SO-PIN, and sets a new user PIN with it', async () => {
    const newTestSoPin = '0011223344556677';
    desk.harness.prompt.pinAnswers.push(testSoPin, newTestSoPin);
    expect(endOf(await desk.carryThrough(pinPlan('change-so-pin')))).toBe('completed');
    desk.harness.prompt.pinAnswers.push(testSoPin, newTestPin, newTestSoPin);
    expect(endOf(await desk.carryThrough(pinPlan('reset-pin')))).toBe('completed');
    expect(await loginCode(newTestPin)).toBe('ok');
    desk.harness.prompt.pinAnswers.push(newTestSoPin, testPin);
    expect(endOf(await desk.carryThrough(pinPlan('unblock-pin')))).toBe('completed');
    expect(await loginCode(testPin)).toBe('ok');
    // Keys and values stay.
    expect((await objects()).some(({ label }) => label === 'bank-vaults')).toBe(true);
  });

  it('says in the prompt that an attempt was cut off, and is carried out anew', async () => {
    const { runId } = valueOf(await desk.harness.runner.start(pinPlan('change-pin'), 'Ada'));
    // What a process leaves that ended between the token's answer and the journal.
    for (const event of [
      { type: 'step-started', step: 'change-pin', by: 'Ada' },
      { type: 'step-noted', step: 'change-pin', evidence: { changing: true } },
    ])
      valueOf(await desk.harness.journal.append(runId, event));
    desk.harness.prompt.asked.length = 0;
    desk.harness.prompt.pinAnswers.push(testPin, newTestPin);
    expect(endOf(await desk.goOn(runId))).toBe('completed');
    expect(desk.harness.prompt.asked).toEqual(['pin user again', 'pin user new']);
    expect(await loginCode(newTestPin)).toBe('ok');
  });

  it('leaves everything as it was where the prompt is closed', async () => {
    desk.harness.prompt.cancels = 1;
    expect(endOf(await desk.carryThrough(pinPlan('change-pin')))).toContain('App_PromptCancelled');
    expect(await loginCode(testPin)).toBe('ok');
  });
});

describe('erasing', () => {
  it('needs the typed serial, and leaves the token without an object', async () => {
    await desk.store('vault-unseal-0', 'x');
    const { serial } = desk.token;
    const losses = lossesOf(await objects(), serial, [
      { name: 'Production', tokenSerial: serial, keyLabel: 'bank-vaults' },
    ]);
    expect(losses).toEqual([
      expect.stringMatching(
        /^Key pair “bank-vaults”, RSA 2048: the key shares of “Production” decrypt with it alone$/u,
      ),
      'Data object “vault-unseal-0”, 256 bytes: a key share of “Production”',
    ]);
    const plan: Plan = {
      workflow: 'token-reset',
      ...common(),
      slotId: 0,
      smartCardHsm: false,
      losses: [...losses],
    };
    const waiting = await desk.carryThrough(plan, desk.token.label);
    expect(waiting.state.steps[0]?.attempts).toBe(0);
    expect(waiting.definitions[0]?.danger).toEqual({ typedName: serial, losses: [...losses, 'The PIN in use now'] });
    expect(await objects()).not.toHaveLength(0);
    desk.harness.prompt.pinAnswers.push('0000000000000000', newTestPin, testSoPin);
    const ended = await desk.goOn(waiting.state.runId, serial);
    expect(endOf(ended)).toBe('completed');
    expect(await loginCode(newTestPin)).toBe('ok');
    expect(await objects()).toEqual([]);
  });
});

describe('objects', () => {
  it('deletes one key pair, both halves, and nothing else', async () => {
    await desk.logIn();
    const other = valueOf(await desk.harness.tokens.generateKeyPair(desk.token, 'other', 2048));
    const object = { objectClass: 'key-pair', label: 'other', id: other.id, sha256: other.publicKeySha256 } as const;
    const plan: Plan = { workflow: 'object-delete', ...common(), object, losses: ['Key pair “other”'] };
    const waiting = await desk.carryThrough(plan);
    expect(waiting.definitions[1]?.danger?.typedName).toBe('other');
    expect(endOf(await desk.goOn(waiting.state.runId, 'other'))).toBe('completed');
    const left = (await objects()).map(({ objectClass, label }) => `${objectClass} ${label}`).sort();
    expect(left).toEqual(['private-key bank-vaults', 'public-key bank-vaults']);
    expect(endOf(await desk.carryThrough(plan, 'other'))).toContain('delete: Token_ObjectMissing');
  });

  it('finds a deletion that was cut off done', async () => {
    await desk.store('old', 'x');
    const object = { objectClass: 'data', label: 'old', id: '', sha256: '' } as const;
    const plan: Plan = { workflow: 'object-delete', ...common(), object, losses: [] };
    const { state } = await desk.carryThrough(plan);
    for (const event of [
      { type: 'step-started', step: 'delete', by: 'Ada' },
      { type: 'step-noted', step: 'delete', evidence: { deleting: true } },
    ])
      valueOf(await desk.harness.journal.append(state.runId, event));
    valueOf(await desk.harness.tokens.deleteData(desk.token, 'old'));
    expect(endOf(await desk.goOn(state.runId, 'old'))).toBe('completed');
  });
});

describe('certificates', () => {
  /** A self-signed certificate of a key of its own, by openssl. */
  async function makeCertificate(): Promise<Buffer> {
    const path = join(desk.softHsm.directory, 'certificate.pem');
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Key Custodian test'],
      ...['-keyout', '/dev/null', '-out', path],
    ]);
    return readFile(path);
  }
  const storePlan = (file: Buffer, id: string): Plan => ({
    workflow: 'certificate-store',
    ...common(),
    certificateLabel: 'office certificate',
    id,
    fileName: 'certificate.pem',
    fileBase64: file.toString('base64'),
  });

  it('stores one from PEM, reads it back, and finds it stored', async () => {
    const pem = await makeCertificate();
    const ended = await desk.carryThrough(storePlan(pem, 'c0ffee'));
    expect(endOf(ended)).toBe('completed');
    const stored = (await objects()).find(({ objectClass }) => objectClass === 'certificate');
    expect(stored).toMatchObject({ label: 'office certificate', id: 'c0ffee' });
    expect(stored?.sha256).toBe(ended.state.facts['objectSha256']);
    expect(endOf(await desk.carryThrough(storePlan(pem, 'c0ffee')))).toBe('completed');
    expect((await objects()).filter(({ objectClass }) => objectClass === 'certificate')).toHaveLength(1);
    const object = { objectClass: 'certificate', label: 'office certificate', id: 'c0ffee', sha256: '' } as const;
    const removed = await desk.carryThrough(
      { workflow: 'object-delete', ...common(), object, losses: [] },
      'office certificate',
    );
    expect(endOf(removed)).toBe('completed');
    expect((await objects()).some(({ objectClass }) => objectClass === 'certificate')).toBe(false);
  });

  it('refuses what is none, and one of another key under a key’s id', async () => {
    expect(endOf(await desk.carryThrough(storePlan(Buffer.from('no certificate at all'), '')))).toContain(
      'store: Token_CertificateInvalid',
    );
    const key = (await objects()).find(({ objectClass }) => objectClass === 'public-key');
    expect(endOf(await desk.carryThrough(storePlan(await makeCertificate(), key?.id ?? '')))).toContain(
      'store: Token_CertificateInvalid',
    );
    expect((await objects()).some(({ objectClass }) => objectClass === 'certificate')).toBe(false);
  });
});

describe('keys', () => {
  it('tries each, and exports what others read', async () => {
    await desk.logIn();
    const other = valueOf(await desk.harness.tokens.generateKeyPair(desk.token, 'other', 2048));
    const keys = (await objects())
      .filter(({ objectClass }) => objectClass === 'public-key')
      .map(({ label, id }) => ({ label, id }));
    expect(keys).toHaveLength(2);
    const ended = await desk.carryThrough({ workflow: 'key-test', ...common(), keys, attest: false });
    expect(endOf(ended)).toBe('completed');
    expect(ended.state.steps.slice(1).map(({ evidence }) => evidence['passed'])).toEqual([true, true]);
    const exported = valueOf(await desk.harness.tokens.exportPublicKey(desk.token, { label: 'other', id: other.id }));
    expect(exported.publicKeySha256).toBe(other.publicKeySha256);
    const der = Buffer.from(exported.publicKeySpki, 'base64');
    expect(createPublicKey({ key: der, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('rsa');
  });

  it('says which key is not there', async () => {
    const keys = [{ label: 'nobody', id: '' }];
    expect(endOf(await desk.carryThrough({ workflow: 'key-test', ...common(), keys, attest: false }))).toContain(
      'test-1-nobody: Token_KeyMissing',
    );
  });
});
