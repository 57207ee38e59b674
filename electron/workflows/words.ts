/**
 * Every sentence of the workflows in one place: titles, explanations and button words of the steps; what evidence is
 * called stands in `evidence-names.ts`. Screens, terminal and transcript show these strings as they are.
 */
import { isCurve, keyOfCurve, type WrappingKeyKind } from './key-kinds.ts';

const shareName = (label: string): string => label;

export const words = {
  tokenSetup: {
    title: 'Set up a token',
    initialize: {
      title: 'Initialise the token',
      explanation: (label: string) =>
        `The token is erased, named “${label}” and given an SO-PIN and a user PIN, which you type in the prompt window. Then it is read back.`,
      action: 'Initialise the token',
      losses: ['Every key on this token', 'Every data object on this token, key shares included', 'The PIN in use now'],
    },
    readBack: {
      title: 'Read the token back',
      explanation: 'The token is read anew, to see that its label, serial and PIN are as they should be.',
      action: 'Read back',
    },
    logIn: {
      title: 'Log in',
      explanation: 'The user PIN is typed in the prompt window and goes to the token alone.',
      action: 'Type the PIN',
      act: 'Log in to make the wrapping key',
    },
    generate: {
      title: 'Make the wrapping key pair',
      explanation: (label: string, kind: WrappingKeyKind) =>
        isCurve(kind)
          ? `A key pair of the curve ${kind} is made on the token under the label “${label}”. Its private half never leaves the token. ${keyOfCurve}`
          : `An RSA key pair of ${kind.toString()} bits is made on the token under the label “${label}”. Its private half never leaves the token.`,
      action: 'Make the key pair',
    },
    verify: {
      title: 'Try the key pair',
      explanation: 'A random value is encrypted with the public half and decrypted on the token. Both must agree.',
      action: 'Try the key pair',
    },
  },
  vaultInit: {
    title: 'Initialise a Vault',
    check: {
      title: 'Check that Vault is empty',
      explanation: 'Vault is asked whether it is initialised. If it is, nothing more is done.',
      action: 'Check Vault',
    },
    logIn: {
      title: 'Log in to the token',
      explanation: 'The user PIN is typed in the prompt window and goes to the token alone.',
      action: 'Type the PIN',
      act: 'Log in to store the key shares',
    },
    room: {
      title: 'Check the token',
      explanation: 'The token must hold exactly one complete wrapping key and no shares or root token yet.',
      action: 'Check the token',
    },
    trial: {
      title: 'Store a trial object',
      explanation:
        'A random value is encrypted, stored on the token, read back, decrypted and deleted, as every share will be.',
      action: 'Store a trial object',
    },
    initialize: {
      title: 'Initialise Vault',
      explanation: (shares: number, threshold: number) =>
        `Vault makes its root key and splits it into ${shares.toString()} ${shares === 1 ? 'share' : 'shares'}, of which ${threshold.toString()} unseal it. This cannot be repeated. ` +
        'Every share is encrypted under the token’s key and kept on disk before anything else is tried, so that nothing is lost if the power fails.',
      action: 'Initialise Vault now',
    },
    store: {
      title: (label: string) => `Store ${shareName(label)} on the token`,
      explanation: 'The encrypted value is written to the token as a data object in bank-vaults’ form and read back.',
      action: 'Store on the token',
    },
    deliver: {
      title: (label: string, custodian: string) => `Encrypt ${shareName(label)} for ${custodian}`,
      explanation: (custodian: string, fingerprint: string) =>
        `The message for ${custodian}’s PGP key ${fingerprint} is written to the run’s outbox and read back. Only ${custodian} can open it.`,
      action: 'Write the message',
    },
    handOut: {
      title: (label: string, custodian: string) => `Hand ${shareName(label)} to ${custodian}`,
      explanation: (custodian: string) =>
        `Only ${custodian} looks at the prompt window now. The value is shown there, written down by ${custodian}, and typed back before the next step.`,
      action: 'Show the value',
    },
    unseal: {
      title: 'Unseal Vault to prove the shares',
      explanation: (threshold: number) =>
        `${threshold.toString()} of the encrypted shares are decrypted on the token and given to Vault. That shows that they work.`,
      action: 'Unseal Vault',
    },
    revoke: {
      title: 'Revoke the root token',
      explanation:
        'Vault’s first root token is revoked and kept nowhere. A new one can be made later with the key shares.',
      action: 'Revoke the root token',
    },
    remove: {
      title: 'Read everything back and clear the disk',
      explanation:
        'Each stored value is compared once more with the encrypted copy on disk. Then that copy is removed.',
      action: 'Finish',
    },
  },
  unseal: {
    title: 'Unseal a Vault',
    read: {
      title: 'Read the seal status',
      explanation: (nodes: number) =>
        nodes === 1
          ? 'Vault is asked whether it is sealed.'
          : `All ${nodes.toString()} nodes are asked whether they are sealed.`,
      action: 'Start',
    },
    logIn: {
      title: 'Log in to the token',
      explanation: 'The user PIN is typed in the prompt window and goes to the token alone.',
      action: 'Type the PIN',
      act: (vault: string) => `Log in to unseal ${vault}`,
    },
    fromToken: {
      title: 'Give the shares from the token',
      explanation:
        'Shares are decrypted on the token, one after the other, and given to every sealed node until the threshold is met.',
      action: 'Unseal',
    },
    fromPgp: {
      title: (custodian: string) => `Give the share of ${custodian} (PGP)`,
      explanation: (custodian: string) =>
        `${custodian}’s message is decrypted by gpg on this machine, which may ask for a passphrase or a card, and given to every sealed node.`,
      action: 'Decrypt and give the share',
    },
    typed: {
      title: (custodian: string) => `Give the share of ${custodian} (typed)`,
      explanation: (custodian: string) =>
        `${custodian} types the share in the prompt window. It goes to every sealed node.`,
      action: 'Type the share',
      act: (custodian: string, vault: string) => `Share of ${custodian} for ${vault}`,
    },
    confirm: {
      title: 'Confirm that Vault is unsealed',
      explanation:
        'Every node that did not say itself that it is unsealed, when it took its last share, is asked once more.',
      action: 'Confirm',
    },
  },
} as const;
