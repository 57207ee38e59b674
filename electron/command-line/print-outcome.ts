import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CommandOutcome } from './outcome.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import type { Failure } from '../workflows/failures.ts';

/** A failure for a person: its code, what happened, what to do next, and the facts. */
export function failureText(error: Failure, style: Style): string {
  const details = Object.entries(error.details ?? {});
  return [
    `${style.red(style.bold(error.code))}  ${printable(error.message)}`,
    `${style.bold('What now:')} ${printable(error.next)}`,
    ...details.map(([name, value]) => style.dim(`  ${printable(name)}: ${printable(String(value))}`)),
  ].join('\n');
}

export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Says a command's outcome: one JSON document on stdout, or text there and failures on stderr. */
export function printOutcome(
  outcome: CommandOutcome,
  options: { readonly json: boolean; readonly errorStyle: Style; readonly streams: Streams },
): ExitCode {
  const { stdout, stderr } = options.streams;
  if (outcome.kind === 'done') {
    if (options.json) stdout(`${JSON.stringify({ ok: true, value: outcome.value }, null, 2)}\n`);
    else if (outcome.text !== '') stdout(`${outcome.text}\n`);
    return exitCodes.ok;
  }
  if (options.json) {
    const { error, value, resume } = outcome;
    stdout(
      `${JSON.stringify({ ok: false, error, ...(value === undefined ? {} : { value }), ...(resume === undefined ? {} : { resume }) }, null, 2)}\n`,
    );
  } else {
    if (outcome.text !== undefined && outcome.text !== '') stdout(`${outcome.text}\n`);
    stderr(`\n${failureText(outcome.error, options.errorStyle)}\n`);
    if (outcome.resume !== undefined) {
      stderr(`Nothing is lost. To go on where this run stopped:\n  ${options.errorStyle.bold(outcome.resume)}\n`);
    }
  }
  return outcome.exitCode;
}
