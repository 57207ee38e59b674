/** Settings. */

export const settings = {
  title: 'Settings',
  appearance: 'Appearance',
  theme: 'Theme',
  themes: { system: 'As the desktop', light: 'Light', dark: 'Dark' },
  lockTitle: 'Lock',
  lockAfter: 'Lock after minutes without input',
  lockHelp:
    'Sessions are logged out, the token’s process ends and the window is cleared. Runs go on afterwards with the PIN.',
  operatorTitle: 'Who acts at this desk',
  operator: 'Name',
  operatorHelp: 'Written to journals and transcripts with every act.',
  save: 'Save',
  saved: 'Saved',
  about: 'About',
  aboutText: 'Sets up tokens, initialises and unseals Vault, and keeps a record that an auditor can check.',
  dataDirectory: 'Journals, settings and rehearsals lie in',
  terminalTitle: 'From a terminal',
  terminalText:
    'The same work as commands, for scripts and for machines without a display: “custodian” is installed with the app. Close the app first, or name another folder with --data-dir: one program at a time keeps the records.',
  terminalCommands: [
    ['custodian --help', 'Every command'],
    ['custodian rehearse', 'A whole rehearsal'],
    ['custodian vault status', 'Seal states'],
  ],
  keptTitle: 'What is kept where',
  kept: [
    'PINs and shares are typed in the prompt window only and pass sealed to the process that needs them. This window never receives one.',
    'The private key stays on the token. Shares lie there as ciphertext that only the token can decrypt.',
    'Journals and transcripts hold who, when and what, never a secret.',
  ],
  tray: 'Tray icon',
  trayYes: 'Shown',
  trayNo: 'This desktop shows none',
} as const;
