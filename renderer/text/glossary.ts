/** Words of the field, explained where they are met. */

export const glossary = {
  'so-pin': [
    'SO-PIN',
    'The security officer’s PIN. It can initialise the token and set a new PIN; it cannot use the keys.',
  ],
  pin: [
    'PIN',
    'What a user of the token types so that its private keys may be used. It never leaves the prompt and the token’s own process.',
  ],
  token: ['Token', 'A device, or a software store that acts as one, that keeps private keys and never hands them out.'],
  serial: ['Serial', 'The token’s own number. It names the device for good; labels and slot numbers can change.'],
  'wrapping-key': [
    'Wrapping key',
    'A key pair on the token, RSA or of a curve. Values are encrypted with its public half; only the token can decrypt them.',
  ],
  'key-label': ['Key label', 'The name under which programs find the key. bank-vaults looks for “bank-vaults”.'],
  'pgp-words': ['PGP words', 'The same fingerprint as words, made to be read aloud and compared over the telephone.'],
  share: ['Key share', 'One part of Vault’s unseal key. A single share opens nothing.'],
  threshold: ['Threshold', 'How many shares are needed to unseal. Fewer than this reveal nothing at all.'],
  nonce: ['Nonce', 'A number that Vault gives to one unseal attempt. If it changes, someone else began a new attempt.'],
  sealed: ['Sealed', 'Vault holds its data encrypted and answers nothing until enough shares are presented.'],
  'root-token': ['Root token', 'Vault’s first and all-powerful credential. Best revoked once set-up is over.'],
  custodian: ['Custodian', 'A person who holds a key share and answers for it.'],
  pin_certificate: ['Pinned certificate', 'Trust exactly this certificate, compared by you, and no other.'],
  module: [
    'PKCS#11 module',
    'The library through which programs speak to a token; its maker provides it, as a .so file.',
  ],
  deviation: [
    'Deviation',
    'Anything that went otherwise than the script says. Auditors expect it written down, not hidden.',
  ],
  'journal-head': [
    'Journal head',
    'The SHA-256 of the last record. Every record holds the hash of the one before, so one value vouches for all.',
  ],
  'seal-type': ['Seal type', 'How Vault protects its own key. “shamir” means key shares held by people.'],
  dkek: [
    'DKEK',
    'Device key encryption key: the key under which a SmartCard-HSM lets its own keys out, wrapped. It is put together from shares, and never leaves the device.',
  ],
  'dkek-share': [
    'DKEK share',
    'A file of 64 bytes, encrypted under a password. All shares together make the DKEK; fewer make nothing.',
  ],
  'key-check-value': [
    'Key check value',
    'The first bytes of the DKEK’s hash. Two devices that show the same one have the same DKEK. It is no secret.',
  ],
  'retry-limit': ['Retry limit', 'How many wrong PINs in a row lock the PIN.'],
  slot: ['Slot', 'Where the module shows a token at the moment. It moves; the serial does not.'],
  attestation: [
    'Attestation',
    'A signature by the maker over the device’s own certificate, and by the device over a key: it shows that the key was made inside.',
  ],
} as const;
