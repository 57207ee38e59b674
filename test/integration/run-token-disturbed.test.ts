import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { PromptPort } from '../../electron/workflows/ports.ts';
import { failedSteps, initPlanOf, openRunDesk, unsealPlanOf, type RunDesk } from '../fixtures/run-desk.ts';
import { testPin, testSoPin } from '../fixtures/run-harness.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';
import { startVaultServer } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const wrongTestPin = '000000';

/** The questions about PINs of the run at hand, and what is answered instead of the usual. */
const questions: { readonly pinState: string; readonly problem: string }[] = [];
const answers: { readonly pin: string; readonly consent: boolean }[] = [];

let desk: RunDesk;

beforeAll(async () => {
  desk = await openRunDesk((options) => ({
    ...options,
    prompt: {
      ...options.prompt,
      askPin: async (request): ReturnType<PromptPort['askPin']> => {
        questions.push({ pinState: request.pinState, problem: request.problem });
        const answer = answers.shift();
        if (answer === undefined) return options.prompt.askPin(request);
        const bytes = new TextEncoder().encode(answer.pin);
        return success({
          sealed: await sealSecret(request.recipient, bytes, request.purpose),
          consentToLastTry: answer.consent,
        });
      },
    },
  }));
});
afterAll(() => desk.close());

const escrowOf = (runId: string): string => join(desk.harness.dataDirectory, 'runs', runId, 'escrow.json');

describe('a token that goes away while its shares are being stored', () => {
  /** What the run says while the token is away, and then that it ends well with the token's shares. */
  async function comesBack(label: string, takeAway: () => Promise<unknown>, bringBack: () => Promise<unknown>) {
    const serial = await desk.setUpToken(label);
    const vault = await startVaultServer();
    try {
      desk.atStart('store-vault-unseal-1', takeAway);
      const stopped = await desk.carryThrough(initPlanOf(vault, serial));
      const { runId } = stopped.state;
      expect(stopped.state.status).toBe('open');
      await access(escrowOf(runId));
      const stillAway = await desk.goOn(runId);
      await bringBack();
      const ended = await desk.goOn(runId);
      expect(failedSteps(ended)).toEqual([]);
      expect(ended.state.status).toBe('completed');
      await expect(access(escrowOf(runId))).rejects.toThrow('ENOENT');
      await vault.restart();
      expect((await desk.carryThrough(unsealPlanOf(vault, serial))).state).toMatchObject({
        status: 'completed',
        facts: { sealedNodes: 0 },
      });
      return [...failedSteps(stopped), ...failedSteps(stillAway)];
    } finally {
      await vault.stop();
    }
  }

  test('unplugged: the run waits for it and ends well when it is back', async () => {
    expect(
      await comesBack(
        'unplugged',
        () => desk.pretend('unplugged', true),
        () => desk.pretend('unplugged', false),
      ),
    ).toEqual(['store-vault-unseal-1: Token_Gone', 'store-vault-unseal-1: Token_NotFound']);
  });

  test('the files of a SoftHSM token moved elsewhere: the same, though SoftHSM crashes over it', async () => {
    const tokens = join(desk.softHsm.directory, 'tokens');
    const away = join(desk.softHsm.directory, 'away');
    expect(
      await comesBack(
        'moved',
        async () => {
          await rename(tokens, away);
          await mkdir(tokens);
        },
        async () => {
          await rm(tokens, { recursive: true });
          await rename(away, tokens);
        },
      ),
    ).toEqual([
      // SoftHSM has no word for it: it crashes, or answers an error that means anything.
      expect.stringMatching(/^store-vault-unseal-1: Token_(?:Gone|NotFound|ModuleCrashed|GeneralError)$/u),
      'store-vault-unseal-1: Token_NotFound',
    ]);
  });
});

