import { failure, success } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import type { Secret } from './descriptor-answers.ts';
import { printable } from './printable.ts';
import { equalBytes, grouped, squeeze } from './secret-text.ts';
import type { Style } from './style.ts';
import type { Echo, Terminal } from './terminal.ts';

const attempts = 3;

/** Alternate screen of xterm and all its kin: what is shown there is in no scroll-back. */
const enterAlternateScreen = '\u001b[?1049h\u001b[2J\u001b[H';
const leaveAlternateScreen = '\u001b[2J\u001b[H\u001b[?1049l';

export function cancelled(): { readonly ok: false; readonly error: Failure<'App_PromptCancelled'> } {
  return failure(
    'App_PromptCancelled',
    'The question was left without an answer.',
    'Nothing was sent. Continue the run when you are ready.',
  );
}

/** How questions are put on a terminal, whatever is asked. */
export interface Dialogue {
  readonly terminal: Terminal;
  /** What is asked, for what, in which state of things. */
  head(about: {
    readonly rehearsal: boolean;
    readonly act: string;
    readonly subject: string;
    readonly problem: string;
  }): void;
  say(text: string): void;
  complain(text: string): void;
  /** One line. @param mayBeEmpty the empty line is an answer too */
  typed(question: string, echo: Echo, mayBeEmpty?: boolean): Promise<Secret>;
  /** The same twice, until both agree and `complaintAbout` the first finds nothing to say. */
  typedTwice(
    question: string,
    again: string,
    complaintAbout: (secret: Uint8Array) => string,
    echo?: Echo,
  ): Promise<Secret>;
  /** Shows a value on the alternate screen and takes it typed back, three times at most. The caller wipes the value. */
  takeBack(value: {
    readonly bytes: Uint8Array;
    readonly heading: string;
    /** 'share', as the words for what was not the same name it. */
    readonly name: string;
    /** Small and capital letters are the same. */
    readonly hexadecimal: boolean;
    readonly next: string;
  }): Promise<Result<{ readonly confirmed: true }, 'App_PromptCancelled' | 'App_TypedShareDiffers'>>;
}

export function createDialogue(terminal: Terminal, style: Style): Dialogue {
  async function typed(question: string, echo: Echo, mayBeEmpty = false): Promise<Secret> {
    for (;;) {
      terminal.write(`${question} `);
      const line = await terminal.readLine(echo);
      if (line.kind === 'cancelled') return cancelled();
      if (line.kind === 'line' && (mayBeEmpty || line.bytes.length > 0)) return success(line.bytes);
      terminal.write(
        line.kind === 'line' ? 'Nothing was typed. Ctrl-C leaves.\r\n' : 'That is too long. Again, please.\r\n',
      );
    }
  }

  const complain = (text: string): void => {
    terminal.write(`${style.red(text)}\r\n`);
  };

  /** Shows the value on the alternate screen until Enter. */
  async function show(value: Uint8Array, heading: string): Promise<boolean> {
    const text = grouped(value);
    terminal.write(`${enterAlternateScreen}${heading}\r\n\r\n`);
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
    terminal.write(screen.subarray(0, length));
    terminal.write('\r\n\r\nWrite it down. Then press Enter: it is taken off the screen and asked for.\r\n');
    const line = await terminal.readLine('none');
    terminal.write(leaveAlternateScreen);
    text.fill(0);
    screen.fill(0);
    if (line.kind === 'line') line.bytes.fill(0);
    return line.kind !== 'cancelled';
  }

  return {
    terminal,
    typed,
    complain,
    say: (text) => {
      terminal.write(`${text}\r\n`);
    },
    head: ({ rehearsal, act, subject, problem }) => {
      terminal.write('\r\n');
      if (rehearsal) terminal.write(`${style.yellow('REHEARSAL')}: nothing here is real.\r\n`);
      terminal.write(`${style.bold(printable(act))}\r\n${printable(subject)}\r\n`);
      if (problem !== '') terminal.write(`${style.red(printable(problem))}\r\n`);
    },
    typedTwice: async (question, again, complaintAbout, echo = 'none') => {
      for (;;) {
        const first = await typed(question, echo);
        if (!first.ok) return first;
        const complaint = complaintAbout(first.value);
        if (complaint !== '') {
          first.value.fill(0);
          complain(complaint);
          continue;
        }
        const second = await typed(again, echo);
        if (!second.ok) {
          first.value.fill(0);
          return second;
        }
        const same = equalBytes(first.value, second.value);
        second.value.fill(0);
        if (same) return first;
        first.value.fill(0);
        complain('The two are not the same. Type it twice again.');
      }
    },
    takeBack: async ({ bytes, heading, name, hexadecimal, next }) => {
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        if (!(await show(bytes, heading))) return cancelled();
        const answer = await typed('Type it back:', 'dots');
        if (!answer.ok) return cancelled();
        const length = squeeze(answer.value);
        if (hexadecimal)
          for (const [index, byte] of answer.value.entries())
            if (byte >= 0x41 && byte <= 0x46) answer.value[index] = byte | 0x20;
        const same = equalBytes(answer.value.subarray(0, length), bytes);
        answer.value.fill(0);
        if (same) {
          terminal.write(`${style.green('The same.')} Keep it safe.\r\n`);
          return success({ confirmed: true } as const);
        }
        terminal.write(
          style.red(`That is not the ${name}.`) + (attempt < attempts ? ' It is shown once more.\r\n' : '\r\n'),
        );
      }
      return failure('App_TypedShareDiffers', `The ${name} typed back was not the one shown, three times.`, next);
    },
  };
}
