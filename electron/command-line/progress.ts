import type { Style } from './style.ts';

/** What goes on, line by line on stderr; on a terminal the line at work moves. */
export interface Progress {
  heading(text: string): void;
  /** A line that stands by itself. */
  note(text: string): void;
  warn(text: string): void;
  /** Begins a piece of work; another begun before is left as it is. */
  begin(text: string): void;
  /** Changes the words of the work going on: 'Building Vault … 40 %'. */
  change(text: string): void;
  done(text: string, remark: string): void;
  failed(text: string, remark: string): void;
  /** Takes the moving line away, so that a question can be asked. */
  pause(): void;
  resume(): void;
  /** Takes the moving line away for good: nothing is written after it. */
  end(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const frameMilliseconds = 100;
const clearLine = '\r\u001b[2K';

export interface ProgressOptions {
  readonly write: (text: string) => void;
  readonly style: Style;
  /** A terminal: lines may be redrawn. Otherwise every line is written once. */
  readonly moving: boolean;
  /** Columns of the terminal now; a longer moving line would wrap and could not be redrawn. */
  readonly columns: () => number;
}

export function createProgress(options: ProgressOptions): Progress {
  const { style, moving } = options;
  let current = '';
  let announced = '';
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const write = (text: string): void => {
    if (!ended) options.write(text);
  };

  function draw(): void {
    const mark = frames[frame % frames.length] ?? '';
    frame += 1;
    write(
      `${clearLine}${style.cyan(mark)} ${Array.from(current)
        .slice(0, Math.max(options.columns() - 3, 10))
        .join('')}`,
    );
  }

  function stopMoving(): void {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    write(clearLine);
  }

  function startMoving(): void {
    if (ended || current === '' || timer !== undefined) return;
    draw();
    timer = setInterval(draw, frameMilliseconds);
    timer.unref();
  }

  function line(text: string): void {
    const wasMoving = timer !== undefined;
    stopMoving();
    write(`${text}\n`);
    if (wasMoving) startMoving();
  }

  function finish(text: string): void {
    stopMoving();
    current = '';
    announced = '';
    write(`${text}\n`);
  }

  const withRemark = (text: string, remark: string): string => (remark === '' ? text : `${text}  ${style.dim(remark)}`);

  return {
    heading: (text) => {
      line(`\n${style.bold(text)}`);
    },
    note: (text) => {
      line(text);
    },
    warn: (text) => {
      line(`${style.yellow('!')} ${text}`);
    },
    begin: (text) => {
      current = text;
      if (moving) startMoving();
    },
    change: (text) => {
      current = text;
      if (moving) startMoving();
      else if (text !== announced) {
        announced = text;
        write(`  ${text}\n`);
      }
    },
    done: (text, remark) => {
      finish(`${style.green('✓')} ${withRemark(text, remark)}`);
    },
    failed: (text, remark) => {
      finish(`${style.red('✗')} ${withRemark(text, remark)}`);
    },
    pause: stopMoving,
    resume: () => {
      if (moving) startMoving();
    },
    end: () => {
      stopMoving();
      ended = true;
    },
  };
}
