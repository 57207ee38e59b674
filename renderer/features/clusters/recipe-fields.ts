/** The forms of the recipes as data: which fields there are, in which order, and which are shown first. Pure. */
import type { RecipeInput, RecipeName } from '../../../electron/workflows/recipes/recipes.ts';
import { text } from '../../text/en.ts';
import { logIns, withLogin } from './kms-login.ts';
import { textAt, withValue, type RecipeForm } from './recipe-form.ts';

const words = text.recipes.fields;
const titles = text.recipes.sections;

interface FieldBase {
  /** Dotted, as problems name it. */
  readonly path: string;
  readonly label: string;
  readonly help?: string;
  /** Shown only while this holds. */
  readonly when?: (form: RecipeForm) => boolean;
}

export type RecipeField = FieldBase &
  (
    | { readonly kind: 'line' | 'tick' }
    | { readonly kind: 'number'; readonly minimum: number; readonly maximum: number }
    | {
        readonly kind: 'choice';
        readonly choices: readonly { readonly value: string; readonly title: string; readonly help?: string }[];
        /** Sets the value, and what goes along with it. */
        readonly change: (form: RecipeForm, value: string) => RecipeForm;
      }
    | {
        /** A choice that decides which further fields there are: the object around it is replaced. */
        readonly kind: 'variant';
        readonly variants: readonly {
          readonly value: string;
          readonly title: string;
          readonly help?: string;
          readonly fields: Readonly<Record<string, unknown>>;
        }[];
      }
    | { readonly kind: 'lines' | 'nodes' }
  );

export interface RecipeSection {
  readonly title: string;
  /** Behind “More settings”: sensible as it is. */
  readonly further?: boolean;
  readonly fields: readonly RecipeField[];
}

const line = (path: string, label: string, more: Partial<FieldBase> = {}): RecipeField => ({
  kind: 'line',
  path,
  label,
  ...more,
});
const tick = (path: string, label: string, more: Partial<FieldBase> = {}): RecipeField => ({
  kind: 'tick',
  path,
  label,
  ...more,
});
const number = (
  path: string,
  label: string,
  minimum: number,
  maximum: number,
  more: Partial<FieldBase> = {},
): RecipeField => ({ kind: 'number', path, label, minimum, maximum, ...more });
const choice = (
  path: string,
  label: string,
  choices: readonly (readonly [value: string, title: string])[],
  more: Partial<FieldBase> & { readonly change?: (form: RecipeForm, value: string) => RecipeForm } = {},
): RecipeField => ({
  kind: 'choice',
  path,
  label,
  choices: choices.map(([value, title]) => ({ value, title })),
  change: (form, value) => withValue(form, path, value),
  ...more,
});

const is =
  (path: string, value: string) =>
  (form: RecipeForm): boolean =>
    textAt(form, path) === value;
const isNot =
  (path: string, value: string) =>
  (form: RecipeForm): boolean =>
    !is(path, value)(form);

const pinSecret: readonly RecipeField[] = [
  tick('pinSecret.make', words.pinMake),
  line('pinSecret.name', words.pinSecretName),
  line('pinSecret.key', words.pinSecretKey),
];

const selectBy = (path: string, when?: (form: RecipeForm) => boolean): readonly RecipeField[] => [
  {
    kind: 'variant',
    path: `${path}.kind`,
    label: words.selectBy,
    variants: [
      { value: 'label', title: words.byLabel, fields: { tokenLabel: 'vault' } },
      { value: 'slot', title: words.bySlot, fields: { slotId: 0 } },
    ],
    ...(when === undefined ? {} : { when }),
  },
  line(`${path}.tokenLabel`, words.tokenLabel, {
    when: (form) => (when?.(form) ?? true) && is(`${path}.kind`, 'label')(form),
  }),
  number(`${path}.slotId`, words.slot, 0, 4_294_967_295, {
    when: (form) => (when?.(form) ?? true) && is(`${path}.kind`, 'slot')(form),
  }),
];

const isNitrokey = is('device.kind', 'nitrokey');

