import { expect, test } from 'vitest';
import { recognizeDevice, smartCardClass } from '../../native/usb/known-devices.ts';

test('a Nitrokey HSM is one, whatever its interfaces say', () => {
  expect(recognizeDevice(0x20a0, 0x4230, 0, 'Nitrokey HSM')).toEqual({ kind: 'nitrokey-hsm', name: 'Nitrokey HSM' });
});

test.each([
  [0x4108, 'Nitrokey Pro'],
  [0x42b1, 'Nitrokey FIDO2'],
  [0x42b2, 'Nitrokey 3'],
])('another Nitrokey (%s) is named as what it is', (productId, name) => {
  expect(recognizeDevice(0x20a0, productId, 0, 'whatever it says')).toEqual({ kind: 'other-nitrokey', name });
});

test('any card reader is one, anything else is nobody’s business', () => {
  const reader = { kind: 'smartcard-reader', name: 'SmartCard-HSM 4K' };
  expect(recognizeDevice(0x04e6, 0x5816, 0, 'SmartCard-HSM 4K')).toEqual(reader);
  expect(recognizeDevice(0x04e6, 0x5116, smartCardClass, '')).toMatchObject({ kind: 'smartcard-reader' });
  expect(recognizeDevice(0x046d, 0xc52b, 0, 'USB Receiver')).toBeUndefined();
});