describe('a module that stumbles while shares are being stored', () => {
  test('is started again each time; what it wrote is found, and nothing is written twice', async () => {
    const serial = await desk.setUpToken('stumbles');
    const vault = await startVaultServer();
    try {
      desk.atStart('store-vault-unseal-0', () => desk.trip('before'));
      const before = await desk.carryThrough(initPlanOf(vault, serial));
      const { runId } = before.state;
      expect(failedSteps(before)).toEqual(['store-vault-unseal-0: Token_ModuleCrashed']);
      desk.atStart('store-vault-unseal-1', () => desk.trip('after'));
      expect(failedSteps(await desk.goOn(runId))).toEqual(['store-vault-unseal-1: Token_ModuleCrashed']);
      desk.atStart('store-vault-unseal-2', () => desk.trip('hang'));
      expect(failedSteps(await desk.goOn(runId))).toEqual(['store-vault-unseal-2: Token_ModuleHung']);
      const ended = await desk.goOn(runId);
      expect(failedSteps(ended)).toEqual([]);
      expect(ended.state.status).toBe('completed');
      const listed = await desk.harness.tokens.listObjects({ storeId: 'test', serial });
      expect(listed.ok && listed.value.dataObjects.map(({ label }) => label).sort()).toEqual([
        'vault-root',
        'vault-unseal-0',
        'vault-unseal-1',
        'vault-unseal-2',
      ]);
      await vault.restart();
      expect((await desk.carryThrough(unsealPlanOf(vault, serial))).state.facts['sealedNodes']).toBe(0);
    } finally {
      await vault.stop();
    }
  });
});

describe('a wrong PIN in a run', () => {
  test('is asked for again with what was wrong and how the tries stand', async () => {
    const serial = await desk.setUpToken('wrong');
    const vault = await startVaultServer({ storage: 'inmem' });
    try {
      await desk.harness.tokens.closeAll();
      questions.length = 0;
      answers.push({ pin: wrongTestPin, consent: false }, { pin: '1', consent: false });
      const ended = await desk.carryThrough(initPlanOf(vault, serial));
      expect(ended.state.status).toBe('completed');
      expect(questions).toEqual([
        { pinState: 'ok', problem: '' },
        { pinState: 'count-low', problem: expect.stringMatching(/PIN/u) },
        { pinState: 'count-low', problem: expect.stringMatching(/length|characters|bytes|short/u) },
      ]);
    } finally {
      await vault.stop();
    }
  });

  test('takes the last try only with consent', async () => {
    const serial = await desk.setUpToken('last');
    const vault = await startVaultServer({ storage: 'inmem' });
    try {
      await desk.harness.tokens.closeAll();
      await desk.pretend('final-try', true);
      questions.length = 0;
      answers.push({ pin: testPin, consent: false }, { pin: testPin, consent: true });
      const ended = await desk.carryThrough(initPlanOf(vault, serial));
      expect(failedSteps(ended)).toEqual([]);
      expect(ended.state.status).toBe('completed');
      expect(questions).toEqual([
        { pinState: 'final-try', problem: '' },
        { pinState: 'final-try', problem: expect.stringMatching(/last|one try/iu) },
      ]);
    } finally {
      await desk.pretend('final-try', false);
      await vault.stop();
    }
  });
});

describe('a token that is to be erased', () => {
  test('keeps everything at a wrong SO-PIN or name; erased at last, it asks for a longer PIN again', async () => {
    const serial = await desk.setUpToken('erased');
    const token = { storeId: 'test', serial };
    const keysOf = async (): Promise<readonly string[]> =>
      valueOf(await desk.harness.tokens.listObjects(token)).keyPairs.map(({ publicKeySha256 }) => publicKeySha256);
    const before = await keysOf();
    expect(before).toHaveLength(1);
    const [listed] = await desk.harness.tokens.listTokens();
    const slot = listed?.result.ok === true ? listed.result.value.find((each) => each.serial === serial) : undefined;
    const { runId } = valueOf(
      await desk.harness.runner.start(
        tokenSetupPlan({ slotId: slot?.slotId ?? -1, expectedSerial: serial, currentLabel: 'erased', label: 'anew' }),
        'Ada',
      ),
    );
    const proceed = (typedName: string) =>
      desk.harness.runner.proceed(runId, { by: 'Ada', typedName, throughDeliberateSteps: true });
    expect(codeOf(await proceed('erase'))).toBe('Custody_ConfirmationMismatch');
    questions.length = 0;
    answers.push({ pin: wrongTestPin, consent: false }, { pin: testPin, consent: false });
    desk.harness.prompt.cancels = 1;
    expect(failedSteps(valueOf(await proceed('erased')))).toEqual(['initialize: App_PromptCancelled']);
    expect(questions.map(({ problem }) => problem)).toEqual(['', '', expect.stringMatching(/SO-PIN/u)]);
    expect(await keysOf()).toEqual(before);
    answers.push({ pin: testSoPin, consent: false }, { pin: '1', consent: false });
    const ended = valueOf(await proceed('erased'));
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(await desk.harness.tokens.listObjects(token)).not.toMatchObject({
      value: { keyPairs: [{ publicKeySha256: before[0] }] },
    });
  });
});
