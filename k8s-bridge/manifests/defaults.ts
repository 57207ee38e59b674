/** Forms as they stand before anybody types: every one of them can be pushed as it is. */
import { openScModulePath, softHsmModulePath } from '../../electron/workflows/recipes/fields.ts';
import { kleidiKeyLabel } from '../../electron/workflows/recipes/kms-plugin.ts';
import type { RecipeInput, RecipeName } from '../../electron/workflows/recipes/recipes.ts';

type Defaults = { readonly [Name in RecipeName]: Extract<RecipeInput, { readonly recipe: Name }> };

const defaults: Defaults = {
  'bank-vaults': {
    recipe: 'bank-vaults',
    name: 'vault',
    namespace: 'default',
    size: 1,
    vaultImage: 'hashicorp/vault:1.21.1',
    bankVaultsImage: 'ghcr.io/bank-vaults/bank-vaults:v1.33.1',
    serviceAccount: 'vault',
    device: { kind: 'softhsm', tokenLabel: 'bank-vaults' },
    keyLabel: 'bank-vaults',
    pinSecret: { name: 'vault-hsm-pin', key: 'pin', make: true },
    shares: { kind: 'secret', namespace: 'default', name: 'vault-unseal-keys' },
    options: { preFlightChecks: true, storeRootToken: true, secretShares: 5, secretThreshold: 3 },
    storage: { kind: 'raft', size: '1Gi' },
  },
  'node-setup': {
    recipe: 'node-setup',
    nodes: [{ name: 'minikube', devices: 1 }],
    label: true,
    taint: 'none',
    minikube: false,
  },
  'softhsm-cluster': {
    recipe: 'softhsm-cluster',
    name: 'softhsm',
    namespace: 'vault',
    createNamespace: true,
    image: 'key-custodian/softhsm:0.1.0',
    modulePath: softHsmModulePath,
    tokenLabel: 'vault',
    keyLabel: 'vault-seal',
    pinSecret: { name: 'softhsm-pin', pinKey: 'pin', soPinKey: 'so-pin', make: true },
    storage: { size: '100Mi', hostPath: '/var/lib/softhsm-cluster', storageClass: '' },
    vaultSeal: 'openbao',
    runAs: 100,
    runAsGroup: 1000,
    monitoring: true,
  },
  'pkcs11-seal': {
    recipe: 'pkcs11-seal',
    product: 'openbao',
    namespace: 'vault',
    configMap: 'pkcs11-seal',
    pinSecret: { name: 'seal-pin', key: 'pin', make: true },
    modulePath: openScModulePath,
    selectBy: { kind: 'label', tokenLabel: 'vault' },
    keyLabel: 'vault-seal',
    keyId: '',
    mechanism: 'CKM_RSA_PKCS_OAEP',
    oaepHash: 'sha256',
    hmacKeyLabel: '',
    generateKey: false,
    offered: [],
    disabled: false,
  },
  'kms-plugin': {
    recipe: 'kms-plugin',
    name: 'key-custodian-kms',
    namespace: 'kube-system',
    program: 'key-custodian',
    image: 'key-custodian/kms:0.1.0',
    // The same image: it holds SoftHSM, OpenSC's pkcs11-tool and a shell beside the provider (build/container/Dockerfile).
    initImage: 'key-custodian/kms:0.1.0',
    deployment: 'daemonset',
    configDirectory: '/etc/key-custodian-kms',
    socketDirectory: '/run/key-custodian-kms',
    resources: ['secrets', 'configmaps'],
    backend: {
      kind: 'softhsm',
      modulePath: softHsmModulePath,
      tokenLabel: 'kms',
      keyLabel: kleidiKeyLabel,
      tokenDirectory: '/var/lib/softhsm/tokens',
    },
    platform: 'kubeadm',
    kind: { clusterName: 'key-custodian', nodeImage: 'kindest/node:v1.34.0' },
  },
};

/** A form's start, free to be changed. */
export function defaultInput(name: RecipeName): RecipeInput {
  return structuredClone(defaults[name]);
}
