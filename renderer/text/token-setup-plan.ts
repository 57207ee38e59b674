/** The plan of a token set-up. */

export const tokenSetup = {
  title: 'Set up a token',
  lead: 'Initialise a token and make the wrapping key pair that protects key shares.',
  token: 'Token',
  tokenNone: 'Choose a token',
  tokenOption: (label: string, serial: string, store: string) => `${label}, serial ${serial}, ${store}`,
  slotOption: (slot: number, store: string) => `New token in slot ${String(slot)}, ${store}`,
  mode: 'What shall be done with it?',
  erase: 'Erase and initialise it',
  eraseHelp: 'Everything on it is lost. It gets a new label, SO-PIN and PIN.',
  keep: 'Keep it, make a wrapping key only',
  keepHelp: 'Nothing on it is touched. You need its PIN.',
  label: 'Token label',
  labelHelp: 'What the token will be called: up to 32 bytes.',
  keyLabel: 'Key label',
  keyLabelHelp: 'Leave “bank-vaults” unless your operator is configured otherwise.',
  bits: 'Key length',
  bitsName: (bits: number) => `RSA ${String(bits)}`,
  bitsHelp: {
    2048: 'What bank-vaults makes itself. Fast.',
    3072: 'Recommended beyond 2030 (NIST SP 800-57).',
    4096: 'Slowest; not every device can make it.',
  },
  lostTitle: 'This will be lost',
  lost: (label: string, serial: string) => `everything on token “${label}” (serial ${serial})`,
  lostKey: (label: string) => `wrapping key “${label}”: values encrypted with it can never be read again`,
  lostObject: (label: string) => `data object “${label}”`,
  errorToken: 'Choose a token.',
  errorWriteProtected: 'This token is write-protected.',
  errorLabelEmpty: 'Give the token a label.',
  errorLabelLong: (bytes: number) =>
    `The label has ${String(bytes)} bytes; 32 fit. Letters beyond ASCII take more than one.`,
  errorLabelInUse: (label: string) => `Another token is called “${label}”. Two of one name get mixed up.`,
  errorKeyLabelEmpty: 'Give the key a label.',
  errorKeyLabelInUse: (label: string) =>
    `The token has a key “${label}”. A second pair of one label would hide the first from bank-vaults.`,
  errorPinUnset: 'This token has no PIN yet. Erase and initialise it.',
  errorPinLocked: 'The PIN of this token is locked. Its SO-PIN can set a new one; or erase and initialise it.',
  will: {
    erase: (serial: string) => `The token ${serial} is erased. You type its label first, so that it is the right one.`,
    initialize: 'The token is initialised. You choose an SO-PIN and a PIN in the prompt window.',
    readBack: 'It is read back, to see that it kept its label and number.',
    key: (bits: number, label: string) =>
      `An RSA ${String(bits)} key pair “${label}” is made on the token. Its private half never leaves it.`,
    verify: 'A trial value is encrypted and decrypted, and the public key is shown as words.',
  },
} as const;
