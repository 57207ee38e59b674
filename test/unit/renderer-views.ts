/** Views for the renderer's unit tests, whole and valid. */
import type { AppView, RunView, StepView, TokenView, VaultView } from '../../electron/contract/views.ts';

export function appView(part: Partial<AppView> = {}): AppView {
  return {
    version: '0.1.0',
    dataDirectory: '/home/user/.local/share/key-custodian',
    locked: false,
    stores: [],
    tokens: [],
    presence: { state: 'ready', readers: [], usb: [], problems: [] },
    vaults: [],
    clusters: {
      state: 'ready',
      kubectl: { state: 'unknown', path: '', version: '', problem: null },
      contexts: [],
      problem: null,
    },
    pushes: [],
    runs: [],
    rehearsal: { state: 'none', progressText: '', progressFraction: -1, problem: null, storeId: '', vaultId: '' },
    settings: { theme: 'system', lockAfterMinutes: 15, operatorName: '' },
    notices: [],
    trayAvailable: true,
    ...part,
  };
}

export function tokenView(part: Partial<TokenView> = {}): TokenView {
  return {
    storeId: 'softhsm',
    storeName: 'SoftHSM',
    rehearsal: false,
    slotId: 1,
    slotDescription: '',
    initialized: true,
    label: 'prod-token',
    reportedLabel: 'prod-token',
    serial: '3f9a21c07be14d55',
    manufacturer: '',
    model: '',
    firmwareVersion: '',
    userPinSet: true,
    pinLengthMinimum: 4,
    pinLengthMaximum: 255,
    userPinState: 'ok',
    soPinState: 'ok',
    writeProtected: false,
    loggedIn: false,
    wrappingKeys: [],
    dataObjects: [],
    objects: [],
    freeMemory: -1,
    totalMemory: -1,
    device: null,
    inspected: false,
    ...part,
  };
}

export function vaultView(state: VaultView['state']): VaultView {
  const initialized = state === 'sealed' || state === 'unsealed';
  return {
    id: `vault-${state}`,
    name: state,
    rehearsal: false,
    trust: { kind: 'system' },
    nodes: [
      {
        address: 'https://a.example:8200',
        state,
        product: 'vault',
        version: '1.21.1',
        sealType: 'shamir',
        storageType: 'raft',
        threshold: initialized ? 3 : 0,
        shares: initialized ? 5 : 0,
        progress: 0,
        attemptNonce: '',
        clusterName: '',
        lastSeen: '',
        problem: null,
      },
    ],
    state,
    tokenSerial: '',
    tokenStoreId: '',
    keyLabel: '',
    secret: null,
  };
}

export function stepView(id: string, status: StepView['status'], evidence: StepView['evidence'] = {}): StepView {
  return {
    id,
    title: id,
    actor: { role: 'administrator', name: '' },
    explanation: '',
    guide: null,
    action: '',
    pace: 'automatic',
    danger: null,
    status,
    startedAt: '',
    endedAt: '',
    attempts: 0,
    evidence,
    problem: null,
  };
}

export function runView(part: Partial<RunView>): RunView {
  return {
    id: 'run',
    workflow: 'unseal',
    title: 'Run',
    subject: 'prod',
    rehearsal: false,
    status: 'open',
    busy: false,
    waitsFor: '',
    startedBy: '',
    startedAt: '',
    endedAt: '',
    steps: [],
    deviations: [],
    journalHead: '',
    problem: null,
    ...part,
  };
}
