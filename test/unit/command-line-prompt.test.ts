import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createStyle } from '../../electron/command-line/style.ts';
import type { SecretLines } from '../../electron/command-line/secret-lines.ts';
import { createTerminalPrompt } from '../../electron/command-line/terminal-prompt.ts';
import { createTerminal } from '../../electron/command-line/terminal.ts';
import type { Terminal } from '../../electron/command-line/terminal.ts';
import { createSealingKeyPair, openSecret, sealSecret } from '../../electron/sealing/sealed.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { PromptPort } from '../../electron/workflows/ports.ts';

const testPin = 'test-pin-4711';
const testShare = '0123456789abcdef'.repeat(4) + '01';

/** A terminal at which a person answers each question when it comes. */
function personTyping(answers: readonly (string | ((screen: string) => string))[]): {
  terminal: Terminal;
  screen: () => string;
  raw: () => boolean;
} {
  const events = new EventEmitter();
  const written: Uint8Array[] = [];
  let raw = false;
  const queue = [...answers];
  const screen = (): string => Buffer.concat(written).toString();
  const terminal = createTerminal({
    input: {
      on: (event: string, listener: (chunk: Buffer) => void) => events.on(event, listener),
      resume: () => {
        const answer = queue.shift();
        setImmediate(() => {
          if (answer === undefined) events.emit('end');
          else events.emit('data', Buffer.from(typeof answer === 'string' ? answer : answer(screen())));
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
  return { terminal, screen, raw: () => raw };
}

function prompt(terminal: Terminal | undefined, consentToLastTry = false): PromptPort {
  return createTerminalPrompt({
    terminal,
    style: createStyle(false),
    pinLines: undefined,
    soPinLines: undefined,
    shareLines: undefined,
    dkekLines: undefined,
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

/** A descriptor with these lines on it. */
function linesOf(...lines: readonly string[]): SecretLines {
  const queue = [...lines];
  return {
    fileDescriptor: 3,
    next: () => {
      const line = queue.shift();
      return Promise.resolve(
        line === undefined ? { kind: 'ended' } : { kind: 'line', bytes: new Uint8Array(Buffer.from(line)) },
      );
    },
  };
}

/** A prompt that reads SO-PINs and DKEK passwords from descriptors, as a script's. */
function scripted(lines: { readonly soPin?: SecretLines; readonly dkek?: SecretLines }): PromptPort {
  return createTerminalPrompt({
    terminal: undefined,
    style: createStyle(false),
    pinLines: undefined,
    soPinLines: lines.soPin,
    shareLines: undefined,
    dkekLines: lines.dkek,
    consentToLastTry: false,
    pause: () => undefined,
    resume: () => undefined,
  });
}

describe('an SO-PIN of 16 hexadecimal digits', () => {
  const testSoPin = '0f1e2d3c4b5a6978';
  const factorySoPin = '3537363231383830';
  const soPinRequest = { ...pinRequest, role: 'so', form: 'hex16', minimumLength: 16, maximumLength: 16 } as const;

  async function opened(
    port: PromptPort,
    isNew: boolean,
  ): Promise<{ readonly code: string; readonly digits: string | undefined }> {
    const host = await createSealingKeyPair();
    const answer = await port.askPin({ ...soPinRequest, isNew, recipient: host.publicKey });
    if (!answer.ok) return { code: answer.error.code, digits: undefined };
    return {
      code: 'ok',
      digits: new TextDecoder().decode(await openSecret(host, answer.value.sealed, soPinRequest.purpose)),
    };
  }

  it('is taken with blanks and capitals, and nothing else is', async () => {
    const person = personTyping(['0123\r', 'not hexadecimal!\r', '0F1E 2D3C 4B5A 6978\r']);
    expect(await opened(prompt(person.terminal), false)).toEqual({ code: 'ok', digits: testSoPin });
    expect(person.screen()).toContain('16 hexadecimal digits');
    expect(person.screen()).not.toContain('2D3C');
  });

  it('when new is typed twice, and the one of the factory is refused', async () => {
    const person = personTyping([
      `${factorySoPin}\r`,
      `${testSoPin}\r`,
      '0f1e2d3c4b5a6979\r',
      `${testSoPin}\r`,
      `${testSoPin}\r`,
    ]);
    expect(await opened(prompt(person.terminal), true)).toEqual({ code: 'ok', digits: testSoPin });
    expect(person.screen()).toContain('leaves the factory');
    expect(person.screen()).toContain('not the same');
    expect(person.screen()).not.toContain('0f1e');
  });

  it('is made at random, shown once for the paper form and typed back', async () => {
    const shown = (screen: string): string => /(?:[0-9a-f]{4} ){3}[0-9a-f]{4}/u.exec(screen)?.[0] ?? '';
    const person = personTyping(['\r', '\r', (screen) => `${shown(screen).toUpperCase()}\r`]);
    const answer = await opened(prompt(person.terminal), true);
    expect(answer).toEqual({ code: 'ok', digits: shown(person.screen()).replaceAll(' ', '') });
    const screen = person.screen();
    const alternate = screen.slice(screen.indexOf('\u001b[?1049h'), screen.indexOf('\u001b[?1049l'));
    expect(alternate).toContain('paper form');
    expect(screen.replace(alternate, '')).not.toContain(shown(screen));
    const other = personTyping(['\r', '\r', (text) => `${shown(text)}\r`]);
    await opened(prompt(other.terminal), true);
    expect(shown(other.screen())).not.toBe(shown(screen));
  });

  it('made at random and not typed back is not sent', async () => {
    const stubborn = personTyping(['\r', '\r', 'a\r', '\r', 'b\r', '\r', 'c\r']);
    expect(await opened(prompt(stubborn.terminal), true)).toMatchObject({ code: 'App_TypedShareDiffers' });
    const leaving = personTyping(['\r', '\u0003']);
    expect(await opened(prompt(leaving.terminal), true)).toMatchObject({ code: 'App_PromptCancelled' });
  });

  it('from a script is checked before it is sent', async () => {
    expect(await opened(scripted({ soPin: linesOf(testSoPin) }), true)).toEqual({ code: 'ok', digits: testSoPin });
    expect(await opened(scripted({ soPin: linesOf('1234') }), false)).toMatchObject({
      code: 'Device_SoPinFormInvalid',
    });
    expect(await opened(scripted({ soPin: linesOf(factorySoPin) }), true)).toMatchObject({
      code: 'Device_SoPinIsFactory',
    });
    // Whoever takes over a new device may well have that one.
    expect(await opened(scripted({ soPin: linesOf(factorySoPin) }), false)).toMatchObject({ code: 'ok' });
  });
});

describe('the password of a DKEK share', () => {
  const testPassword = 'test-password-4711';
  const testPiece = '01c30afe1d2b3c4d5f0102030405060708';
  const passwordRequest = {
    runId: 'run-1',
    rehearsal: false,
    act: 'Make DKEK share 1',
    tokenLabel: 'first',
    tokenSerial: 'ZZTEST00001',
    what: 'Password for DKEK share 1',
    custodian: 'Ada',
    isNew: false,
    form: 'password',
    minimumLength: 8,
    problem: '',
    purpose: 'dkek share password',
  } as const;

  async function opened(port: PromptPort, change: Partial<Parameters<PromptPort['askPassword']>[0]>): Promise<string> {
    const host = await createSealingKeyPair();
    const answer = await port.askPassword({ ...passwordRequest, ...change, recipient: host.publicKey });
    if (!answer.ok) return answer.error.code;
    return new TextDecoder().decode(await openSecret(host, answer.value, passwordRequest.purpose));
  }

  it('is typed by its custodian, unseen, and twice when new', async () => {
    const person = personTyping([
      'short\r',
      `${testPassword}\r`,
      'other-password\r',
      `${testPassword}\r`,
      `${testPassword}\r`,
    ]);
    expect(await opened(prompt(person.terminal), { isNew: true })).toBe(testPassword);
    expect(person.screen()).toContain('Password for DKEK share 1');
    expect(person.screen()).toContain('Ada types');
    expect(person.screen()).toContain('at least 8 characters');
    expect(person.screen()).toContain('not the same');
    expect(person.screen()).not.toContain(testPassword);
    expect(await opened(prompt(personTyping([`${testPassword}\r`]).terminal), {})).toBe(testPassword);
  });

  it('keeps the blanks that belong to it, and says what was wrong the last time', async () => {
    const person = personTyping([' with blanks \r']);
    expect(await opened(prompt(person.terminal), { problem: 'That is not the password.' })).toBe(' with blanks ');
    expect(person.screen()).toContain('That is not the password.');
  });

  it('comes in pieces of hexadecimal digits, as they were handed out or as sc-hsm-tool printed them', async () => {
    const piece = { form: 'piece', what: 'Piece 1 of DKEK share 1' } as const;
    const person = personTyping(['not a piece\r', `${testPiece}\r`]);
    expect(await opened(prompt(person.terminal), piece)).toBe(testPiece);
    expect(person.screen()).toContain('hexadecimal digits');
    expect(person.screen()).not.toContain(testPiece);
    const printed = '1 c3:0a:fe:1d:2b:3c:4d:5f 01:02:03:04:05:06:07:08';
    expect(await opened(prompt(personTyping([`${printed}\r`]).terminal), piece)).toBe(printed);
  });

  it('from a script is one line a question, and a wrong one is not followed by another', async () => {
    const port = scripted({ dkek: linesOf(testPassword, testPiece, 'short') });
    expect(await opened(port, { isNew: true })).toBe(testPassword);
    expect(await opened(port, { form: 'piece' })).toBe(testPiece);
    const failedWith = failure('Device_SharePasswordWrong', 'That is not the password.', 'Try again.').error;
    expect(await opened(port, { problem: failedWith.message, failedWith })).toBe('Device_SharePasswordWrong');
    expect(await opened(port, { isNew: true })).toBe('App_BadRequest');
  });

  it('is refused without a terminal, and left by Ctrl-C', async () => {
    expect(await opened(prompt(undefined), {})).toBe('App_BadRequest');
    expect(await opened(prompt(personTyping(['12\u0003']).terminal), { isNew: true })).toBe('App_PromptCancelled');
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
