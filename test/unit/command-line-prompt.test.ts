import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createStyle } from '../../electron/command-line/style.ts';
import { createTerminalPrompt } from '../../electron/command-line/terminal-prompt.ts';
import { createTerminal } from '../../electron/command-line/terminal.ts';
import type { Terminal } from '../../electron/command-line/terminal.ts';
import { createSealingKeyPair, openSecret, sealSecret } from '../../electron/sealing/sealed.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { PromptPort } from '../../electron/workflows/ports.ts';

const testPin = 'test-pin-4711';
const testShare = '0123456789abcdef'.repeat(4) + '01';

/** A terminal at which a person answers each question when it comes. */
function personTyping(answers: readonly string[]): { terminal: Terminal; screen: () => string; raw: () => boolean } {
  const events = new EventEmitter();
  const written: Uint8Array[] = [];
  let raw = false;
  const queue = [...answers];
  const terminal = createTerminal({
    input: {
      on: (event: string, listener: (chunk: Buffer) => void) => events.on(event, listener),
      resume: () => {
        const answer = queue.shift();
        setImmediate(() => {
          if (answer === undefined) events.emit('end');
          else events.emit('data', Buffer.from(answer));
        });
      },
      pause: () => undefined,
    },
    write: (text) => {
      written.push(Buffer.from(text));
    },
    setRaw: (value) => {
      raw = value;
    },
    release: () => undefined,
  });
  return { terminal, screen: () => Buffer.concat(written).toString(), raw: () => raw };
}

function prompt(terminal: Terminal | undefined, consentToLastTry = false): PromptPort {
  return createTerminalPrompt({
    terminal,
    style: createStyle(false),
    pinLines: undefined,
    soPinLines: undefined,
    shareLines: undefined,
    consentToLastTry,
    pause: () => undefined,
    resume: () => undefined,
  });
}

const pinRequest = {
  runId: 'run-1',
  rehearsal: true,
  act: 'Log in to store the key shares',
  tokenLabel: 'first',
  tokenSerial: 'abc',
  role: 'user',
  isNew: false,
  minimumLength: 4,
  maximumLength: 255,
  pinState: 'ok',
  problem: '',
  purpose: 'pin of abc',
} as const;

describe('a PIN typed in the terminal', () => {
  it('is sealed to the host and never echoed', async () => {
    const host = await createSealingKeyPair();
    const person = personTyping([`${testPin}\r`]);
    const answer = await prompt(person.terminal).askPin({ ...pinRequest, recipient: host.publicKey });
    if (!answer.ok) throw new Error(answer.error.code);
    const opened = await openSecret(host, answer.value.sealed, 'pin of abc');
    expect(new TextDecoder().decode(opened)).toBe(testPin);
    expect(person.screen()).not.toContain(testPin);
    expect(person.screen()).toContain('REHEARSAL');
    expect(person.screen()).toContain('“first”, serial abc');
    expect(person.raw()).toBe(false);
  });

  it('is typed twice when new, until both are the same and long enough', async () => {
    const host = await createSealingKeyPair();
    const person = personTyping(['abc\r', `${testPin}\r`, 'other\r', `${testPin}\r`, `${testPin}\r`]);
    const answer = await prompt(person.terminal).askPin({ ...pinRequest, isNew: true, recipient: host.publicKey });
    expect(answer.ok).toBe(true);
    expect(person.screen()).toContain('4 to 255 characters');
    expect(person.screen()).toContain('not the same');
    expect(person.screen()).not.toContain(testPin);
  });

  it('is not sent on the last try without consent', async () => {
    const host = await createSealingKeyPair();
    const request = { ...pinRequest, pinState: 'final-try', recipient: host.publicKey } as const;
    const refusing = personTyping(['no\r']);
    expect(await prompt(refusing.terminal).askPin(request)).toMatchObject({
      ok: false,
      error: { code: 'App_PromptCancelled' },
    });
    const consenting = personTyping(['last try\r', `${testPin}\r`]);
    expect(await prompt(consenting.terminal).askPin(request)).toMatchObject({
      ok: true,
      value: { consentToLastTry: true },
    });
  });

  it('is cancelled by Ctrl-C, by the end of the terminal, and refused without one', async () => {
    const host = await createSealingKeyPair();
    const request = { ...pinRequest, recipient: host.publicKey };
    expect(await prompt(personTyping(['12\u0003']).terminal).askPin(request)).toMatchObject({
      ok: false,
      error: { code: 'App_PromptCancelled' },
    });
    expect(await prompt(personTyping([]).terminal).askPin(request)).toMatchObject({
      ok: false,
      error: { code: 'App_PromptCancelled' },
    });
    const without = await prompt(undefined).askPin(request);
    expect(without).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
    expect(without.ok ? '' : without.error.next).toContain('--pin-fd');
  });
});

