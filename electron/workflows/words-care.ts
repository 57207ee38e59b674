/** The sentences of everything that is done to a token in use: PINs, erasing, objects, keys, bank-vaults' values. */
import type { PinChangePlan } from './device-plans.ts';
import { isCurve, keyKindName, keyOfCurve, type WrappingKeyKind } from './key-kinds.ts';

type PinAct = PinChangePlan['act'];

const named = (label: string): string => `“${label}”`;

/** What values are wrapped with, as transcripts say it. */
export const wrappingWords = {
  mechanism: {
    'rsa-oaep-sha256': 'RSA-OAEP with SHA-256',
    'rsa-oaep-sha1': 'RSA-OAEP with SHA-1',
    ecdh: 'ECDH',
  },
  ownForm: 'ECDH, in this app’s own form: bank-vaults reads values under RSA alone',
  forBankVaults: 'SHA-256 works with this key; bank-vaults reads SHA-1 alone',
} as const;

/** Said before a certificate takes the place of a SmartCard-HSM key's request. */
const requestLost =
  'On a SmartCard-HSM it takes the place of the key’s certificate request, by which the key is attested: that is checked now and kept in the run’s outbox, since afterwards the device has it no more.';

export const careWords = {
  logIn: {
    title: 'Log in to the token',
    explanation: 'The user PIN is typed in the prompt window and goes to the token alone.',
    action: 'Type the PIN',
  },
  pinChange: {
    title: 'Change a PIN',
    facts: {
      'change-pin': 'The user PIN is changed',
      'change-so-pin': 'The SO-PIN is changed',
      'unblock-pin': 'The user PIN is unblocked with the SO-PIN',
      'reset-pin': 'A new user PIN is set with the SO-PIN',
    } satisfies Record<PinAct, string>,
    steps: {
      'change-pin': {
        title: 'Change the user PIN',
        explanation: (holder: string) =>
          `${holder} types the PIN in force, then the new one twice, in the prompt window. A wrong PIN costs a try; the last try is never used without consent.`,
        action: 'Type the PINs',
        act: 'Change the user PIN',
      },
      'change-so-pin': {
        title: 'Change the SO-PIN',
        explanation: (holder: string) =>
          `${holder} types the SO-PIN in force, then the new one, in the prompt window. Without the SO-PIN a blocked PIN cannot be unblocked and the token cannot be set up anew: write the new one down before you go on.`,
        action: 'Type the SO-PINs',
        act: 'Change the SO-PIN',
      },
      'unblock-pin': {
        title: 'Unblock the user PIN',
        explanation: (holder: string) =>
          `${holder} types the SO-PIN in the prompt window. The user PIN gets its tries back. A wrong SO-PIN costs one of its own tries, which never come back by themselves.`,
        action: 'Type the SO-PIN',
        act: 'Unblock the user PIN',
      },
      'reset-pin': {
        title: 'Set a new user PIN',
        explanation: (holder: string) =>
          `${holder} types the SO-PIN in the prompt window, and whoever is to use the token types its new user PIN twice. Keys and values stay.`,
        action: 'Type SO-PIN and PIN',
        act: 'Set a new user PIN',
      },
    } satisfies Record<PinAct, { title: string; explanation: (holder: string) => string; action: string; act: string }>,
    withNewPin: ' This token’s library can unblock a PIN only by setting a new one, which is typed twice.',
  },
  reset: {
    title: 'Erase a token',
    step: {
      title: 'Erase the token',
      explanation: (label: string, smartCardHsm: boolean) =>
        `Everything on the token is destroyed. It keeps its name ${named(label)} and its SO-PIN, and gets a new user PIN.` +
        (smartCardHsm
          ? ' It is left without a DKEK, so that no key of it could be backed up: set it up as a token before you use it again.'
          : ''),
      action: 'Erase the token',
      act: 'Erase the token',
    },
    nothing: 'Nothing that is seen without the PIN; there may be objects that only its holder sees',
    pin: 'The PIN in use now',
  },
  remove: {
    title: 'Delete an object',
    step: {
      title: (what: string) => `Delete ${what}`,
      explanation:
        'It is deleted on the token, and the token is read again to see that it is gone. Nothing brings it back but a backup.',
      action: 'Delete it',
    },
    act: 'Log in to delete an object',
  },
  certificate: {
    title: 'Store a certificate',
    step: {
      title: (label: string) => `Store the certificate ${named(label)}`,
      explanation: (fileName: string, id: string) =>
        [
          `The certificate in ${fileName} is stored on the token and read back.`,
          ...(id === '' ? [] : ['It has to be of the key that has its id.', requestLost]),
        ].join(' '),
      action: 'Store it',
    },
    act: 'Log in to store a certificate',
  },
  keyTest: {
    title: 'Try the keys',
    step: {
      title: (name: string) => `Try the key ${named(name)}`,
      explanation:
        'The private key decrypts what was encrypted to it, or signs and its signature is verified, or derives what the other side derives.',
      action: 'Try the key',
    },
    attest: {
      title: 'Check where device and keys come from',
      explanation:
        'The device’s certificate and its keys’ requests are checked up to the vendor’s root, where they are there.',
      action: 'Check',
    },
    act: 'Log in to try the keys',
  },
  values: {
    act: 'Log in to work on the stored values',
    key: {
      title: (keyLabel: string) => `Try the key ${named(keyLabel)}`,
      explanation: 'A random value is encrypted with the public half and decrypted on the token. Both must agree.',
      action: 'Try the key pair',
    },
    repairTitle: 'Check and repair the stored values',
    checkTitle: 'Check the stored values',
    resolve: {
      title: (label: string) => `Make ${label} single again`,
      explanation:
        'Every object of this name is written to the run’s folder first, encrypted as it is. One that decrypts is kept, the others are deleted. Where they decrypt to different values, nothing is deleted.',
      action: 'Keep one',
    },
    check: {
      title: (label: string) => `Check ${label}`,
      explanation:
        'It has to lie on the token for good, once, and to decrypt with the key. What is not so is noted as a deviation; nothing is changed.',
      action: 'Check',
    },
    readOutTitle: 'Read a value out',
    readOut: {
      title: (label: string, custodian: string) => `Show ${label} to ${custodian}`,
      explanation: (custodian: string) =>
        `Only ${custodian} looks at the prompt window now. The value is decrypted on the token, shown there, written down by ${custodian}, and typed back.`,
      action: 'Show the value',
    },
    rewrapTitle: 'Encrypt the stored values anew',
    ensureKey: {
      title: (keyLabel: string) => `Have the new key ${named(keyLabel)}`,
      explanation: (kind: WrappingKeyKind) =>
        `Where the token has no key pair of this name, one of ${keyKindName(kind)} is made. Its private half never leaves the token.${isCurve(kind) ? ` ${keyOfCurve}` : ''}`,
      action: 'Look, and make the key pair',
    },
    trial: {
      title: 'Store a trial object',
      explanation:
        'A random value is encrypted under the new key, stored on the token, read back, decrypted and deleted, as every value will be.',
      action: 'Store a trial object',
    },
    toEscrow: {
      title: 'Encrypt every value anew, onto the disk',
      explanation: (count: number) =>
        `${count === 1 ? 'The value is' : `All ${count.toString()} values are`} decrypted with the old key and encrypted with the new one inside the token’s own process, and the results are on disk before anything on the token is changed. The token still holds everything as it was.`,
      action: 'Encrypt anew',
    },
    replace: {
      title: (label: string) => `Replace ${label} on the token`,
      explanation:
        'The old object is deleted, the new one written, read back and tried with the new key. Its copy on disk stays until every value is in its place.',
      action: 'Replace',
    },
    removeEscrow: {
      title: 'Read everything back and clear the disk',
      explanation:
        'Each stored value is compared once more with the encrypted copy on disk. Then that copy is removed.',
      action: 'Finish',
    },
    removeOldKey: {
      title: (keyLabel: string) => `Delete the old key ${named(keyLabel)}`,
      explanation:
        'Every value is tried with the new key once more, and the token is searched for values that still need the old one. Then the old key pair is deleted.',
      action: 'Delete the old key',
      losses: (keyLabel: string): readonly string[] => [
        `Key pair ${named(keyLabel)}`,
        'Whatever is encrypted under it anywhere else: copies of the old values, Kubernetes Secrets of bank-vaults’ mode hsm-k8s, backups',
      ],
    },
  },
} as const;
