/** The Vault custom resource of bank-vaults' operator, with an HSM. Source: FORMATS 1.8; bank-vaults, "HSM Support". */
import type { Manifest, ObjectReference, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import type { BankVaultsInput } from '../../electron/workflows/recipes/bank-vaults.ts';
import { openScModulePath, softHsmModulePath } from '../../electron/workflows/recipes/fields.ts';
import { emptySecret, type JsonObject, metadata, recipeLabels, referenceOf, secretVariable } from './objects.ts';
import { toYaml, type YamlComment } from './yaml-text.ts';

const deviceResource = 'nitrokey.com/hsm';
const dataPath = '/vault/file';

function hsmOf(input: BankVaultsInput): JsonObject {
  const { device, keyLabel } = input;
  switch (device.kind) {
    case 'softhsm':
      return { modulePath: softHsmModulePath, tokenLabel: device.tokenLabel, keyLabel };
    case 'nitrokey':
      return { daemon: true, modulePath: openScModulePath, slotId: device.slotId, keyLabel };
    case 'other':
      return {
        modulePath: device.modulePath,
        ...(device.selectBy.kind === 'label'
          ? { tokenLabel: device.selectBy.tokenLabel }
          : { slotId: device.selectBy.slotId }),
        keyLabel,
      };
  }
}

/** Both or neither: with one alone the operator chooses mode hsm, and the shares go to the device. */
function placeOfShares(input: BankVaultsInput): JsonObject {
  const { shares } = input;
  return shares.kind === 'secret' ? { kubernetes: { secretNamespace: shares.namespace, secretName: shares.name } } : {};
}

function deviceParts(input: BankVaultsInput): JsonObject {
  const { device } = input;
  if (device.kind !== 'nitrokey') return {};
  return {
    resources: {
      hsmDaemon: {
        requests: { ...device.daemonRequests, [deviceResource]: 1 },
        limits: { ...device.daemonLimits, [deviceResource]: 1 },
      },
    },
    // Nodes may be kept for whoever needs the device (recipe "Node set-up").
    tolerations: [{ key: deviceResource, operator: 'Exists' }],
  };
}

function vaultConfiguration(input: BankVaultsInput): JsonObject {
  const host = `${input.name}.${input.namespace}`;
  return {
    // Raft maps its files into memory; Vault 2 starts with it only when this is said (Vault, "disable_mlock").
    ...(input.storage.kind === 'raft' ? { disable_mlock: true } : {}),
    storage: { [input.storage.kind]: { path: dataPath } },
    listener: {
      tcp: {
        address: '0.0.0.0:8200',
        tls_cert_file: '/vault/tls/server.crt',
        tls_key_file: '/vault/tls/server.key',
      },
    },
    api_addr: `https://${host}:8200`,
    // The operator's own template, filled in in each Pod.
    cluster_addr: 'https://${.Env.POD_NAME}:8201',
    ui: true,
  };
}

function customResource(input: BankVaultsInput): Manifest {
  return {
    apiVersion: 'vault.banzaicloud.com/v1alpha1',
    kind: 'Vault',
    metadata: metadata(input.name, input.namespace, recipeLabels(input.name, 'vault')),
    spec: {
      size: input.size,
      image: input.vaultImage,
      bankVaultsImage: input.bankVaultsImage,
      serviceAccount: input.serviceAccount,
      // Reaches the bank-vaults containers of the Vault Pods and of the configurer, and not Vault's own container.
      envsConfig: [secretVariable('BANK_VAULTS_HSM_PIN', input.pinSecret.name, input.pinSecret.key)],
      unsealConfig: { options: { ...input.options }, hsm: hsmOf(input), ...placeOfShares(input) },
      ...deviceParts(input),
      volumeClaimTemplates: [
        {
          metadata: { name: 'vault-file' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            volumeMode: 'Filesystem',
            resources: { requests: { storage: input.storage.size } },
          },
        },
      ],
      volumeMounts: [{ name: 'vault-file', mountPath: dataPath }],
      config: vaultConfiguration(input),
      statsdDisabled: true,
    },
  };
}

/** What bank-vaults needs where the shares lie: to make one Secret, and to read and write that one. */
function accessToShares(input: BankVaultsInput): readonly Manifest[] {
  if (input.shares.kind !== 'secret') return [];
  const { namespace, name: secret } = input.shares;
  const labels = recipeLabels(input.name, 'vault');
  const name = `${input.name}-unseal-keys`;
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metadata(name, namespace, labels),
      rules: [
        // RBAC cannot narrow what is not there yet down by name.
        { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
        { apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get', 'update', 'patch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(name, namespace, labels),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: input.serviceAccount, namespace: input.namespace }],
    },
  ];
}

