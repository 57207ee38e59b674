/** One key under a DKEK: compared, wrapped, unwrapped, proven; and where the device comes from. */
import { randomBytes } from 'node:crypto';
import type { DeviceEffect } from '../../workflows/device-effects.ts';
import type { TokenOfPlan } from '../../workflows/device-plans.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone, notNeeded } from './context.ts';
import { describeDevice, evidenceOfKeyCheck, usableDkek } from './device-state.ts';
import { forgetLogins, withLogin } from './log-in.ts';
import { evidenceOfKey } from './token-setup.ts';
import { encryptToWrappingKey, sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends DeviceEffect['kind']> = Extract<DeviceEffect, { kind: Kind }>;

export async function compareDkek(context: StepContext, effect: EffectOf<'device.compare-dkek'>): EffectResult {
  const { one, other, expectedKeyCheckValue } = effect;
  const first = await describeDevice(context, one);
  if (!first.ok) return first;
  const dkek = usableDkek(first.value);
  if (!dkek.ok) return dkek;
  const second = one.serial === other.serial ? first : await describeDevice(context, other);
  if (!second.ok) return second;
  const otherDkek = usableDkek(second.value);
  if (!otherDkek.ok) return otherDkek;
  const mine = dkek.value.keyCheckValue;
  const theirs = otherDkek.value.keyCheckValue;
  if (mine !== theirs)
    return failure(
      'Device_DkekMismatch',
      `The two devices have different DKEKs: ${mine} on ${one.serial}, ${theirs} on ${other.serial}. What one wraps the other cannot take.`,
      'Nothing was wrapped. Set the second device up with the share files of the first, then start a new run.',
      { one: mine, other: theirs },
    );
  if (expectedKeyCheckValue !== '' && mine !== expectedKeyCheckValue)
    return failure(
      'Device_DkekMismatch',
      `The device’s DKEK has the key check value ${mine}, and the share files are to give ${expectedKeyCheckValue}: the wrapped key could not come back.`,
      'Nothing was wrapped or erased. Find the share files of this device’s DKEK.',
      { keyCheckValue: mine, expected: expectedKeyCheckValue },
    );
  return done(evidenceOfKeyCheck(dkek.value));
}

/** A file of this run's outbox that an earlier step left. */
export async function readLeft(context: StepContext, fileName: string): Promise<Result<Uint8Array>> {
  const file = await context.ports.outbox.read(context.runId, fileName);
  if (!file.ok) return file;
  return file.value === undefined
    ? failure(
        'Custody_ReadFailed',
        `${fileName} is no longer in the outbox of this run.`,
        'Put the file back where the step that made it says it was, then go on.',
      )
    : success(file.value);
}

export async function makeTest(context: StepContext, effect: EffectOf<'device.make-test'>): EffectResult {
  const { token, keyLabel, fileName } = effect;
  const { tokens, outbox } = context.ports;
  const key = await withLogin(context, token, () => tokens.findWrappingKey(token, keyLabel));
  if (!key.ok) return key;
  const value = randomBytes(32);
  const testSha256 = sha256Hex(value);
  const ciphertext = encryptToWrappingKey(key.value.publicKeySpki, value);
  value.fill(0);
  const decrypts = await decryptsTo(context, token, keyLabel, ciphertext, testSha256);
  if (!decrypts.ok) return decrypts;
  const written = await outbox.write(context.runId, fileName, ciphertext);
  if (!written.ok) return written;
  return done({
    ...evidenceOfKey(keyLabel, key.value),
    testSha256,
    testCiphertextSha256: sha256Hex(ciphertext),
    file: written.value.path,
  });
}

/** Sees a device decrypt a ciphertext to the value with this hash. Token_KeyTestFailed where it finds another. */
async function decryptsTo(
  context: StepContext,
  token: TokenOfPlan,
  keyLabel: string,
  ciphertext: Uint8Array,
  testSha256: string,
): Promise<Result<Record<string, never>>> {
  const verified = await withLogin(context, token, () =>
    context.ports.tokens.verifyDecrypt(token, keyLabel, ciphertext, testSha256),
  );
  if (!verified.ok) return verified;
  return verified.value.matches
    ? success({})
    : failure(
        'Token_KeyTestFailed',
        `“${keyLabel}” on the device with serial ${token.serial} decrypts the test ciphertext to another value.`,
        'The two keys are not the same. Do not rely on this backup; find out what was done to either device.',
        { serial: token.serial },
      );
}

export async function wrapKey(context: StepContext, effect: EffectOf<'device.wrap-key'>): EffectResult {
  const { token, keyLabel, fileName } = effect;
  const key = await withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, keyLabel));
  if (!key.ok) return key;
  const wrapped = await withLogin(context, token, () => context.ports.devices.wrapKey(token, key.value.id));
  if (!wrapped.ok) return wrapped;
  const { file, keyCheckValue } = wrapped.value;
  const written = await context.ports.outbox.write(context.runId, fileName, file);
  if (!written.ok) return written;
  return done({ keyLabel, file: written.value.path, fileSha256: sha256Hex(file), keyCheckValue });
}

