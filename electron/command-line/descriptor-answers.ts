import { failure, success } from '../workflows/failures.ts';
import type { AppFailureCode, Result } from '../workflows/failures.ts';
import type { SecretLines } from './secret-lines.ts';

/** A secret that was typed or read, in bytes that its user wipes. */
export type Secret = Result<Uint8Array<ArrayBuffer>, AppFailureCode>;

/**
 * The next line of a descriptor as the answer to one question.
 * @param what is asked for, in words: 'the PIN'
 */
export async function fromDescriptor(lines: SecretLines, what: string): Promise<Secret> {
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
