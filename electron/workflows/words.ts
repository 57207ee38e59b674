/**
 * Every sentence of the workflows in one place: titles, explanations and button words of the steps, and
 * the names of evidence. Screens, terminal and transcript show these strings as they are.
 */

import { isCurve, keyOfCurve, type WrappingKeyKind } from './key-kinds.ts';
import { clusterEvidenceNames, clusterProgramEvidence } from './words-cluster.ts';
import { kmsProgramEvidence, kmsWords } from './words-kms.ts';
import { sealMigrationWords } from './words-seal-migration.ts';
import { vaultSetUpWords } from './words-vault-setup.ts';

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

/** What evidence is called on screens and in transcripts. A name that is not listed is shown as it is. */
export const evidenceNames: Readonly<Record<string, string>> = {
  ...clusterEvidenceNames,
  ...vaultSetUpWords.evidence,
  ...kmsWords.evidence,
  ...sealMigrationWords.evidence,
  serial: 'Token serial',
  tokenLabel: 'Token label',
  slotId: 'Slot',
  manufacturer: 'Manufacturer',
  model: 'Model',
  firmwareVersion: 'Firmware',
  keyLabel: 'Key label',
  keyId: 'Key id',
  modulusBits: 'RSA modulus, bits',
  curve: 'Curve of the key',
  namelessKeysDeleted: 'Nameless keys deleted, by number',
  publicKeySha256: 'Public key SHA-256',
  publicKeyWords: 'Public key in words',
  loggedInAgain: 'Logged in again',
  vaultVersion: 'Vault version',
  storageType: 'Storage',
  sealType: 'Seal',
  trialLabel: 'Trial object',
  trialSha256: 'Trial object SHA-256',
  wrapping: 'Values wrapped with',
  bestWrapping: 'Best wrapping that worked',
  wrappingDowngrade: 'Weaker than asked for first',
  shares: 'Shares',
  threshold: 'Threshold',
  labels: 'Values kept',
  label: 'Value',
  size: 'Size, bytes',
  ciphertextSha256: 'Ciphertext SHA-256',
  custodian: 'Custodian',
  fingerprint: 'PGP fingerprint',
  file: 'File',
  typedBack: 'Typed back',
  sharesProven: 'Shares proven',
  sealedNodes: 'Sealed nodes',
  nodes: 'Nodes',
  progress: 'Progress',
  nonce: 'Attempt nonce',
  sharesGiven: 'Shares given',
  sharesLeftOut: 'Shares left out',
  clusterName: 'Cluster',
  revoked: 'Revoked',
  compared: 'Values compared',
  escrowRemoved: 'Encrypted copy removed',
  dkek: 'DKEK',
  keyCheckValue: 'DKEK key check value',
  keyCheckWords: 'Key check value in words',
  fileSha256: 'File SHA-256',
  sharesImported: 'DKEK shares imported',
  sharesOpened: 'DKEK share files opened',
  sharesOutstanding: 'DKEK shares outstanding',
  attestation: 'Device attestation',
  attestationChain: 'Attested by',
  attestedKeys: 'Keys attested',
  attestationProblem: 'Attestation',
  keyAttestation: 'Key attestation',
  requestFile: 'Key’s certificate request kept in',
  requestSha256: 'Certificate request SHA-256',
  testCiphertextSha256: 'Test ciphertext SHA-256',
  provenOn: 'Decrypted by',
  keysCopied: 'Keys copied',
  certificatesCopied: 'Certificates copied',
  dataObjectsCopied: 'Data objects copied',
  keysProven: 'Keys proven',
  objectsCompared: 'Objects compared',
  pinTriesLeft: 'PIN tries left',
  soPinTriesLeft: 'SO-PIN tries left',
  objectsLeft: 'Objects left',
  objectClass: 'Kind of object',
  objectLabel: 'Object label',
  objectId: 'Object id',
  objectSha256: 'Object SHA-256',
  deleted: 'Objects deleted',
  certificateSubject: 'Certificate of',
  certificateEnds: 'Certificate ends',
  tried: 'Tried',
  passed: 'Passed',
  found: 'Objects found',
  kept: 'Kept, SHA-256',
  savedCopies: 'Encrypted copies saved',
  valueState: 'State of the value',
  oldKeyLabel: 'Old key label',
  oldKeySha256: 'Old key SHA-256',
  oldKeyId: 'Old key id',
};

/** Evidence that tells the program what it has begun before and says nothing to a reader: in journals, never shown. */
export const programEvidence: ReadonlySet<string> = new Set([
  'erasing',
  'generating',
  'namelessBefore',
  'namelessOffered',
  'comparing',
  'revoking',
  'serialsBefore',
  'requestSent',
  'changing',
  'deleting',
  ...clusterProgramEvidence,
  ...kmsProgramEvidence,
]);
