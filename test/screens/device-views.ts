/** Views with SmartCard-HSMs, whole and valid, for looking at screens without any device. */
import type {
  AppView,
  DeviceView,
  ObjectView,
  RunView,
  StepView,
  TokenView,
  VaultView,
} from '../../electron/contract/views.ts';

import { clustersView } from './cluster-views.ts';

const keyCheckValue = '4f0c91d2a7b35e68';
const moduleOfOpenSc = {
  id: 'opensc',
  name: 'OpenSC',
  modulePath: '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
  rehearsal: false,
  removable: false,
  state: 'ready',
  problem: null,
} as const;

export function deviceView(part: Partial<DeviceView> = {}): DeviceView {
  return {
    readerName: 'Nitrokey Nitrokey HSM (DENK01051600000         ) 00 00',
    firmwareVersion: '3.5',
    freeMemory: 52_480,
    pinState: 'set',
    pinTriesLeft: 3,
    soPinState: 'set',
    soPinTriesLeft: 15,
    dkek: { kind: 'ready', shares: 1, outstanding: 0, keyCheckValue },
    options: ['pin-reset-with-so-pin'],
    ...part,
  };
}

export function objectView(part: Partial<ObjectView> = {}): ObjectView {
  return {
    objectClass: 'data',
    label: 'vault-unseal-0',
    id: '',
    kind: '',
    bits: 0,
    curve: '',
    size: 256,
    attributes: ['TOKEN', 'MODIFIABLE'],
    subject: '',
    notAfter: '',
    sha256: 'ab'.repeat(32),
    usedBy: [],
    valueKind: '',
    doubled: false,
    ...part,
  };
}

const publicKeyWords = Array.from(
  { length: 32 },
  (_, at) => ['topmost', 'Istanbul', 'prefer', 'vagabond', 'tissue', 'sensation', 'flatfoot', 'Dakota'][at % 8] ?? '',
);

