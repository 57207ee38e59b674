import pkcs11js from 'pkcs11js';
import { expect, test } from 'vitest';
import { failureCodes } from '../../electron/workflows/failures.ts';
import { failureOfReturnValue } from '../../native/pkcs11/return-values.ts';

/** What a device is known to answer when something is wrong with it or with what it was asked. */
const named = [
  'CKR_PIN_INCORRECT',
  'CKR_PIN_LEN_RANGE',
  'CKR_PIN_LOCKED',
  'CKR_USER_NOT_LOGGED_IN',
  'CKR_DEVICE_REMOVED',
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_DEVICE_MEMORY',
  'CKR_MECHANISM_INVALID',
  'CKR_ARGUMENTS_BAD',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_GENERAL_ERROR',
] as const;

test('each return value has words of its own, and says what to do', () => {
  const failures = named.map((name) => failureOfReturnValue({ name, code: pkcs11js[name] }).error);
  expect(new Set(failures.map(({ message }) => message)).size).toBe(named.length);
  for (const [index, { code, next, details }] of failures.entries()) {
    expect(failureCodes).toContain(code);
    expect(next).not.toBe('');
    expect(details).toMatchObject({ returnValue: named[index] });
  }
});

test('one that nobody has words for is named', () => {
  const { error } = failureOfReturnValue({ name: 'CKR_VENDOR_DEFINED', code: 0x80000000 });
  expect(error.message).toContain('CKR_VENDOR_DEFINED');
});
