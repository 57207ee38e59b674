import { expect, test } from 'vitest';
import { parseCommand } from '../fixtures/smartcard-hsm/apdu.ts';

const parse = (hex: string): unknown => {
  const command = parseCommand(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return command && [command.data.toString('hex'), command.expected, command.extended];
};

// ISO/IEC 7816-3, 12.1.3: the four cases, short and extended.
test.each([
  ['00200081', ['', undefined, false]],
  ['00840000 08', ['', 8, false]],
  ['00840000 00', ['', 256, false]],
  ['00840000 000400', ['', 1024, true]],
  ['00840000 000000', ['', 65536, true]],
  ['00200081 03 313233', ['313233', undefined, false]],
  ['00A40400 02 2F02 00', ['2f02', 256, false]],
  ['00D70000 000003 540200', ['540200', undefined, true]],
  ['00B10000 000004 54020000 0100', ['54020000', 256, true]],
])('%s is read', (hex, expected) => {
  expect(parse(hex)).toEqual(expected);
});

test.each(['', '0020', '00200081 03 3132', '00200081 03 31323334 3536', '00200081 000003 3132', '00200081 000000 00'])(
  '%s is refused',
  (hex) => {
    expect(parse(hex)).toBeUndefined();
  },
);
