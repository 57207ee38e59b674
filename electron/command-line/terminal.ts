import { openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import { createLineEditor } from './line-editor.ts';
import { secretCapacity } from './secret-lines.ts';

export type TypedLine =
  | { readonly kind: 'line'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'too-long' };

/** How typed characters are answered on the screen. */
export type Echo =
  /** Nothing at all: PINs. */
  | 'none'
  /** One dot a byte, in groups of four: a long value whose length is no secret. */
  | 'dots'
  /** The characters: names. Never for a secret. */
  | 'characters';

/** The person's terminal, whatever stdin and stdout are connected to. */
export interface Terminal {
  write(text: string | Uint8Array): void;
  /** One line, typed in raw mode. The caller wipes it. */
  readLine(echo: Echo): Promise<TypedLine>;
  /** Cancels a line being read. */
  cancel(): void;
  /** Puts the terminal back as it was and lets go of it. */
  close(): void;
}

/** What a terminal stands on: /dev/tty, or a pair of streams in a test. */
export interface TerminalStreams {
  readonly input: {
    on(event: 'data', listener: (chunk: Buffer) => void): unknown;
    on(event: 'end', listener: () => void): unknown;
    resume(): unknown;
    pause(): unknown;
  };
  readonly write: (text: string | Uint8Array) => void;
  readonly setRaw: (raw: boolean) => void;
  readonly release: () => void;
}

/** A character's first byte, not one of those that continue it (RFC 3629). */
const startsCharacter = (byte: number): boolean => (byte & 0xc0) !== 0x80;

/** Keeps what stands on the screen in step with the line. */
function createEcho(
  kind: Echo,
  write: (text: string | Uint8Array) => void,
): (before: number, after: number, byte: number) => void {
  let columns = 0;
  const eraseColumns = (count: number): void => {
    columns -= count;
    write('\b \b'.repeat(count));
  };
  if (kind === 'none') return () => undefined;
  if (kind === 'characters')
    return (before, after, byte) => {
      if (after > before) {
        if (startsCharacter(byte)) columns += 1;
        write(Uint8Array.of(byte));
      } else if (after < before) eraseColumns(after === 0 ? columns : 1);
    };
  return (before, after) => {
    if (after > before) {
      const text = before > 0 && before % 4 === 0 ? ' •' : '•';
      columns += text.length;
      write(text);
    }
    for (let index = before - 1; index >= after; index -= 1) eraseColumns(index > 0 && index % 4 === 0 ? 2 : 1);
  };
}

/** A terminal over streams; see `openTerminal`. */
export function createTerminal(streams: TerminalStreams): Terminal {
  const editor = createLineEditor(secretCapacity);
  // What follows a line in the same paste is dropped: it may be half a secret, and the next question is another one.
  let reading: { readonly echo: ReturnType<typeof createEcho>; readonly settle: (line: TypedLine) => void } | undefined;
  let ended = false;

  function finish(line: TypedLine): void {
    const current = reading;
    reading = undefined;
    editor.wipe();
    streams.input.pause();
    streams.setRaw(false);
    streams.write('\r\n');
    current?.settle(line);
  }

  function feed(chunk: Buffer): void {
    for (const byte of chunk) {
      if (reading === undefined) break;
      const before = editor.length;
      const state = editor.feed(byte);
      if (state === 'open') reading.echo(before, editor.length, byte);
      else if (state === 'cancelled') finish({ kind: 'cancelled' });
      else finish(editor.overflowed ? { kind: 'too-long' } : { kind: 'line', bytes: editor.take() });
    }
    chunk.fill(0);
  }

  streams.input.on('data', feed);
  streams.input.on('end', () => {
    ended = true;
    if (reading !== undefined) finish({ kind: 'cancelled' });
  });

  return {
    write: streams.write,
    readLine: (echo) =>
      new Promise((resolve) => {
        if (ended || reading !== undefined) {
          resolve({ kind: 'cancelled' });
          return;
        }
        reading = { echo: createEcho(echo, streams.write), settle: resolve };
        streams.setRaw(true);
        streams.input.resume();
      }),
    cancel: () => {
      if (reading !== undefined) finish({ kind: 'cancelled' });
    },
    close: () => {
      if (reading !== undefined) finish({ kind: 'cancelled' });
      streams.release();
    },
  };
}

/**
 * Opens the controlling terminal (/dev/tty), so that a secret is typed and shown there even when stdin or
 * stdout is a pipe or a file. Answers undefined where there is none: under cron, in a service, over a
 * pipe without a terminal.
 */
export function openTerminal(): Terminal | undefined {
  let inputDescriptor: number;
  let outputDescriptor: number;
  try {
    inputDescriptor = openSync('/dev/tty', 'r');
    outputDescriptor = openSync('/dev/tty', 'w');
  } catch (cause) {
    // ENXIO or ENOENT: no controlling terminal. EACCES: someone else's. Either way there is nobody to ask.
    if (cause instanceof Error) return undefined;
    throw cause;
  }
  const input = new ReadStream(inputDescriptor);
  const output = new WriteStream(outputDescriptor);
  input.pause();
  return createTerminal({
    input,
    write: (text) => {
      output.write(text);
    },
    setRaw: (raw) => {
      input.setRawMode(raw);
    },
    release: () => {
      input.destroy();
      output.destroy();
    },
  });
}
