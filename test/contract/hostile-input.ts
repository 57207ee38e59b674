/** Inputs for the contract tests: what each channel honestly gets, and everything that a hostile window could send. */
import fc from 'fast-check';
import type { ChannelName } from '../../electron/contract/channels.ts';
import type { PromptChannelName } from '../../electron/contract/prompt.ts';

const point = Buffer.alloc(65, 4).toString('base64');
const sealed = {
  ephemeralPublicKey: point,
  nonce: Buffer.alloc(12).toString('base64'),
  ciphertext: Buffer.alloc(40).toString('base64'),
};

const tokenSetupPlan = {
  workflow: 'token-setup',
  rehearsal: true,
  storeId: 'rehearsal',
  storeName: 'Rehearsal',
  slotId: 0,
  expectedSerial: '',
  initialize: true,
  currentLabel: '',
  label: 'vault-keys',
  keyLabel: 'bank-vaults',
  modulusBits: 2048,
} as const;

/** One well-formed request per channel. */
export const honestRequests: Readonly<Record<ChannelName, unknown>> = {
  'view.get': {},
  'tokens.refresh': {},
  'tokens.inspect': { storeId: 'softhsm', serial: '0123456789abcdef' },
  'tokens.export-key': {
    storeId: 'opensc',
    serial: 'DENK0100001',
    id: '1d0aa5a2c4bd54dbc1d3d2b2e3c3d4e5f6a7b8c9',
    label: 'bank-vaults',
    format: 'pem',
  },
  'tokens.choose-certificate': {},
  'dkek.choose-share-file': {},
  'presence.refresh': {},
  'presence.copy-commands': { title: 'The card service is not running' },
  'stores.choose-module': {},
  'stores.add': { name: 'Nitrokey', modulePath: '/usr/lib/opensc-pkcs11.so' },
  'stores.remove': { storeId: 'module-1' },
  'vaults.choose-ca-file': {},
  'vaults.fetch-certificate': { address: 'https://127.0.0.1:8200' },
  'vaults.add': { name: 'Production', addresses: ['https://127.0.0.1:8200'], trust: { kind: 'system' } },
  'vaults.remove': { vaultId: 'vault-1' },
  'vaults.refresh': { vaultId: 'vault-1' },
  'clusters.refresh': {},
  'clusters.probe': { contextId: 'a1b2c3d4e5f60718' },
  'clusters.allow': { contextId: 'a1b2c3d4e5f60718', partId: '0123456789abcdef' },
  'clusters.rights': { contextId: 'a1b2c3d4e5f60718', recipe: 'softhsm-cluster' },
  'clusters.list-names': { contextId: 'a1b2c3d4e5f60718', kind: 'nodes', namespace: '', continueFrom: '' },
  'clusters.pin': { contextId: 'a1b2c3d4e5f60718' },
  'recipes.defaults': { recipe: 'bank-vaults' },
  'recipes.render': { form: { recipe: 'node-setup', nodes: [{ name: 'worker 1; rm', devices: -1 }] } },
  'recipes.preview': { contextId: 'a1b2c3d4e5f60718', form: { recipe: 'node-setup' } },
  'recipes.save': { form: { recipe: 'kms-plugin' }, output: 'kustomize' },
  'recipes.save-rights': { previewId: 'preview-1' },
  'pushes.start': { previewId: 'preview-1', takeOverConflicts: false },
  'pushes.undo': { runId: 'run-1' },
  'pushes.check-drift': { runId: '' },
  'pushes.forget': { runId: 'run-1' },
  'transit.policy': { form: { recipe: 'kms-plugin' } },
  'transit.choose-authority': {},
  'transit.start': {
    vaultId: 'vault-1',
    form: { recipe: 'kms-plugin', backend: { kind: 'transit', mount: '../sys' } },
    contextId: 'a1b2c3d4e5f60718',
    host: 'https://api.example:6443',
    certificateAuthorityPem: '',
    replaceDiffering: false,
  },
  'etcd.choose-file': { part: 'key' },
  'etcd.list-kinds': { contextId: 'a1b2c3d4e5f60718' },
  'kms.status': { contextId: 'a1b2c3d4e5f60718', etcd: { pod: '', prefix: '/registry' }, resources: ['secrets'] },
  'pgp.choose-key': {},
  'pgp.choose-message': {},
  'runs.start': { plan: tokenSetupPlan },
  'runs.continue': { runId: 'run-1', typedName: '' },
  'runs.abandon': { runId: 'run-1', typedName: 'vault-keys' },
  'runs.note-deviation': { runId: 'run-1', step: 'initialize', text: 'The witness came late.' },
  'transcripts.save': { runId: 'run-1', format: 'html' },
  'journal.verify': { runId: '' },
  'rehearsal.start': {},
  'rehearsal.restart-vault': {},
  'rehearsal.discard': {},
  'app.lock': {},
  'app.unlock': {},
  'app.copy-details': { failure: { code: 'Vault_Sealed', message: 'Sealed.', next: 'Unseal it.' } },
  'settings.change': { theme: 'dark', lockAfterMinutes: 15, operatorName: 'A. Turing' },
};

export const honestPromptRequests: Readonly<Record<PromptChannelName, unknown>> = {
  'prompt.get': {},
  'prompt.submit': { id: 'prompt-1', sealed, consentToLastTry: false },
  'prompt.reveal': { id: 'prompt-1', publicKey: point },
  'prompt.confirm': { id: 'prompt-1' },
  'prompt.cancel': { id: 'prompt-1' },
};

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) value = { value };
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

/** What no schema takes and what must not cost memory or time either. JSON.parse makes own `__proto__` fields. */
export const hostileValues: readonly unknown[] = [
  undefined,
  null,
  0,
  Number.NaN,
  'x'.repeat(5 * 1024 * 1024),
  [],
  [[[[[[[[[[[[[[]]]]]]]]]]]]]],
  Array.from({ length: 30_000 }, () => 0),
  new Map([['runId', 'x']]),
  new Date(0),
  new Uint8Array(1024),
  10n,
  Symbol('x'),
  () => undefined,
  JSON.parse('{"__proto__":{"isAdministrator":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
  nested(50),
  cyclic(),
  { unknownField: true },
];

/** Anything that structured cloning lets through, deeply, with the nastiest keys. */
export const anything = fc.anything({
  key: fc.oneof(
    fc.string(),
    fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'runId', 'storeId', 'plan', 'id'),
  ),
  maxDepth: 4,
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
});
