import { timingSafeEqual } from 'node:crypto';
import { createSealingKeyPair, openSecret, sealSecret } from '../sealing/sealed.ts';
import { failure, success } from '../workflows/failures.ts';
import type { AppFailureCode, Failure, Result } from '../workflows/failures.ts';
import type { PromptPort } from '../workflows/ports.ts';
import { printable } from './printable.ts';
import type { SecretLines } from './secret-lines.ts';
import type { Style } from './style.ts';
import type { Echo, Terminal } from './terminal.ts';

export interface TerminalPromptOptions {
  /** undefined where there is no terminal: then every secret comes from a descriptor. */
  readonly terminal: Terminal | undefined;
  readonly style: Style;
  readonly pinLines: SecretLines | undefined;
  readonly soPinLines: SecretLines | undefined;
  readonly shareLines: SecretLines | undefined;
  /** --consent-to-last-try: a script's consent to send a PIN when one try is left. */
  readonly consentToLastTry: boolean;
  /** Called before the terminal is written to and after: a spinner must not draw over a question. */
  readonly pause: () => void;
  readonly resume: () => void;
}

type Secret = Result<Uint8Array<ArrayBuffer>, AppFailureCode>;

const attempts = 3;

function cancelled(): { readonly ok: false; readonly error: Failure<'App_PromptCancelled'> } {
  return failure(
    'App_PromptCancelled',
    'The question was left without an answer.',
    'Nothing was sent. Continue the run when you are ready.',
  );
}

async function fromDescriptor(lines: SecretLines, what: string): Promise<Secret> {
  const line = await lines.next();
  const descriptor = String(lines.fileDescriptor);
  switch (line.kind) {
    case 'line':
      return line.bytes.length > 0
        ? success(line.bytes)
        : failure(
            'App_BadRequest',
            `The line for ${what} on file descriptor ${descriptor} is empty.`,
            'Write one secret a line, in the order of the questions.',
          );
    case 'ended':
      return failure(
        'App_BadRequest',
        `File descriptor ${descriptor} ended before ${what} was read from it.`,
        'Write one line for each question that the command asks; docs/operators.md lists them.',
      );
    case 'too-long':
      return failure(
        'App_BadRequest',
        `The line for ${what} on file descriptor ${descriptor} is too long to be one.`,
        'Write one secret a line.',
      );
    case 'unreadable':
      return failure(
        'App_BadRequest',
        `File descriptor ${descriptor} cannot be read (${line.code}).`,
        'Open it for the command, for example: custodian … --pin-fd 3 3< <(your-secret-tool).',
        { code: line.code },
      );
  }
}

/** Removes blanks from a share, in place; answers how many bytes are left. */
function squeeze(bytes: Uint8Array): number {
  let length = 0;
  for (const byte of bytes) {
    if (byte === 0x20 || byte === 0x09) continue;
    bytes[length] = byte;
    length += 1;
  }
  bytes.fill(0, length);
  return length;
}

function equalBytes(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && timingSafeEqual(first, second);
}

/** A long value in groups of four for the eye, in memory that the caller wipes. */
function grouped(value: Uint8Array): Uint8Array {
  const groups = Math.ceil(value.length / 4);
  const bytes = new Uint8Array(value.length + groups);
  let length = 0;
  for (const [index, byte] of value.entries()) {
    if (index > 0 && index % 4 === 0) {
      bytes[length] = index % 32 === 0 ? 0x0a : 0x20;
      length += 1;
    }
    bytes[length] = byte;
    length += 1;
  }
  const text = bytes.slice(0, length);
  bytes.fill(0);
  return text;
}

/** Alternate screen of xterm and all its kin: what is shown there is in no scroll-back. */
const enterAlternateScreen = '\u001b[?1049h\u001b[2J\u001b[H';
const leaveAlternateScreen = '\u001b[2J\u001b[H\u001b[?1049l';

/**
 * The prompt of a terminal: PINs and shares are typed on /dev/tty or read from a file descriptor, sealed
 * to the host that needs them and wiped. A share is shown on the terminal only, never on a pipe.
 */