describe('a share', () => {
  it('typed in groups reaches the host without the blanks', async () => {
    const host = await createSealingKeyPair();
    const person = personTyping([`${testShare.slice(0, 4)} ${testShare.slice(4)} \r`]);
    const answer = await prompt(person.terminal).askShare({
      runId: 'run-1',
      rehearsal: false,
      act: 'Unseal',
      vaultName: 'first',
      problem: '',
      recipient: host.publicKey,
      purpose: 'key share',
    });
    if (!answer.ok) throw new Error(answer.error.code);
    expect(new TextDecoder().decode(await openSecret(host, answer.value, 'key share'))).toBe(testShare);
    expect(person.screen()).not.toContain(testShare.slice(0, 8));
  });

  const handOut = (terminal: Terminal | undefined): ReturnType<PromptPort['handOut']> =>
    prompt(terminal).handOut({
      runId: 'run-1',
      rehearsal: false,
      custodian: 'Ada',
      label: 'vault-unseal-0',
      vaultName: 'first',
      purpose: 'key share for display',
      sealTo: async (publicKey) =>
        success(await sealSecret(publicKey, new TextEncoder().encode(testShare), 'key share for display')),
    });

  it('is shown on the alternate screen, taken off it and asked back', async () => {
    const person = personTyping(['\r', '\r', `${testShare}\r`]);
    expect(await handOut(person.terminal)).toEqual({ ok: true, value: { confirmed: true } });
    const screen = person.screen();
    const shown = screen.slice(screen.indexOf('\u001b[?1049h'), screen.indexOf('\u001b[?1049l'));
    expect(shown.replaceAll(/[ \r\n]/gu, '')).toContain(testShare);
    expect(screen.replace(shown, '').replaceAll(/[ \r\n]/gu, '')).not.toContain(testShare.slice(0, 8));
  });
  it('typed back wrongly is shown again, three times at most', async () => {
    const person = personTyping(['\r', '\r', 'wrong\r', '\r', `${testShare}\r`]);
    expect(await handOut(person.terminal)).toMatchObject({ ok: true });
    const stubborn = personTyping(['\r', '\r', 'a\r', '\r', 'b\r', '\r', 'c\r']);
    expect(await handOut(stubborn.terminal)).toMatchObject({ ok: false, error: { code: 'App_TypedShareDiffers' } });
  });
  it('is never shown without a terminal', async () => {
    expect(await handOut(undefined)).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
  });
});

describe('what stands on the screen while typing', () => {
  it('follows the line: dots in groups, and characters only for names', async () => {
    const person = personTyping(['12345\u007f\u007f\u007f6\r', 'né\u007fame\r']);
    const dots = await person.terminal.readLine('dots');
    expect(dots.kind === 'line' ? new TextDecoder().decode(dots.bytes) : '').toBe('126');
    expect(person.screen()).toBe('•••• •\b \b\b \b\b \b\b \b•\r\n');
    await person.terminal.readLine('characters');
    expect(person.screen()).toContain('né\b \bame');
  });
});
