/** What a recipe's form refuses, field by field, and what it calls the fault. */
import { describe, expect, test } from 'vitest';
import { recipeNames, type RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { defaultInput } from '../../k8s-bridge/manifests/defaults.ts';
import { checkAndRender } from '../../k8s-bridge/manifests/render.ts';
import { cardBackend, inputOf, recipeVariants, transit } from '../fixtures/recipes.ts';

function problemsOf(input: unknown): readonly string[] {
  const checked = checkAndRender(input);
  return checked.ok ? [] : checked.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('rules over several fields', () => {
  const nitrokey = {
    kind: 'nitrokey',
    slotId: 0,
    daemonRequests: { cpu: '1', memory: '1Mi' },
    daemonLimits: { cpu: '1', memory: '1Mi' },
  } as const;
  const options = { preFlightChecks: true, storeRootToken: true, secretShares: 5, secretThreshold: 3 };
  const kleidi = { program: 'kleidi' } as const;
  const softHsm = defaultInput('kms-plugin');
  const softHsmBackend = softHsm.recipe === 'kms-plugin' && softHsm.backend.kind === 'softhsm' ? softHsm.backend : null;
  if (softHsmBackend === null) throw new Error('The KMS plugin starts from SoftHSM.');

  test.each<[string, RecipeInput, string]>([
    [
      'SoftHSM keeps no shares',
      inputOf('bank-vaults', { shares: { kind: 'device' } }),
      'shares.kind: Keep the shares in a Secret',
    ],
    [
      'SoftHSM by another door keeps none either',
      inputOf('bank-vaults', {
        device: {
          kind: 'other',
          modulePath: '/usr/lib64/pkcs11/libsofthsm2.so',
          selectBy: { kind: 'slot', slotId: 0 },
        },
        shares: { kind: 'device' },
      }),
      'shares.kind: Keep the shares in a Secret',
    ],
    [
      'a Secret without a name',
      inputOf('bank-vaults', { shares: { kind: 'secret', namespace: 'default', name: '' } }),
      'shares.name: Set both namespace and name',
    ],
    [
      'a Secret without a namespace',
      inputOf('bank-vaults', { shares: { kind: 'secret', namespace: '', name: 'keys' } }),
      'shares.namespace: Set both namespace and name',
    ],
    [
      'a Secret without either',
      inputOf('bank-vaults', { shares: { kind: 'secret', namespace: '', name: '' } }),
      'shares.name: Name the Secret and its namespace',
    ],
    [
      'more shares asked for than there are',
      inputOf('bank-vaults', { options: { ...options, secretThreshold: 6 } }),
      'options.secretThreshold: Ask for at most as many shares as there are: 5.',
    ],
    [
      'a threshold of one',
      inputOf('bank-vaults', { options: { ...options, secretThreshold: 1 } }),
      'options.secretThreshold: Vault asks for at least 2',
    ],
    [
      'several Vaults on file storage',
      inputOf('bank-vaults', { size: 3, storage: { kind: 'file', size: '1Gi' }, device: nitrokey }),
      'size: One Vault only',
    ],
    [
      'PIN and shares in one Secret',
      inputOf('bank-vaults', { pinSecret: { name: 'vault-unseal-keys', key: 'pin', make: true } }),
      'pinSecret.name: Keep the PIN and the shares in two Secrets',
    ],
    [
      'a node twice',
      inputOf('node-setup', {
        nodes: [
          { name: 'a', devices: 1 },
          { name: 'a', devices: 2 },
        ],
      }),
      'nodes.1.name: a is in the list twice.',
    ],
    [
      'another module as SoftHSM',
      inputOf('softhsm-cluster', { modulePath: '/usr/lib/opensc-pkcs11.so' }),
      'modulePath: This recipe is for SoftHSM',
    ],
    [
      'PIN and SO-PIN under one key',
      inputOf('softhsm-cluster', { pinSecret: { name: 'pins', pinKey: 'pin', soPinKey: 'pin', make: true } }),
      'pinSecret.soPinKey: PIN and SO-PIN are two values',
    ],
    [
      'CBC for OpenBao',
      inputOf('pkcs11-seal', { mechanism: 'CKM_AES_CBC_PAD' }),
      'mechanism: OpenBao’s seal knows AES-GCM and RSA-OAEP only.',
    ],
    ['a key that OpenBao makes', inputOf('pkcs11-seal', { generateKey: true }), 'generateKey: OpenBao makes no key'],
    ['an HMAC key for OpenBao', inputOf('pkcs11-seal', { hmacKeyLabel: 'x' }), 'hmacKeyLabel: OpenBao’s seal has no'],
    [
      'CBC without its HMAC key',
      inputOf('pkcs11-seal', { product: 'vault-enterprise', mechanism: 'CKM_AES_CBC_PAD' }),
      'hmacKeyLabel: AES-CBC needs a second key',
    ],
    [
      'GCM with an HMAC key',
      inputOf('pkcs11-seal', { product: 'vault-enterprise', mechanism: 'CKM_AES_GCM', hmacKeyLabel: 'x' }),
      'hmacKeyLabel: Only AES-CBC uses an HMAC key',
    ],
    [
      'AES-GCM on a NetHSM',
      inputOf('pkcs11-seal', { mechanism: 'CKM_AES_GCM', offered: ['CKM_AES_CBC', 'CKM_RSA_PKCS_OAEP'] }),
      'mechanism: The chosen token does not offer CKM_AES_GCM.',
    ],
    [
      'OAEP with SHA-256 on SoftHSM',
      inputOf('pkcs11-seal', { modulePath: '/usr/lib/softhsm/libsofthsm2.so' }),
      'oaepHash: SoftHSM up to 2.6.1 does OAEP with SHA-1 only',
    ],
    [
      'a hash that the token has not',
      inputOf('pkcs11-seal', { oaepHash: 'sha512', offered: ['CKM_RSA_PKCS_OAEP', 'CKM_SHA256'] }),
      'oaepHash: The chosen token does not offer CKM_SHA512.',
    ],
    [
      'a static Pod with a token of its own',
      inputOf('kms-plugin', { deployment: 'static-pod', backend: transit }),
      'deployment: A static Pod has no service account token.',
    ],
    [
      'kleidi with another key',
      inputOf('kms-plugin', { ...kleidi, backend: { ...softHsmBackend, keyLabel: 'other' } }),
      'backend.keyLabel: kleidi looks for a key of the label kleidi-kms-plugin',
    ],
    [
      'kleidi by AppRole',
      inputOf('kms-plugin', { ...kleidi, backend: { ...transit, login: 'approle' } }),
      'backend.login: kleidi logs in by service account or certificate.',
    ],
    [
      'kleidi with a Nitrokey',
      inputOf('kms-plugin', { ...kleidi, backend: cardBackend }),
      'program: kleidi needs an AES key, which a Nitrokey does not show.',
    ],
    [
      'socket and configuration together',
      inputOf('kms-plugin', { socketDirectory: '/etc/key-custodian-kms' }),
      'socketDirectory: Keep the socket and the configuration in two directories.',
    ],
    [
      'a resource twice',
      inputOf('kms-plugin', { resources: ['secrets', 'secrets'] }),
      'resources.1: secrets is named twice.',
    ],
  ])('%s', (_, input, expected) => {
    expect(problemsOf(input).map((problem) => problem.slice(0, expected.length))).toContain(expected);
  });
});

describe('fields', () => {
  const hostile = [
    '--flag',
    '-x',
    '$(id)',
    '`id`',
    'a;b',
    'a|b',
    'a\nb',
    "a'b",
    'a"b',
    'a{b',
    '${A}',
    'a\u0000b',
    '&a',
    '*a',
    '',
  ];

  /** Puts a value in the place of every text of a form, one after the other. */
  function* withEachText(input: unknown, value: string): Generator<readonly [path: string, changed: unknown]> {
    if (typeof input === 'string') yield ['', value];
    else if (Array.isArray(input)) {
      for (const [index, item] of input.entries())
        for (const [path, changed] of withEachText(item, value))
          yield [`${index}.${path}`, input.map((other: unknown, at) => (at === index ? changed : other))];
    } else if (typeof input === 'object' && input !== null) {
      for (const [key, item] of Object.entries(input))
        for (const [path, changed] of withEachText(item, value)) yield [`${key}.${path}`, { ...input, [key]: changed }];
    }
  }

  const mayBeEmpty = new Set([
    'keyId.',
    'hmacKeyLabel.',
    'storage.storageClass.',
    'backend.vaultNamespace.',
    'backend.caFile.',
  ]);

  test.each(hostile)('refuse %j in every text of every form', (value) => {
    for (const [name, input] of recipeVariants) {
      for (const [path, changed] of withEachText(input, value)) {
        if (value === '' && mayBeEmpty.has(path)) continue;
        expect(checkAndRender(changed).ok, `${name}: ${path}`).toBe(false);
      }
    }
  });

  test('a space passes in labels of tokens and keys alone, and never at an end', () => {
    const passed = new Set<string>();
    for (const [, input] of recipeVariants)
      for (const [path, changed] of withEachText(input, 'two words')) if (checkAndRender(changed).ok) passed.add(path);
    expect([...passed].sort()).toEqual([
      'backend.keyLabel.',
      'backend.tokenLabel.',
      'device.selectBy.tokenLabel.',
      'device.tokenLabel.',
      'hmacKeyLabel.',
      'keyLabel.',
      'selectBy.tokenLabel.',
      'tokenLabel.',
    ]);
    expect(problemsOf(inputOf('bank-vaults', { keyLabel: 'x ' }))).not.toEqual([]);
    expect(problemsOf(inputOf('bank-vaults', { keyLabel: 'x --so-pin y' }))).toEqual(['keyLabel: Leave out “--”.']);
  });

  test('an unknown field, such as a PIN, is refused', () => {
    expect(problemsOf({ ...defaultInput('bank-vaults'), pin: '1234' })).not.toEqual([]);
    expect(problemsOf({ recipe: 'other' })).not.toEqual([]);
    expect(problemsOf(null)).not.toEqual([]);
  });

  test('every form starts as one that can be pushed, and as a copy', () => {
    for (const name of recipeNames) {
      expect(problemsOf(defaultInput(name))).toEqual([]);
      expect(defaultInput(name)).not.toBe(defaultInput(name));
    }
  });
});
