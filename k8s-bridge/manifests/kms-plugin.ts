/** A KMS v2 plugin beside kube-apiserver. Sources: FORMATS 2; Kubernetes, "Using a KMS provider for data encryption". */
import type { Manifest, RecipeFile, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import type { KmsPluginInput } from '../../electron/workflows/recipes/kms-plugin.ts';
import { reviewerSecret } from '../../electron/workflows/recipes/transit-setup.ts';
import { pluginConfig, pluginConfigText } from './kms-config.ts';
import { kmsFiles } from './kms-files.ts';
import type { TransitBackend } from './kms-paths.ts';
import { kmsPodSpec } from './kms-pod.ts';
import { metadata, recipeLabels, referenceOf } from './objects.ts';
import { toYaml } from './yaml-text.ts';

const component = 'kms-plugin';
const labelsOf = (input: KmsPluginInput): Record<string, string> => ({
  ...recipeLabels(input.name, component),
  tier: 'control-plane',
});

/** Who the plugin is for Vault, and what lets Vault ask the API server whether that is true. */
function accessForVault(input: KmsPluginInput, backend: TransitBackend): readonly Manifest[] {
  const labels = labelsOf(input);
  const name = backend.serviceAccount;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(name, input.namespace, labels) },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      // The token controller fills it in; it is what a Vault outside the cluster reviews tokens with.
      metadata: metadata(reviewerSecret({ namespace: input.namespace, backend }).name, input.namespace, labels, {
        'kubernetes.io/service-account.name': name,
      }),
      type: 'kubernetes.io/service-account-token',
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: metadata(`${input.namespace}-${name}-token-review`, '', labels),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name, namespace: input.namespace }],
    },
  ];
}

function daemonSet(input: KmsPluginInput): Manifest {
  const labels = labelsOf(input);
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata(input.name, input.namespace, labels),
    spec: {
      selector: { matchLabels: { 'app.kubernetes.io/name': component, 'app.kubernetes.io/instance': input.name } },
      // One control-plane node at a time: the others go on.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: { metadata: { labels }, spec: kmsPodSpec(input) },
    },
  };
}

function staticPod(input: KmsPluginInput): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(input.name, input.namespace, labelsOf(input)),
    spec: kmsPodSpec(input),
  };
}

const manifestDirectory = {
  kubeadm: '/etc/kubernetes/manifests',
  kind: '/etc/kubernetes/manifests',
  rke2: '/var/lib/rancher/rke2/agent/pod-manifests',
} as const;

function podFiles(input: KmsPluginInput): readonly RecipeFile[] {
  if (input.deployment === 'daemonset') return [];
  const config = pluginConfig(input);
  return [
    {
      name: 'kms-plugin-pod.yaml',
      language: 'yaml',
      text: toYaml(staticPod(input), {
        header: 'A static Pod: the kubelet starts it from this file, before there is an API server.',
      }),
      place: `On each control-plane node: ${manifestDirectory[input.platform]}/${input.name}.yaml.`,
    },
    ...(config === undefined
      ? []
      : [
          {
            name: 'config.json',
            language: 'json' as const,
            text: pluginConfigText(config),
            place: `On each control-plane node: ${input.configDirectory}/config.json, for root alone.`,
          },
        ]),
  ];
}

function notesOf(input: KmsPluginInput): readonly string[] {
  const { backend } = input;
  const notes = [
    'Kubernetes 1.29 or later: KMS v2 is stable from there on.',
    'Start the plugin on every control-plane node first, then hand kube-apiserver its configuration: with a first provider that does not answer, nothing that it encrypts can be read or written.',
    'What was there before stays as it was until it is written anew: Verification counts it and does so.',
  ];
  if (backend.kind === 'softhsm') {
    notes.push(
      'Each node makes a key of its own, which another node’s kube-apiserver cannot use. With more than one control-plane node, copy the token directory to the others first.',
      'The PINs lie in files on the node and not in a Secret: reading a Secret at a cold start needs this plugin.',
      'SoftHSM keeps its keys in files that whoever is root on the node can copy: for tests.',
    );
    if (input.program === 'kleidi') {
      notes.push(
        'kleidi reads its PIN from config.json alone: the init container writes that file into memory, at each start.',
        'kleidi tells a constant key id: this key can never be rotated, and a token that is gone is still told as healthy.',
      );
    }
  } else if (backend.kind === 'smartcard-hsm') {
    notes.push(
      'Every control-plane node has a device of its own with the same key pair: set one up with a DKEK, copy it to the others (Devices, “Clone or replace a device”), and give all of them this label.',
      `The pair ${backend.keyLabel} is RSA that decrypts, or of a NIST curve that derives, and is made before: nothing here makes keys on a device.`,
      'pcscd runs on the node and reads the device; the Pod reaches it by its socket. Three wrong PINs block a device: the plugin sends a refused one no second time.',
    );
  } else {
    notes.push(
      `Vault needs the mount ${backend.mount}, the key ${backend.key}, the policy ${backend.policy} and a login for it: run “Set up Transit” first.`,
      'A Vault inside the cluster that it encrypts cannot start cold: its own Secrets are among what cannot be read. Keep it outside.',
    );
    if (backend.login === 'service-account') {
      notes.push(
        `A Vault outside this cluster reviews tokens with the one in Secret ${backend.serviceAccount}-token (token_reviewer_jwt): the plugin’s own is for audience ${backend.audience}, which the API server does not take. custodian vault setup-transit hands it over from the cluster; by hand vault-kubernetes-config.txt says how.`,
      );
    }
    if (backend.vaultAddress.startsWith('http:')) {
      notes.push(
        'The address is plain http: keys for keys would go over the network unprotected. For rehearsals only.',
      );
    }
  }
  if (input.program === 'key-custodian') {
    notes.push('The image is built from this project’s source; none is published.');
  }
  if (input.platform === 'rke2') {
    notes.push(
      'RKE2 encrypts Secrets by itself with a configuration of its own. Copy its provider (aescbc) from /var/lib/rancher/rke2/server/cred/encryption-config.json between kms and identity, or what it wrote cannot be read.',
    );
  }
  if (input.platform === 'kind') {
    notes.push(
      'kind hands kubeadm v1beta3, where arguments are a map; with a node image that wants v1beta4 make them a list.',
    );
  }
  return notes;
}

export function renderKmsPlugin(input: KmsPluginInput): RenderedRecipe {
  const { backend } = input;
  const config = pluginConfig(input);
  const isDaemonSet = input.deployment === 'daemonset';
  const daemon = daemonSet(input);
  const configMap: Manifest | undefined =
    isDaemonSet && config !== undefined
      ? {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: metadata(`${input.name}-config`, input.namespace, labelsOf(input)),
          data: { 'config.json': pluginConfigText(config) },
        }
      : undefined;
  return {
    content: {
      objects: [
        ...(backend.kind === 'transit' && backend.login === 'service-account' ? accessForVault(input, backend) : []),
        ...(configMap === undefined ? [] : [configMap]),
        ...(isDaemonSet ? [daemon] : []),
      ],
      secretSlots: [],
      patches: [],
      rollouts: isDaemonSet ? [referenceOf(daemon)] : [],
    },
    files: [...podFiles(input), ...kmsFiles(input)],
    notes: notesOf(input),
  };
}