export function createTerminalPrompt(options: TerminalPromptOptions): PromptPort {
  const { terminal, style } = options;

  const noTerminal = (
    what: string,
    instead: string,
  ): { readonly ok: false; readonly error: Failure<'App_BadRequest'> } =>
    failure('App_BadRequest', `There is no terminal on which to ${what}.`, instead);

  function head(rehearsal: boolean, act: string, subject: string, problem: string): void {
    if (terminal === undefined) return;
    terminal.write('\r\n');
    if (rehearsal) terminal.write(`${style.yellow('REHEARSAL')}: nothing here is real.\r\n`);
    terminal.write(`${style.bold(printable(act))}\r\n${printable(subject)}\r\n`);
    if (problem !== '') terminal.write(`${style.red(printable(problem))}\r\n`);
  }

  async function typed(question: string, echo: Echo): Promise<Secret> {
    if (terminal === undefined) return cancelled();
    for (;;) {
      terminal.write(`${question} `);
      const line = await terminal.readLine(echo);
      if (line.kind === 'cancelled') return cancelled();
      if (line.kind === 'line' && line.bytes.length > 0) return success(line.bytes);
      terminal.write(
        line.kind === 'line' ? 'Nothing was typed. Ctrl-C leaves.\r\n' : 'That is too long. Again, please.\r\n',
      );
    }
  }

  async function typedNewPin(name: string, minimum: number, maximum: number): Promise<Secret> {
    for (;;) {
      const first = await typed(`New ${name} (${String(minimum)} to ${String(maximum)} characters):`, 'none');
      if (!first.ok) return first;
      if (first.value.length < minimum || first.value.length > maximum) {
        first.value.fill(0);
        terminal?.write(
          style.red(`A ${name} of this token has ${String(minimum)} to ${String(maximum)} characters.`) + '\r\n',
        );
        continue;
      }
      const second = await typed(`The same ${name} again:`, 'none');
      if (!second.ok) {
        first.value.fill(0);
        return second;
      }
      const same = equalBytes(first.value, second.value);
      second.value.fill(0);
      if (same) return first;
      first.value.fill(0);
      terminal?.write(style.red('The two are not the same. Type it twice again.') + '\r\n');
    }
  }

  async function consent(name: string): Promise<boolean> {
    if (terminal === undefined) return false;
    terminal.write(
      `${style.red('One try is left.')} If this ${name} is wrong, the token locks.\r\nType ${style.bold('last try')} to go on: `,
    );
    const line = await terminal.readLine('characters');
    if (line.kind !== 'line') return false;
    return new TextDecoder().decode(line.bytes).trim().toLowerCase() === 'last try';
  }

  /** Runs one question with the spinner out of the way. */
  async function asking<Value>(question: () => Promise<Value>): Promise<Value> {
    options.pause();
    try {
      return await question();
    } finally {
      options.resume();
    }
  }

  const askPin: PromptPort['askPin'] = async (request) =>
    asking(async () => {
      const name = request.role === 'so' ? 'SO-PIN' : 'PIN';
      const lines = request.role === 'so' ? options.soPinLines : options.pinLines;
      const isFinalTry = request.pinState === 'final-try' && !request.isNew;
      let secret: Secret;
      let consentToLastTry = false;
      if (lines !== undefined) {
        // The next line is for another question: a script never spends a try on a guess.
        if (request.failedWith !== undefined) return { ok: false, error: request.failedWith };
        consentToLastTry = isFinalTry && options.consentToLastTry;
        secret = await fromDescriptor(lines, `the ${name}`);
      } else if (terminal === undefined) {
        return noTerminal(
          `ask for the ${name}`,
          `Run this in a terminal, or hand the ${name} over with ${request.role === 'so' ? '--so-pin-fd' : '--pin-fd'} N.`,
        );
      } else {
        head(
          request.rehearsal,
          request.act,
          `Token “${request.tokenLabel}”, serial ${request.tokenSerial || 'none yet'}`,
          request.problem,
        );
        if (isFinalTry) {
          consentToLastTry = options.consentToLastTry || (await consent(name));
          if (!consentToLastTry) return cancelled();
        } else if (request.pinState === 'count-low' && !request.isNew) {
          terminal.write(`${style.yellow('A wrong PIN was given before.')} The token counts the tries.\r\n`);
        }
        secret = request.isNew
          ? await typedNewPin(name, request.minimumLength, request.maximumLength)
          : await typed(`${name}:`, 'none');
      }
      if (!secret.ok) return secret;
      return success({ sealed: await sealSecret(request.recipient, secret.value, request.purpose), consentToLastTry });
    });

  const askShare: PromptPort['askShare'] = async (request) =>
    asking(async () => {
      let secret: Secret;
      if (options.shareLines !== undefined && request.problem !== '')
        return failure(
          'App_BadRequest',
          request.problem,
          'Continue the run with the right shares, in the order of the questions.',
        );
      if (options.shareLines !== undefined) secret = await fromDescriptor(options.shareLines, 'the key share');
      else if (terminal === undefined)
        return noTerminal(
          'ask for the key share',
          'Run this in a terminal, or hand the shares over with --share-fd N, one a line.',
        );
      else {
        head(request.rehearsal, request.act, `Vault “${request.vaultName}”`, request.problem);
        secret = await typed('Key share:', 'dots');
      }
      if (!secret.ok) return secret;
      const share = secret.value.slice(0, squeeze(secret.value));
      secret.value.fill(0);
      return success(await sealSecret(request.recipient, share, request.purpose));
    });

  /** Shows the value on the alternate screen until Enter. */
  async function show(tty: Terminal, value: Uint8Array, heading: string): Promise<boolean> {
    const text = grouped(value);
    tty.write(`${enterAlternateScreen}${heading}\r\n\r\n`);
    const screen = Buffer.alloc(text.length * 2);
    let length = 0;
    for (const byte of text) {
      if (byte === 0x0a) {
        screen[length] = 0x0d;
        length += 1;
      }
      screen[length] = byte;
      length += 1;
    }
    tty.write(screen.subarray(0, length));
    tty.write('\r\n\r\nWrite it down. Then press Enter: it is taken off the screen and asked for.\r\n');
    const line = await tty.readLine('none');
    tty.write(leaveAlternateScreen);
    text.fill(0);
    screen.fill(0);
    if (line.kind === 'line') line.bytes.fill(0);
    return line.kind !== 'cancelled';
  }

  const handOut: PromptPort['handOut'] = async (request) =>
    asking(async () => {
      const tty = terminal;
      if (tty === undefined) {
        return noTerminal(
          'show a key share to a custodian',
          'A share is never written to a pipe or file. Continue the run in a terminal.',
        );
      }
      head(request.rehearsal, `${request.custodian}: take ${request.label}`, `Vault “${request.vaultName}”`, '');
      tty.write(`Only ${printable(request.custodian)} may see the screen now. Press Enter when alone with it. `);
      const ready = await tty.readLine('none');
      if (ready.kind === 'cancelled') return cancelled();
      const pair = await createSealingKeyPair();
      const sealed = await request.sealTo(pair.publicKey);
      if (!sealed.ok) {
        return failure('App_HostUnavailable', sealed.error.message, sealed.error.next, { cause: sealed.error.code });
      }
      const value = await openSecret(pair, sealed.value, request.purpose);
      if (value === undefined) {
        return failure(
          'App_Internal',
          'The share that came back was not sealed to this terminal.',
          'Continue the run to ask for it again.',
        );
      }
      try {
        for (let attempt = 1; attempt <= attempts; attempt += 1) {
          const heading = `${printable(request.label)} of Vault “${printable(request.vaultName)}” for ${printable(request.custodian)}`;
          if (!(await show(tty, value, heading))) return cancelled();
          const answer = await typed('Type it back:', 'dots');
          if (!answer.ok) return answer;
          const length = squeeze(answer.value);
          const same = equalBytes(answer.value.subarray(0, length), value);
          answer.value.fill(0);
          if (same) {
            tty.write(`${style.green('The same.')} Keep it safe.\r\n`);
            return success({ confirmed: true } as const);
          }
          tty.write(
            style.red('That is not the share.') + (attempt < attempts ? ' It is shown once more.\r\n' : '\r\n'),
          );
        }
        return failure(
          'App_TypedShareDiffers',
          'The share typed back was not the one shown, three times.',
          'Continue the run to be shown it again; the share is not lost.',
        );
      } finally {
        value.fill(0);
      }
    });

  return { askPin, askShare, handOut };
}
