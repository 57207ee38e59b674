/**
 * A SmartCard-HSM that was pulled out between making a key and describing it keeps a key that no PKCS#11 program
 * shows. The run that made it finds it by what was there before, and deletes it once the person has been told.
 */
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { TokenReference } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import { deviceWords } from '../../workflows/words-device.ts';
import type { StepContext } from './context.ts';
import { withLogin } from './log-in.ts';

/** undefined for a token that is no SmartCard-HSM. */
async function namelessOn(context: StepContext, token: TokenReference): Promise<Result<readonly number[] | undefined>> {
  const devices = await context.ports.devices.listDevices(token.storeId);
  if (!devices.ok) return devices;
  if (!devices.value.some(({ serial }) => serial === token.serial)) return success(undefined);
  return context.ports.devices.namelessKeys(token);
}

const numbersOf = (noted: unknown): readonly string[] =>
  typeof noted === 'string' ? noted.split(',').filter((number) => number !== '') : [];

/**
 * Called before each attempt to make a key. The first notes what lies there namelessly, which is nobody's business
 * here. A later one finds what the earlier left: it says so and fails with Device_KeyNameless; the one after that,
 * which a person asked for knowing it, deletes it.
 * @returns evidence of what was deleted
 */
export async function removeNamelessKeys(context: StepContext, token: TokenReference): Promise<Result<Evidence>> {
  const nameless = await namelessOn(context, token);
  if (!nameless.ok) return nameless;
  if (nameless.value === undefined) return success({});
  const { namelessBefore, namelessOffered } = context.noted;
  if (typeof namelessBefore !== 'string') {
    const noted = await context.note({ namelessBefore: nameless.value.join(',') });
    return noted.ok ? success({}) : noted;
  }
  const before = numbersOf(namelessBefore);
  const left = nameless.value.filter((number) => !before.includes(number.toString()));
  const numbers = left.join(', ');
  const offered = numbersOf(namelessOffered);
  if (!left.every((number) => offered.includes(number.toString()))) {
    const noted = await context.note({ namelessOffered: left.join(',') });
    if (!noted.ok) return noted;
    const said = await context.deviate(deviceWords.keyWasLeft(numbers));
    if (!said.ok) return said;
    return failure(
      'Device_KeyNameless',
      `The attempt before was cut off: the device holds a key from it that has no name (number ${numbers}). No program shows it or can use it.`,
      'Try again to delete that key and make the key pair anew. To keep it, leave the run where it is.',
      { serial: token.serial, numbers },
    );
  }
  for (const number of left) {
    const deleted = await withLogin(context, token, () => context.ports.devices.deleteNamelessKey(token, number));
    if (!deleted.ok) return deleted;
  }
  // An attempt that was cut off while it deleted is told by what was offered and is no longer there.
  return success(offered.length === 0 ? {} : { namelessKeysDeleted: offered.join(', ') });
}
