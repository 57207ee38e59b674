'use strict';

/**
 * Who may import whom (the table in the design notes, for the rooms that exist).
 * Each room lists everything that it may reach; whatever is not listed is refused.
 * Type-only imports count like any other unless a rule says otherwise.
 */

/** Stands for Node's own modules, which dependency-cruiser knows by kind and not by path. */
const node = 'node';
const npm = (...names) => names.map((name) => `^node_modules/${name}(/|$)`);
const room = (...names) => names.map((name) => `^${name}/`);

/** Rooms that know nothing of Electron: the command line and the tests use them as they are. */
const coreRooms = [
  'electron/workflows',
  'electron/sealing',
  'electron/hosts',
  'electron/vault',
  'electron/shares',
  'electron/custody',
  'electron/tokens',
  'electron/clusters',
  'electron/rehearsal',
  'electron/runs',
  'electron/core',
];

/** room → what it may import besides itself. */
const table = {
  'electron/workflows': [...npm('zod')],
  'electron/sealing': [...npm('zod')],
  'electron/contract': [...npm('zod'), ...room('electron/workflows', 'electron/sealing')],
  'electron/hosts': [node, ...npm('zod'), ...room('electron/workflows')],
  'electron/vault': [
    node,
    ...npm('zod', 'node-vault', 'undici'),
    ...room('electron/workflows'),
    '^electron/core/core\\.ts$',
  ],
  'electron/custody': [
    node,
    ...npm('zod'),
    ...room('electron/workflows', 'electron/sealing'),
    '^electron/core/core\\.ts$',
  ],
  'electron/shares': [
    node,
    ...npm('zod', 'openpgp', 'undici'),
    ...room('electron/workflows', 'electron/sealing', 'electron/vault', 'electron/hosts', 'electron/custody'),
  ],
  'electron/tokens': [
    node,
    ...npm('zod'),
    ...room('electron/workflows', 'electron/sealing', 'electron/hosts'),
    '^native/[a-z0-9/-]*protocol\\.ts$',
  ],
  'electron/rehearsal': [
    node,
    ...npm('zod', '@peculiar/x509', 'reflect-metadata'),
    ...room('electron/workflows', 'electron/vault', 'electron/custody'),
    '^electron/core/core\\.ts$',
  ],
  'electron/runs': [
    node,
    ...npm('zod'),
    ...room('electron/workflows', 'electron/sealing', 'electron/custody'),
    '^electron/core/core\\.ts$',
    // Pure: what a value becomes under a public key.
    '^electron/hosts/value-wrapping\\.ts$',
  ],
  'electron/core': [node, ...npm('zod'), ...room(...coreRooms)],
  'electron/ipc': [
    node,
    ...npm('electron', 'zod'),
    ...room('electron/contract', 'electron/workflows', 'electron/sealing', 'electron/core'),
    '^electron/security/',
  ],
  'electron/shell': [
    node,
    ...npm('electron', 'zod'),
    ...room(
      'electron/contract',
      'electron/workflows',
      'electron/sealing',
      'electron/core',
      'electron/hosts',
      'electron/security',
      'electron/ipc',
    ),
  ],
  'electron/security': [node, ...npm('electron'), ...room('electron/contract')],
  'electron/command-line': [
    node,
    ...npm('zod', 'commander', 'yaml'),
    ...room(...coreRooms),
    // The KMS provider is an entry of the command line and has no part in the core.
    '^k8s-bridge/kms-provider/',
  ],
  native: [
    node,
    ...npm('zod', 'pkcs11js', 'pcsc-mini', 'usb'),
    ...room('electron/workflows', 'electron/sealing'),
    '^electron/hosts/',
  ],
  'electron/clusters': [
    node,
    ...npm('zod'),
    ...room('electron/workflows', 'electron/sealing', 'electron/hosts'),
    '^k8s-bridge/protocol\\.ts$',
    // Pure: what recipes become.
    '^k8s-bridge/manifests/',
  ],
  'k8s-bridge': [
    node,
    // pkcs11js and undici: for the KMS provider alone, see below.
    ...npm('zod', 'yaml', 'diff', 'pkcs11js', 'undici'),
    ...room('electron/workflows', 'electron/sealing'),
    '^electron/hosts/',
    // For it, too: how public keys lie on tokens, and the templates of what unwraps under them.
    '^native/pkcs11/(public-keys|templates)\\.ts$',
  ],
  // Rendered in main as one types: no process, no file, no clock.
  'k8s-bridge/manifests': [...npm('zod', 'yaml'), ...room('electron/workflows')],
};