const sectionsByRecipe: Readonly<Record<RecipeName, readonly RecipeSection[]>> = {
  'bank-vaults': [
    {
      title: titles.basics,
      fields: [line('name', words.name), line('namespace', words.namespace), number('size', words.size, 1, 11)],
    },
    {
      title: titles.device,
      fields: [
        {
          kind: 'variant',
          path: 'device.kind',
          label: words.device,
          variants: [
            { value: 'softhsm', title: words.softhsm, help: words.softhsmHelp, fields: { tokenLabel: 'vault' } },
            {
              value: 'nitrokey',
              title: words.nitrokey,
              help: words.nitrokeyHelp,
              fields: {
                slotId: 0,
                daemonRequests: { cpu: '100m', memory: '64Mi' },
                daemonLimits: { cpu: '200m', memory: '128Mi' },
              },
            },
            {
              value: 'other',
              title: words.otherDevice,
              help: words.otherDeviceHelp,
              fields: {
                modulePath: '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
                selectBy: { kind: 'label', tokenLabel: 'cavium' },
              },
            },
          ],
        },
        line('device.tokenLabel', words.tokenLabel, { when: is('device.kind', 'softhsm') }),
        number('device.slotId', words.slot, 0, 255, { when: isNitrokey }),
        line('device.modulePath', words.modulePath, { when: is('device.kind', 'other') }),
        ...selectBy('device.selectBy', is('device.kind', 'other')),
        line('keyLabel', words.keyLabel),
      ],
    },
    { title: titles.pin, fields: pinSecret },
    {
      title: titles.shares,
      fields: [
        {
          kind: 'variant',
          path: 'shares.kind',
          label: words.sharesWhere,
          variants: [
            {
              value: 'secret',
              title: words.sharesSecret,
              help: words.sharesSecretHelp,
              fields: { namespace: 'default', name: 'vault-unseal-keys' },
            },
            { value: 'device', title: words.sharesDevice, help: words.sharesDeviceHelp, fields: {} },
          ],
        },
        line('shares.name', words.secretName, { when: is('shares.kind', 'secret') }),
        line('shares.namespace', words.secretNamespace, { when: is('shares.kind', 'secret') }),
      ],
    },
    {
      title: titles.unsealing,
      further: true,
      fields: [
        number('options.secretShares', words.secretShares, 1, 255),
        number('options.secretThreshold', words.secretThreshold, 1, 255),
        tick('options.preFlightChecks', words.preFlight),
        tick('options.storeRootToken', words.storeRoot),
      ],
    },
    {
      title: titles.storage,
      further: true,
      fields: [
        choice('storage.kind', words.storageKind, [
          ['raft', words.raft],
          ['file', words.fileStorage],
        ]),
        line('storage.size', words.volume),
      ],
    },
    {
      title: titles.images,
      further: true,
      fields: [
        line('vaultImage', words.vaultImage),
        line('bankVaultsImage', words.bankVaultsImage),
        line('serviceAccount', words.serviceAccount),
      ],
    },
    {
      title: titles.device,
      further: true,
      fields: [
        line('device.daemonRequests.cpu', words.cpuRequest, { when: isNitrokey }),
        line('device.daemonRequests.memory', words.memoryRequest, { when: isNitrokey }),
        line('device.daemonLimits.cpu', words.cpuLimit, { when: isNitrokey }),
        line('device.daemonLimits.memory', words.memoryLimit, { when: isNitrokey }),
      ],
    },
  ],
  'softhsm-cluster': [
    {
      title: titles.basics,
      fields: [
        line('name', words.name),
        line('namespace', words.namespace),
        tick('createNamespace', words.createNamespace),
      ],
    },
    { title: titles.token, fields: [line('tokenLabel', words.tokenLabel), line('keyLabel', words.keyLabel)] },
    {
      title: titles.pin,
      fields: [
        tick('pinSecret.make', words.pinMake),
        line('pinSecret.name', words.pinSecretName),
        line('pinSecret.pinKey', words.pinSecretKey),
        line('pinSecret.soPinKey', words.soPinSecretKey),
      ],
    },
    {
      title: titles.seal,
      fields: [
        choice('vaultSeal', words.vaultSeal, [
          ['none', words.sealNone],
          ['vault-enterprise', words.sealVault],
          ['openbao', words.sealBao],
        ]),
        tick('monitoring', words.monitoring),
      ],
    },
    {
      title: titles.storage,
      further: true,
      fields: [
        line('storage.size', words.volume),
        line('storage.hostPath', words.hostPath),
        line('storage.storageClass', words.storageClass, { help: words.storageClassHelp }),
      ],
    },
    {
      title: titles.images,
      further: true,
      fields: [
        line('image', words.image),
        line('modulePath', words.modulePath),
        number('runAs', words.runAs, 1, 65_535),
        number('runAsGroup', words.runAsGroup, 1, 65_535),
      ],
    },
  ],
  'node-setup': [
    { title: titles.nodes, fields: [{ kind: 'nodes', path: 'nodes', label: words.nodes }] },
    {
      title: titles.scheduling,
      fields: [
        tick('label', words.labelNodes),
        choice('taint', words.taint, [
          ['none', words.taintNone],
          ['NoSchedule', words.taintHard],
          ['PreferNoSchedule', words.taintSoft],
        ]),
        tick('minikube', words.minikube),
      ],
    },
  ],
  'pkcs11-seal': [
    {
      title: titles.basics,
      fields: [
        choice('product', words.product, [
          ['vault-enterprise', words.vaultEnterprise],
          ['openbao', words.openbao],
        ]),
        line('namespace', words.namespace),
        line('configMap', words.configMap),
      ],
    },
    {
      title: titles.token,
      fields: [line('modulePath', words.modulePath), ...selectBy('selectBy'), line('keyLabel', words.keyLabel)],
    },
    {
      title: titles.seal,
      fields: [
        choice('mechanism', words.mechanism, [
          ['CKM_AES_GCM', 'AES-GCM'],
          ['CKM_RSA_PKCS_OAEP', 'RSA-OAEP'],
          ['CKM_AES_CBC_PAD', 'AES-CBC'],
        ]),
        choice(
          'oaepHash',
          words.oaepHash,
          (['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const).map((hash) => [hash, hash] as const),
          { when: is('mechanism', 'CKM_RSA_PKCS_OAEP') },
        ),
        line('hmacKeyLabel', words.hmacKeyLabel, { when: is('mechanism', 'CKM_AES_CBC_PAD') }),
        tick('generateKey', words.generateKey, { when: is('product', 'vault-enterprise') }),
        tick('disabled', words.disabled),
      ],
    },
    { title: titles.pin, fields: pinSecret },
    { title: titles.other, further: true, fields: [line('keyId', words.keyId)] },
  ],
  'kms-plugin': [
    {
      title: titles.basics,
      fields: [
        line('name', words.name),
        line('namespace', words.namespace),
        choice('platform', words.platform, [
          ['kubeadm', 'kubeadm'],
          ['rke2', 'RKE2'],
          ['kind', 'kind'],
        ]),
        { kind: 'lines', path: 'resources', label: words.resources },
      ],
    },
    {
      title: titles.plugin,
      fields: [
        choice('program', words.program, [
          ['key-custodian', words.ownProgram],
          ['kleidi', words.kleidi],
        ]),
        choice('deployment', words.deployment, [
          ['static-pod', words.staticPod],
          ['daemonset', words.daemonset],
        ]),
        line('image', words.image),
      ],
    },
    {
      title: titles.backend,
      fields: [
        {
          kind: 'variant',
          path: 'backend.kind',
          label: words.backend,
          variants: [
            {
              value: 'softhsm',
              title: words.backendSoftHsm,
              fields: {
                modulePath: '/usr/lib/softhsm/libsofthsm2.so',
                tokenLabel: 'kms',
                keyLabel: 'kleidi-kms-plugin',
                tokenDirectory: '/var/lib/key-custodian/tokens',
              },
            },
            {
              value: 'smartcard-hsm',
              title: words.backendCard,
              fields: {
                modulePath: '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
                tokenLabel: 'kms',
                keyLabel: 'kms',
                cardServiceDirectory: '/run/pcscd',
              },
            },
            {
              value: 'transit',
              title: words.backendTransit,
              fields: {
                vaultAddress: 'https://vault.example:8200',
                vaultNamespace: '',
                caFile: '',
                mount: 'transit',
                key: 'kleidi',
                login: 'certificate',
                authMount: 'cert',
                role: 'kleidi',
                policy: 'kleidi',
                serviceAccount: 'kleidi-vault-auth',
                audience: 'vault',
              },
            },
          ],
        },
        ...(
          [
            ['tokenLabel', words.tokenLabel],
            ['keyLabel', words.keyLabel],
            ['modulePath', words.modulePath],
          ] as const
        ).map(([name, label]) => line(`backend.${name}`, label, { when: isNot('backend.kind', 'transit') })),
        line('backend.tokenDirectory', words.tokenDirectory, { when: is('backend.kind', 'softhsm') }),
        line('backend.cardServiceDirectory', words.cardServiceDirectory, {
          when: is('backend.kind', 'smartcard-hsm'),
        }),
        line('backend.vaultAddress', words.vaultAddress, { when: is('backend.kind', 'transit') }),
        line('backend.key', words.transitKey, { when: is('backend.kind', 'transit') }),
        choice(
          'backend.login',
          words.login,
          logIns.map(({ value, title }) => [value, title] as const),
          { when: is('backend.kind', 'transit'), change: withLogin },
        ),
      ],
    },
    {
      title: titles.vault,
      further: true,
      fields: (
        [
          ['vaultNamespace', words.vaultNamespace],
          ['caFile', words.caFile],
          ['mount', words.mount],
          ['authMount', words.authMount],
          ['role', words.role],
          ['policy', words.policy],
          ['serviceAccount', words.serviceAccount],
          ['audience', words.audience],
        ] as const
      ).map(([name, label]) => line(`backend.${name}`, label, { when: is('backend.kind', 'transit') })),
    },
    {
      title: titles.platform,
      further: true,
      fields: [
        line('initImage', words.initImage),
        line('configDirectory', words.configDirectory),
        line('socketDirectory', words.socketDirectory),
        line('kind.clusterName', words.kindCluster, { when: is('platform', 'kind') }),
        line('kind.nodeImage', words.kindImage, { when: is('platform', 'kind') }),
      ],
    },
  ],
};

/** The parts of a recipe's form that have something to show now. */
export function sectionsOf(form: RecipeForm): readonly RecipeSection[] {
  return sectionsByRecipe[form.recipe]
    .map((section) => ({ ...section, fields: section.fields.filter((field) => field.when?.(form) ?? true) }))
    .filter((section) => section.fields.length > 0);
}

/** In the order in which a person meets them. */
export const recipeOrder: readonly RecipeInput['recipe'][] = [
  'bank-vaults',
  'softhsm-cluster',
  'node-setup',
  'pkcs11-seal',
  'kms-plugin',
];