export async function unwrapKey(context: StepContext, effect: EffectOf<'device.unwrap-key'>): EffectResult {
  const { token, keyLabel, fileName } = effect;
  const expected = context.facts['publicKeySha256'];
  const find = () => withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, keyLabel));
  const present = await find();
  if (present.ok) {
    if (present.value.publicKeySha256 === expected) return foundDone(evidenceOfKey(keyLabel, present.value));
    return failure(
      'Token_KeyLabelInUse',
      `Another key pair called “${keyLabel}” is on the device with serial ${token.serial}.`,
      'Delete it there, or try the backup on another device. bank-vaults cannot tell two pairs with one label apart.',
      { serial: token.serial, publicKeySha256: present.value.publicKeySha256 },
    );
  }
  if (present.error.code !== 'Token_KeyMissing') return present;
  const file = await readLeft(context, fileName);
  if (!file.ok) return file;
  const unwrapped = await withLogin(context, token, () => context.ports.devices.unwrapKey(token, file.value));
  forgetLogins(context, token.storeId);
  if (!unwrapped.ok) return unwrapped;
  const arrived = await find();
  if (!arrived.ok) return arrived;
  return arrived.value.publicKeySha256 === expected
    ? done(evidenceOfKey(keyLabel, arrived.value))
    : failure(
        'Token_KeyTestFailed',
        'The key that came out of the wrapped file is not the one that was wrapped.',
        'Do not rely on this backup. The file in the outbox is not the one that this run wrote.',
        { serial: token.serial, publicKeySha256: arrived.value.publicKeySha256 },
      );
}

export async function compareKeys(context: StepContext, effect: EffectOf<'device.compare-keys'>): EffectResult {
  const { one, other, keyLabel, fileName } = effect;
  const ciphertext = await readLeft(context, fileName);
  if (!ciphertext.ok) return ciphertext;
  const testCiphertextSha256 = sha256Hex(ciphertext.value);
  if (testCiphertextSha256 !== context.facts['testCiphertextSha256'])
    return failure(
      'Custody_ReadFailed',
      'The test ciphertext in the outbox is not the one that this run made.',
      'Find out who changed it, and start a new run.',
    );
  const devices = one.serial === other.serial ? [other] : [other, one];
  for (const device of devices) {
    const proven = await decryptsTo(
      context,
      device,
      keyLabel,
      ciphertext.value,
      String(context.facts['testSha256'] ?? ''),
    );
    if (!proven.ok) return proven;
  }
  return done({ testCiphertextSha256, provenOn: [one.serial, other.serial].join(' and ') });
}

export async function attest(context: StepContext, { token }: EffectOf<'device.attest'>): EffectResult {
  const attested = await context.ports.devices.attest(token);
  if (!attested.ok) return attested;
  const { device, keys } = attested.value;
  const invalid = keys.find(({ state }) => state === 'invalid');
  if (device.state === 'invalid' || invalid !== undefined)
    return failure(
      'Device_AttestationInvalid',
      device.state === 'invalid'
        ? `The device’s certificate does not hold: ${device.problem}`
        : `The request of key “${invalid?.label ?? ''}” does not hold: ${invalid?.problem ?? ''}`,
      'Do not rely on this device before you know why.',
      { serial: token.serial },
    );
  const evidence = {
    attestation: device.state,
    attestationChain: device.chain.join(' → '),
    attestedKeys: keys
      .filter(({ state }) => state === 'verified')
      .map(({ label, id }) => (label === '' ? id : label))
      .join(', '),
    ...(device.problem === '' ? {} : { attestationProblem: device.problem }),
  };
  return device.state === 'absent' ? notNeeded(evidence) : done(evidence);
}