const escape = (text) => text.replaceAll('/', '\\/').replaceAll('.', '\\.');

const rooms = Object.entries(table).map(([name, allowed]) => ({
  name: `room-${name.replaceAll('/', '-')}`,
  comment: `${name} imports only what the table "Who may import whom" gives it.`,
  severity: 'error',
  from: { path: `^${escape(name)}/` },
  to: {
    pathNot: [`^${escape(name)}/`, ...allowed.filter((entry) => entry !== node)],
    ...(allowed.includes(node) ? { dependencyTypesNot: ['core'] } : {}),
  },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'No cycles.', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...rooms,
    {
      name: 'electron-only-in-shell',
      comment: 'Only the composition root, the preloads, shell, security and ipc know Electron.',
      severity: 'error',
      from: {
        pathNot: [
          '^electron/(main|[a-z-]*preload[a-z-]*)\\.ts$',
          '^electron/(shell|security|ipc)/',
          '^build/',
          '^test/',
        ],
      },
      to: { path: npm('electron') },
    },
    {
      name: 'devices-only-in-native',
      comment:
        'Vendor libraries, readers and the bus are reached from processes of their own. A bench compares with the bare library; the KMS provider is such a process itself, and one more between would cost as much as a call.',
      severity: 'error',
      from: { pathNot: ['^native/', '^test/', '^k8s-bridge/kms-provider/pkcs11/'] },
      to: { path: npm('pkcs11js', 'pcsc-mini', 'usb') },
    },
    {
      name: 'preload-is-thin',
      comment: 'A preload offers the contract and nothing else; it must bundle into one sandbox-safe file.',
      severity: 'error',
      from: { path: '^electron/[a-z-]*preload[a-z-]*\\.ts$' },
      to: { pathNot: ['^electron/contract/', '^electron/workflows/', '^electron/sealing/', ...npm('electron', 'zod')] },
    },
    {
      name: 'renderer-sees-the-contract',
      comment: 'Screens know the contract; sealing is for the prompt page.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: {
        pathNot: ['^renderer/', '^electron/contract/', '^electron/sealing/', '^electron/workflows/', '^node_modules/'],
      },
    },
    {
      name: 'renderer-types-of-workflows',
      comment:
        "The screens may name the workflows' types, and call evidence what transcripts call it; the decisions themselves stay in main.",
      severity: 'error',
      from: { path: '^renderer/' },
      to: {
        path: '^electron/workflows/',
        pathNot: ['^electron/workflows/evidence-names\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'renderer-has-no-node',
      comment: 'Pages are sandboxed: no Node, no Electron, no native code.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: npm('electron', 'pkcs11js', 'pcsc-mini', 'usb', 'openpgp', 'undici', 'node-vault') },
    },
    {
      name: 'renderer-has-no-node-core',
      comment: "The same for Node's own modules; the preloads and the pure rooms have none either.",
      severity: 'error',
      from: {
        path: ['^renderer/', '^electron/(workflows|contract|sealing)/', '^electron/[a-z-]*preload[a-z-]*\\.ts$'],
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sealing-only-in-the-prompt-page',
      comment: 'The main window never seals a secret because it never has one.',
      severity: 'error',
      from: { path: '^renderer/', pathNot: '^renderer/prompt' },
      to: { path: '^electron/sealing/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'entries-are-not-imported',
      comment: 'main.ts, the preloads and the hosts are started, not imported.',
      severity: 'error',
      from: { pathNot: ['^build/', '^test/'] },
      to: {
        path: [
          '^electron/(main|[a-z-]*preload[a-z-]*)\\.ts$',
          '^native/token-host\\.ts$',
          '^native/presence/presence-host\\.ts$',
          '^electron/shares/share-host\\.ts$',
          '^k8s-bridge/cluster-host\\.ts$',
        ],
      },
    },
    {
      name: 'product-does-not-know-tests',
      severity: 'error',
      from: { path: '^(electron|native|renderer|k8s-bridge)/' },
      to: { path: '^(test|build)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
