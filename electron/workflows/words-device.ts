/** Sentences of what is done to a SmartCard-HSM: its set-up, DKEK, backup drill and clone. Shown as they are. */
import type { DeviceChoices } from './device-plans.ts';

/** 'Ada', 'Ada and Ben', 'Ada, Ben and Cleo' */
export function namesInWords(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

const countOf = (count: number, one: string, many: string): string => `${count.toString()} ${count === 1 ? one : many}`;

/** What follows from the choice, said before the device is erased. */
function dkekMeaning(dkek: DeviceChoices['dkek']): string {
  switch (dkek.kind) {
    case 'none':
      return 'The device gets no DKEK: no key on it can ever be backed up or copied. If it is lost, broken or reset, its keys are gone for good.';
    case 'random':
      return 'The device draws a DKEK at random that nobody has a share of: wrapped keys go back onto this device alone, and only until it is initialised again. That is no backup against its loss.';
    case 'shares':
      return `The device waits for ${countOf(dkek.shares.length, 'DKEK share', 'DKEK shares')}. No key can be made on it before ${dkek.shares.length === 1 ? 'it is' : 'all are'} in. Whoever brings ${dkek.shares.length === 1 ? 'it' : 'all of them'} together can put this device’s wrapped keys onto another.`;
  }
}

function dkekLosses(dkek: DeviceChoices['dkek']): readonly string[] {
  switch (dkek.kind) {
    case 'none':
      return ['The DKEK in use now', 'Every possibility of a backup: without a DKEK there is never one'];
    case 'random':
      return [
        'The DKEK in use now',
        'Every possibility of a copy on another device: a random DKEK is on this one alone',
      ];
    case 'shares':
      return ['The DKEK in use now, unless these are its shares'];
  }
}

const holders = ({ soPinHolder, pinHolder }: DeviceChoices): string =>
  soPinHolder === pinHolder
    ? `${pinHolder} types the SO-PIN and the PIN in the prompt window.`
    : `${soPinHolder} types the SO-PIN and ${pinHolder} the PIN in the prompt window, each alone with it.`;

export const deviceWords = {
  initialize: {
    title: 'Initialise the device',
    explanation: (label: string, choices: DeviceChoices) =>
      [
        `The device is erased and named “${label}”. ${holders(choices)}`,
        choices.newSoPin
          ? 'A new SO-PIN is set first: typed, or made at random and shown once for its paper form.'
          : 'The SO-PIN stays as it is.',
        `After ${countOf(choices.retryLimit, 'wrong PIN', 'wrong PINs')} in a row the PIN is blocked${choices.allowPinResetWithSoPin ? '; the SO-PIN can set a new one' : '; the SO-PIN can only unblock it'}.`,
        dkekMeaning(choices.dkek),
        'Then its status is read back.',
      ].join(' '),
    action: 'Initialise the device',
    losses: (choices: DeviceChoices) => [
      'Every key on this device',
      'Every certificate and data object on this device, key shares included',
      'The PIN in use now',
      ...(choices.newSoPin ? ['The SO-PIN in use now'] : []),
      ...dkekLosses(choices.dkek),
    ],
    act: (label: string) => `Initialise the device “${label}”`,
  },
  readBack: {
    title: 'Read the device back',
    explanation:
      'The device is read anew through its PKCS#11 library, to see that label, serial and PIN are as they should be.',
    action: 'Read back',
  },
  createShare: {
    title: (number: number, count: number) => `Make DKEK share ${number.toString()} of ${count.toString()}`,
    withPassword: (custodian: string) =>
      `A share is drawn at random and encrypted with a password that ${custodian} chooses and types twice. The file is left in the run’s outbox, in sc-hsm-tool’s form. It takes some seconds by design. Without the password the file is of no use; nobody can recover it.`,
    split: (threshold: number, custodians: readonly string[]) =>
      `A share is drawn at random and encrypted with a random password, of which ${namesInWords(custodians)} each get a piece; any ${threshold.toString()} pieces open the share. The file is left in the run’s outbox, in sc-hsm-tool’s form. It takes some seconds by design. Nothing is erased before every piece is with its custodian.`,
    action: 'Make the share',
    act: (number: number) => `Make DKEK share ${number.toString()}`,
    password: (number: number) => `New password for DKEK share ${number.toString()}`,
  },
  handOutPiece: {
    title: (share: number, piece: number, custodian: string) =>
      `Hand piece ${piece.toString()} of DKEK share ${share.toString()} to ${custodian}`,
    explanation: (custodian: string) =>
      `Only ${custodian} looks at the prompt window now. The piece is shown there, written down by ${custodian}, and typed back before the next step. It is kept nowhere else.`,
    action: 'Show the piece',
    label: (share: number, piece: number, total: number) =>
      `Piece ${piece.toString()} of ${total.toString()} of DKEK share ${share.toString()}`,
    madeAnew: (share: number, formerHolders: readonly string[]) =>
      `The process that held the pieces of DKEK share ${share.toString()} ended before all were handed out, so the share and its pieces were made anew.${formerHolders.length === 0 ? '' : ` What ${namesInWords(formerHolders)} wrote down before is void.`}`,
  },
  importShare: {
    title: (number: number, count: number) => `Import DKEK share ${number.toString()} of ${count.toString()}`,
    withPassword: (custodian: string) => `${custodian} types the share’s password. The share goes to the device.`,
    split: (threshold: number, custodians: readonly string[]) =>
      `${threshold.toString()} of ${namesInWords(custodians)} type their pieces, one after the other. The share goes to the device.`,
    last: (expected: string) =>
      expected === ''
        ? ' With it the DKEK is complete, and its key check value is recorded: note it, since any device that shows the same one can take the wrapped keys.'
        : ` With it the DKEK is complete. Its key check value must be ${expected}.`,
    action: 'Import the share',
    act: (number: number) => `Import DKEK share ${number.toString()}`,
    password: (number: number) => `Password of DKEK share ${number.toString()}`,
    piece: (piece: number, threshold: number, number: number) =>
      `Piece ${piece.toString()} of ${threshold.toString()} of DKEK share ${number.toString()}`,
  },
  keyWasLeft: (numbers: string) =>
    `An attempt to make the key pair was cut off and left a key without a name on the device, number ${numbers}, which no program shows or can use. The next attempt deletes it and makes the key pair anew.`,
  attest: {
    title: 'Check where the device comes from',
    explanation:
      'The device’s certificate and the requests of its keys are checked up to the vendor’s root, where they are there, and the result is recorded.',
    action: 'Check the attestation',
  },
  logIn: {
    title: (label: string) => `Log in to “${label}”`,
    explanation: 'The user PIN is typed in the prompt window and goes to this device alone.',
    action: 'Type the PIN',
    toMakeKey: 'Log in to make the wrapping key',
    toWrap: (label: string) => `Log in to “${label}” to wrap its keys`,
    toUnwrap: (label: string) => `Log in to “${label}” to take the wrapped keys`,
  },
  compareDkek: {
    title: 'Compare the DKEK of both devices',
    explanation:
      'The key check values of both devices are read. Only with the same DKEK can one take what the other has wrapped; if they differ, nothing more is done.',
    one: 'The device’s key check value is read and recorded: the same must come out when its shares are imported again.',
    titleOfOne: 'Read the DKEK’s key check value',
    action: 'Read the key check values',
  },
  drill: {
    title: 'Prove a key’s backup',
    test: {
      title: (key: string) => `Make a test ciphertext for “${key}”`,
      explanation:
        'A random value is encrypted with the key’s public half and decrypted on the device. The ciphertext is kept; the value is not.',
      action: 'Make the test ciphertext',
    },
    wrap: {
      title: (key: string) => `Wrap “${key}”`,
      explanation:
        'The key leaves the device encrypted under the DKEK, as a file in the run’s outbox in sc-hsm-tool’s form. With the DKEK’s shares this file is a backup: keep it.',
      action: 'Wrap the key',
    },
    open: {
      title: 'Open the share files',
      explanation:
        'Each share file is opened with its password or pieces, and what they give together is compared with the device’s DKEK. Nothing is erased before they agree.',
      action: 'Open the share files',
      act: (number: number) => `Try DKEK share ${number.toString()} before the device is erased`,
    },
    reset: {
      losses: (key: string, choices: DeviceChoices) => [
        `Every key, certificate and data object on this device, key shares included; “${key}” alone comes back`,
        `Until the DKEK’s shares are in again, “${key}” exists in the wrapped file alone; every share file was opened in the step before`,
        'The PIN in use now',
        ...(choices.newSoPin ? ['The SO-PIN in use now'] : []),
      ],
      title: 'Erase the device to prove the backup',
    },
    unwrap: {
      title: (key: string, label: string) => `Unwrap “${key}” on “${label}”`,
      explanation: (label: string) =>
        `The wrapped key is put onto “${label}”, which decrypts it with its DKEK. It stays there: from now on “${label}” is to be kept as carefully as the first device.`,
      action: 'Unwrap the key',
    },
    prove: {
      title: 'Decrypt the same on both',
      explanation: 'Both devices decrypt the test ciphertext. Only if both find the same value is the backup proven.',
      afterReset:
        'The device decrypts the test ciphertext that was made before it was erased. Only if it finds the same value is the backup proven.',
      action: 'Prove the backup',
    },
  },
  clone: {
    title: 'Clone a device',
    copy: {
      title: (label: string) => `Copy everything to “${label}”`,
      explanation: (from: string, to: string) =>
        `Every key of “${from}” is wrapped and unwrapped on “${to}”; then every certificate and data object is copied. Each is recorded as it arrives, and what is there already is left as it is. The PIN of “${to}” may be asked for more than once.`,
      action: 'Copy',
    },
    verify: {
      title: 'Compare both devices',
      explanation: (to: string) =>
        `Both devices are listed and compared: “${to}” must hold the same public keys, certificates and data objects. Then every private key on “${to}” is tried.`,
      action: 'Compare',
    },
    retire: {
      title: (label: string) => `Erase “${label}”`,
      explanation: (label: string, to: string) =>
        `All that was on “${label}” has been proven on “${to}”. Now “${label}” is erased for good; its SO-PIN is asked for.`,
      action: 'Erase the device',
      losses: (to: string) => [
        `Every key, certificate and data object on this device; they are on “${to}” from now on alone`,
        'Its DKEK: it can take no wrapped key before its shares are imported again',
        'The PIN in use now',
      ],
    },
  },
} as const;