/** Both halves of the wrapping key, five shares, a root token and a certificate. */
export const usualObjects: readonly ObjectView[] = [
  objectView({
    objectClass: 'private-key',
    label: 'bank-vaults',
    id: '01',
    kind: 'RSA',
    bits: 2048,
    size: 0,
    attributes: ['TOKEN', 'PRIVATE', 'SENSITIVE', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE', 'LOCAL', 'DECRYPT', 'SIGN'],
    usedBy: ['Production'],
  }),
  objectView({
    objectClass: 'public-key',
    label: 'bank-vaults',
    id: '01',
    kind: 'RSA',
    bits: 2048,
    size: 0,
    attributes: ['TOKEN', 'ENCRYPT', 'VERIFY'],
    sha256: '9e'.repeat(32),
    usedBy: ['Production'],
  }),
  objectView({
    objectClass: 'private-key',
    label: 'release-signing',
    id: 'a7',
    kind: 'EC',
    curve: 'P-256',
    size: 0,
    attributes: ['TOKEN', 'PRIVATE', 'SENSITIVE', 'LOCAL', 'SIGN', 'DERIVE'],
  }),
  objectView({ objectClass: 'public-key', label: 'release-signing', id: 'a7', kind: 'EC', curve: 'P-256', size: 0 }),
  objectView({
    objectClass: 'certificate',
    label: 'release-signing',
    id: 'a7',
    kind: 'X.509',
    size: 842,
    subject: 'CN=Release signing,O=Example Ltd,C=DE',
    notAfter: '2028-03-01T00:00:00Z',
    sha256: 'c4'.repeat(32),
  }),
  ...[0, 1, 2, 3, 4].map((number) =>
    objectView({ label: `vault-unseal-${String(number)}`, valueKind: 'share', usedBy: ['Production'] }),
  ),
  objectView({ label: 'vault-root', valueKind: 'root' }),
];

export function smartCardHsm(part: Partial<TokenView> = {}): TokenView {
  return {
    storeId: moduleOfOpenSc.id,
    storeName: moduleOfOpenSc.name,
    rehearsal: false,
    slotId: 0,
    slotDescription: 'Nitrokey Nitrokey HSM 00 00',
    initialized: true,
    label: 'vault-unseal',
    reportedLabel: 'vault-unseal',
    serial: 'DENK0105160',
    manufacturer: 'www.CardContact.de',
    model: 'PKCS#15 emulated',
    firmwareVersion: '3.5',
    userPinSet: true,
    pinLengthMinimum: 6,
    pinLengthMaximum: 15,
    userPinState: 'ok',
    soPinState: 'ok',
    writeProtected: false,
    loggedIn: false,
    wrappingKeys: [
      {
        label: 'bank-vaults',
        id: '01',
        modulusBits: 2048,
        curve: '',
        complete: true,
        doubled: false,
        publicKeySha256: '9e'.repeat(32),
        publicKeyWords,
      },
    ],
    dataObjects: usualObjects
      .filter((object) => object.objectClass === 'data')
      .map(({ label, size }) => ({ label, size })),
    objects: [...usualObjects],
    freeMemory: 52_480,
    totalMemory: 76_000,
    device: deviceView(),
    inspected: true,
    ...part,
  };
}

export const secondDevice: TokenView = smartCardHsm({
  slotId: 4,
  label: 'vault-backup',
  serial: 'DENK0105161',
  wrappingKeys: [],
  dataObjects: [],
  objects: [],
  freeMemory: 74_112,
  device: deviceView({
    readerName: 'Nitrokey Nitrokey HSM (DENK01051610000         ) 01 00',
    freeMemory: 74_112,
    pinTriesLeft: 2,
  }),
});

export const worriedDevice: TokenView = smartCardHsm({
  slotId: 8,
  label: 'archive',
  serial: 'DENK0099002',
  userPinState: 'final-try',
  wrappingKeys: [],
  objects: [],
  dataObjects: [],
  device: deviceView({
    readerName: 'Identiv uTrust 3512 SAM slot Token [CCID Interface] 02 00',
    freeMemory: 5120,
    pinTriesLeft: 1,
    soPinTriesLeft: 2,
    dkek: { kind: 'awaiting-shares', shares: 3, outstanding: 2, keyCheckValue: '' },
  }),
});

export const newDevice: TokenView = smartCardHsm({
  slotId: 12,
  initialized: false,
  label: '',
  serial: 'DENK0200417',
  userPinSet: false,
  wrappingKeys: [],
  objects: [],
  dataObjects: [],
  inspected: false,
  device: deviceView({
    freeMemory: 75_000,
    pinState: 'not-initialized',
    pinTriesLeft: -1,
    dkek: { kind: 'none', shares: 0, outstanding: 0, keyCheckValue: '' },
    options: [],
  }),
});

export function vaultOnDevice(state: VaultView['state']): VaultView {
  return {
    id: 'production',
    name: 'Production',
    rehearsal: false,
    trust: { kind: 'system' },
    nodes: [
      {
        address: 'https://vault-1.example:8200',
        state,
        product: 'vault',
        version: '1.21.1',
        sealType: 'shamir',
        storageType: 'raft',
        threshold: 3,
        shares: 5,
        progress: 0,
        attemptNonce: '',
        clusterName: 'vault-cluster-9c1f',
        lastSeen: '2026-11-22T10:00:00Z',
        problem: null,
      },
    ],
    state,
    tokenSerial: 'DENK0105160',
    tokenStoreId: moduleOfOpenSc.id,
    keyLabel: 'bank-vaults',
    secret: null,
  };
}

function step(part: Partial<StepView>): StepView {
  return {
    id: 'step',
    title: 'Step',
    actor: { role: 'administrator', name: '' },
    explanation: '',
    guide: null,
    action: 'Go on',
    pace: 'deliberate',
    danger: null,
    status: 'done',
    startedAt: '2026-11-22T10:00:00Z',
    endedAt: '2026-11-22T10:00:04Z',
    attempts: 1,
    evidence: {},
    problem: null,
    ...part,
  };
}

/** A backup drill that has ended, with the evidence that such a run leaves. */
export const endedDrill: RunView = {
  id: 'drill',
  workflow: 'backup-drill',
  title: 'Prove a key’s backup',
  subject: 'vault-unseal',
  rehearsal: false,
  status: 'completed',
  busy: false,
  waitsFor: '',
  startedBy: 'Ada',
  startedAt: '2026-11-22T09:58:00Z',
  endedAt: '2026-11-22T10:02:00Z',
  steps: [
    step({
      id: 'compare-dkek',
      title: 'Compare the DKEK of both devices',
      evidence: { keyCheckValue, keyCheckWords: 'edict applicant playhouse speculate quota positive endow gravity' },
    }),
    step({
      id: 'log-in',
      title: 'Log in to “vault-unseal”',
      actor: { role: 'custodian', name: 'Ada' },
      evidence: { serial: 'DENK0105160' },
    }),
    step({
      id: 'wrap-key',
      title: 'Wrap “bank-vaults”',
      evidence: {
        keyLabel: 'bank-vaults',
        file: '/home/ada/.local/share/key-custodian/runs/2026-11-22-drill/outbox/wrapped-key.bin',
        fileSha256: 'd1'.repeat(32),
      },
    }),
    step({ id: 'prove', title: 'Decrypt the same on both', evidence: { provenOn: 'vault-unseal, vault-backup' } }),
  ],
  deviations: [],
  journalHead: '77'.repeat(32),
  problem: null,
};

export function viewWithDevices(part: Partial<AppView> = {}): AppView {
  return {
    version: '0.1.0',
    dataDirectory: '/home/ada/.local/share/key-custodian',
    locked: false,
    stores: [moduleOfOpenSc],
    tokens: [smartCardHsm(), secondDevice, worriedDevice, newDevice],
    presence: {
      state: 'ready',
      readers: [smartCardHsm(), secondDevice, worriedDevice].map((token) => ({
        name: token.device?.readerName ?? '',
        state: 'card',
      })),
      usb: [
        {
          id: '20a0:4230',
          serial: 'DENK0105160',
          kind: 'nitrokey-hsm',
          name: 'Nitrokey HSM 2',
          tokenSerial: 'DENK0105160',
        },
        {
          id: '20a0:4230',
          serial: 'DENK0105161',
          kind: 'nitrokey-hsm',
          name: 'Nitrokey HSM 2',
          tokenSerial: 'DENK0105161',
        },
        { id: '20a0:42b1', serial: '', kind: 'other-nitrokey', name: 'Nitrokey FIDO2', tokenSerial: '' },
      ],
      problems: [],
    },
    vaults: [vaultOnDevice('unsealed')],
    clusters: clustersView({ contexts: [] }),
    pushes: [],
    runs: [endedDrill],
    rehearsal: { state: 'none', progressText: '', progressFraction: -1, problem: null, storeId: '', vaultId: '' },
    settings: { theme: 'light', lockAfterMinutes: 60, operatorName: 'Ada' },
    notices: [],
    trayAvailable: true,
    ...part,
  };
}

/** A Nitrokey HSM that GnuPG holds, and a Nitrokey that is none; the Vault is sealed and its device is not usable. */
export const viewWithProblems: AppView = viewWithDevices({
  tokens: [],
  vaults: [vaultOnDevice('sealed')],
  presence: {
    state: 'ready',
    readers: [],
    usb: [
      { id: '20a0:4230', serial: 'DENK0105160', kind: 'nitrokey-hsm', name: 'Nitrokey HSM 2', tokenSerial: '' },
      { id: '20a0:42b1', serial: '', kind: 'other-nitrokey', name: 'Nitrokey FIDO2', tokenSerial: '' },
    ],
    problems: [
      {
        kind: 'held-by-scdaemon',
        title: 'GnuPG holds Nitrokey HSM 2',
        text: 'scdaemon, GnuPG’s program for cards, has taken the reader for itself. It does so as soon as gpg or an SSH agent has looked for a card.',
        next: 'Tell it to share (GnuPG 2.2.28 or later), and end it. It starts again by itself when gpg needs it.',
        commands: "printf 'disable-ccid\\npcsc-shared\\n' >> ~/.gnupg/scdaemon.conf\ngpgconf --kill scdaemon",
      },
      {
        kind: 'not-an-hsm',
        title: 'Nitrokey FIDO2 is not an HSM',
        text: 'It signs people in to web sites and keeps no keys of this kind.',
        next: 'Plug in a Nitrokey HSM 2.',
        commands: '',
      },
    ],
  },
});

/** Hundreds of objects on one token. */
export function crowdedDevice(count: number): TokenView {
  return smartCardHsm({
    objects: Array.from({ length: count }, (_, at) =>
      objectView({ label: `archive-entry-${String(at)}`, sha256: at.toString(16).padStart(64, '0') }),
    ),
  });
}

const nothing: Pick<AppView, 'stores' | 'tokens' | 'vaults' | 'runs'> = {
  stores: [moduleOfOpenSc],
  tokens: [],
  vaults: [],
  runs: [],
};

export const viewWithNothing: AppView = viewWithDevices({
  ...nothing,
  presence: { state: 'ready', readers: [], usb: [], problems: [] },
});