const comments: readonly YamlComment[] = [
  [['spec', 'envsConfig'], 'The PIN, from a Secret. The field unsealConfig.hsm.pin would put it into an argument.'],
  [
    ['spec', 'unsealConfig', 'hsm', 'daemon'],
    'pcscd beside Vault: a privileged container that reaches the USB device.',
  ],
  [
    ['spec', 'unsealConfig', 'hsm', 'slotId'],
    'By slot: OpenSC adds to the label of a token, differently from release to release.',
  ],
  [['spec', 'unsealConfig', 'kubernetes'], 'Both set: the encrypted shares go into this Secret (mode hsm-k8s).'],
  [['spec', 'resources'], 'Two units a device are advertised: one for the Vault Pod, one for the configurer.'],
];

function notesOf(input: BankVaultsInput): readonly string[] {
  const { device, shares, options } = input;
  const notes = [
    'The operator of bank-vaults must be installed: it turns this object into Vault. Without its CRD the push is refused.',
    `The PIN is read from key ${input.pinSecret.key} of Secret ${input.pinSecret.name}; who may read that Secret, or Pods’ environment by exec, has the PIN.`,
  ];
  if (device.kind === 'softhsm') {
    notes.push(
      'The token and its key come with the bank-vaults image: everybody has them, PIN included. For rehearsals only.',
    );
  }
  if (device.kind === 'nitrokey') {
    notes.push(
      'Set the nodes up first (recipe “Node set-up”): without nitrokey.com/hsm on a node the Pods stay pending.',
    );
    if (input.size > 1) {
      notes.push('Each of these Vaults needs a device of its own on its node, with the same key in the same slot.');
    }
  }
  if (device.kind === 'other') {
    notes.push(`The bank-vaults image must hold ${device.modulePath} and what it loads: build one of your own.`);
  }
  if (shares.kind === 'device') {
    notes.push(
      'bank-vaults cannot write values to a device through OpenSC 0.27.0 or later (it leaves CKA_TOKEN out); reading goes on. Let Key Custodian write them, or keep the shares in a Secret.',
    );
  }
  if (options.storeRootToken)
    notes.push('The root token is kept beside the shares, encrypted. Revoke it once it is not needed.');
  else notes.push('The root token is not stored: bank-vaults prints it into its log once, at the initialisation.');
  if (input.storage.kind === 'raft' && input.size % 2 === 0) {
    notes.push('An even number of Vaults survives no more failures than one fewer does.');
  }
  return notes;
}

export function renderBankVaults(input: BankVaultsInput): RenderedRecipe {
  const labels = recipeLabels(input.name, 'vault');
  const pin = emptySecret(input.pinSecret.name, input.namespace, labels, [
    { key: input.pinSecret.key, what: `User PIN of the token with key ${input.keyLabel}` },
  ]);
  const vault = customResource(input);
  const statefulSet: ObjectReference = {
    ...referenceOf(vault),
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
  };
  const serviceAccount: Manifest = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(input.serviceAccount, input.namespace, labels),
  };
  return {
    content: {
      objects: [serviceAccount, ...accessToShares(input), ...(input.pinSecret.make ? [pin.manifest] : []), vault],
      secretSlots: input.pinSecret.make ? [...pin.slots] : [],
      patches: [],
      rollouts: [statefulSet],
    },
    files: [
      {
        name: 'vault.yaml',
        language: 'yaml',
        text: toYaml(vault, {
          header: 'Vault with an HSM, for the operator of bank-vaults.',
          comments,
        }),
        place: 'The same object with comments, for git. The push needs no file.',
      },
    ],
    notes: notesOf(input),
  };
}
