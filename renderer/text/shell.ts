/** The frame of the window: navigation, lock, the band of a rehearsal, and what every page shares. */
import { count } from './count.ts';

export const app = {
  name: 'Key Custodian',
  skip: 'Skip to the page',
  loading: 'Reading what this desk knows…',
  version: (version: string) => `Version ${version}`,
} as const;

export const navigation = {
  label: 'Main',
  home: 'Home',
  tokens: 'Devices',
  vaults: 'Vaults',
  clusters: 'Clusters',
  runs: 'Runs',
  journal: 'Journal',
  settings: 'Settings',
  lock: 'Lock now',
  back: 'Back',
  homeState: (waiting: number) => (waiting === 0 ? 'Nothing waits' : count(waiting, 'thing waits', 'things wait')),
  tokensState: (found: number) => (found === 0 ? 'None found' : `${String(found)} found`),
  tokensUnusable: (problems: number) => `${String(problems)} not usable`,
  vaultsNone: 'None yet',
  vaultsSealed: (sealed: number) => `${String(sealed)} sealed`,
  vaultsMissing: (missing: number) => `${String(missing)} unreachable`,
  looking: 'Looking…',
  vaultsNew: (fresh: number) => `${String(fresh)} to set up`,
  vaultsFine: (known: number) => (known === 1 ? 'Unsealed' : `All ${String(known)} unsealed`),
  runsState: (open: number) => (open === 0 ? 'None open' : `${String(open)} open`),
  journalState: (ended: number) => (ended === 0 ? 'Empty' : count(ended, 'record', 'records')),
  settingsState: (minutes: number) => `Locks after ${String(minutes)} min`,
} as const;

export const common = {
  cancel: 'Cancel',
  close: 'Close',
  copyDetails: 'Copy details',
  copied: 'Details are on the clipboard. They hold no secret.',
  whatNow: 'What now',
  problem: 'Something went wrong',
  optional: 'optional',
  none: 'None',
  unknown: 'Unknown',
  rehearsal: 'Rehearsal',
  whatIs: (word: string) => `What is: ${word}?`,
  dismiss: 'Dismiss',
  messages: 'Messages',
  clear: 'Clear',
  trail: 'Where this page is',
  typeToConfirm: (name: string) => `Type “${name}” to go on`,
  typedDiffers: 'This is not the same name yet.',
  step: (now: number, of: number) => `Step ${String(now)} of ${String(of)}`,
  increase: 'More',
  decrease: 'Fewer',
  yes: 'yes',
  no: 'no',
} as const;

export const band = {
  label: 'Rehearsal',
  text: 'Rehearsal: a software token and a throw-away Vault. Nothing here is real.',
  discard: 'Throw the rehearsal away',
  discarding: 'The rehearsal is being thrown away…',
  dialogTitle: 'Throw the rehearsal away?',
  dialogText: 'This cannot be undone. What goes:',
  goes: (tokens: number, runs: number) => [
    `${count(tokens, 'software token', 'software tokens')} with every key and share on it`,
    'the throw-away Vault with all its data',
    `${count(runs, 'run', 'runs')} with transcripts`,
  ],
  stays: 'Your own tokens, servers and runs stay as they are.',
  confirm: 'Throw it away',
} as const;

export const locked = {
  title: 'Locked',
  text: 'Sessions are logged out and nothing is shown. Runs are where you left them.',
  unlock: 'Continue',
} as const;
