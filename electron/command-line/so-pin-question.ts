import { failure, success } from '../workflows/failures.ts';
import type { AppFailureCode, Result, TokenFailureCode } from '../workflows/failures.ts';
import { fromDescriptor } from './descriptor-answers.ts';
import type { Dialogue } from './dialogue.ts';
import { printable } from './printable.ts';
import type { SecretLines } from './secret-lines.ts';
import { equalBytes, isFactorySoPin, randomSoPinDigits, readSoPinDigits } from './secret-text.ts';

type Digits = Result<Uint8Array<ArrayBuffer>, AppFailureCode | TokenFailureCode>;

const formWords = 'A SmartCard-HSM’s SO-PIN is 16 hexadecimal digits: 0 to 9 and a to f.';
const factoryWords = 'That is the SO-PIN that every device leaves the factory with; everybody knows it.';

/** An SO-PIN of 16 hexadecimal digits from a script's descriptor, in bytes that the caller wipes. */
export async function soPinFromDescriptor(lines: SecretLines, isNew: boolean): Promise<Digits> {
  const line = await fromDescriptor(lines, 'the SO-PIN');
  if (!line.ok) return line;
  const digits = readSoPinDigits(line.value);
  if (digits === undefined) {
    return failure('Device_SoPinFormInvalid', formWords, 'Nothing was sent. Write the 16 digits on one line.');
  }
  if (isNew && isFactorySoPin(digits)) {
    digits.fill(0);
    return failure('Device_SoPinIsFactory', factoryWords, 'Nothing was sent. Choose another one.');
  }
  return success(digits);
}

/** The SO-PIN in force now, typed by whoever keeps it. */
export async function typedSoPin(dialogue: Dialogue): Promise<Digits> {
  for (;;) {
    const line = await dialogue.typed('SO-PIN, 16 hexadecimal digits:', 'none');
    if (!line.ok) return line;
    const digits = readSoPinDigits(line.value);
    if (digits !== undefined) return success(digits);
    dialogue.complain(formWords);
  }
}

/**
 * A new SO-PIN: typed twice, or made at random, shown once to be written on the paper form, and typed back.
 * The public one of the factory is refused.
 */
export async function newSoPin(dialogue: Dialogue, token: string): Promise<Digits> {
  for (;;) {
    const first = await dialogue.typed(
      'New SO-PIN, 16 hexadecimal digits (Enter alone makes one at random and shows it once):',
      'none',
      true,
    );
    if (!first.ok) return first;
    if (first.value.length === 0) return randomSoPin(dialogue, token);
    const digits = readSoPinDigits(first.value);
    if (digits === undefined) {
      dialogue.complain(formWords);
      continue;
    }
    if (isFactorySoPin(digits)) {
      digits.fill(0);
      dialogue.complain(`${factoryWords} Choose another one.`);
      continue;
    }
    const again = await dialogue.typed('The same SO-PIN again:', 'none');
    if (!again.ok) {
      digits.fill(0);
      return again;
    }
    const second = readSoPinDigits(again.value);
    const same = second !== undefined && equalBytes(digits, second);
    second?.fill(0);
    if (same) return success(digits);
    digits.fill(0);
    dialogue.complain('The two are not the same. Type it twice again.');
  }
}

async function randomSoPin(dialogue: Dialogue, token: string): Promise<Digits> {
  const digits = randomSoPinDigits();
  const taken = await dialogue.takeBack({
    bytes: digits,
    heading: `New SO-PIN of ${printable(token)}, for its paper form. It is not kept anywhere else.`,
    name: 'SO-PIN',
    hexadecimal: true,
    next: 'Begin the step again: another one is made. Nothing was sent.',
  });
  if (taken.ok) return success(digits);
  digits.fill(0);
  return taken;
}
