/** Files for the nodes: EncryptionConfiguration, kube-apiserver's flags, kind's cluster, Vault's policy. */
import type { Json, RecipeFile } from '../../electron/workflows/cluster-ports.ts';
import type { KmsPluginInput } from '../../electron/workflows/recipes/kms-plugin.ts';
import { kmsPolicy } from '../../electron/workflows/recipes/transit-setup.ts';
import { encryptionDirectory, encryptionFile, socketEndpoint, type TransitBackend } from './kms-paths.ts';
import { toYaml } from './yaml-text.ts';

/** Kubernetes, "Encrypting Confidential Data at Rest": the first provider writes, all of them read. */
export function encryptionConfiguration(input: KmsPluginInput, writes: 'kms' | 'identity'): Json {
  const kms = { kms: { apiVersion: 'v2', name: input.name, endpoint: socketEndpoint(input), timeout: '5s' } };
  const identity = { identity: {} };
  return {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: [...input.resources], providers: writes === 'kms' ? [kms, identity] : [identity, kms] }],
  };
}

const flags = {
  'encryption-provider-config': encryptionFile,
  // Read again when it changes: no restart for moving from one order of providers to the other.
  'encryption-provider-config-automatic-reload': 'true',
} as const;

function extraVolumes(input: KmsPluginInput): Json[] {
  return [
    {
      name: 'encryption-configuration',
      hostPath: encryptionDirectory,
      mountPath: encryptionDirectory,
      readOnly: true,
      pathType: 'DirectoryOrCreate',
    },
    {
      name: 'kms-socket',
      hostPath: input.socketDirectory,
      mountPath: input.socketDirectory,
      // Connecting to a socket is no writing: read-only is enough.
      readOnly: true,
      pathType: 'DirectoryOrCreate',
    },
  ];
}

/** v1beta4 names arguments in a list; kind hands kubeadm v1beta3, where they are a map. */
export function kubeadmConfiguration(input: KmsPluginInput, version: 'v1beta3' | 'v1beta4'): Json {
  return {
    ...(version === 'v1beta4' ? { apiVersion: 'kubeadm.k8s.io/v1beta4' } : {}),
    kind: 'ClusterConfiguration',
    apiServer: {
      extraArgs: version === 'v1beta3' ? flags : Object.entries(flags).map(([name, value]) => ({ name, value })),
      extraVolumes: extraVolumes(input),
    },
  };
}

function kindCluster(input: KmsPluginInput): Json {
  const image = input.kind.nodeImage;
  const mount = (hostPath: string, containerPath: string, readOnly: boolean): Json => ({
    hostPath,
    containerPath,
    readOnly,
    propagation: 'None',
  });
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: input.kind.clusterName,
    nodes: [
      {
        role: 'control-plane',
        image,
        extraMounts: [
          mount('./encryption', encryptionDirectory, true),
          mount('./node', input.configDirectory, false),
          ...(input.deployment === 'static-pod'
            ? [mount('./kms-plugin-pod.yaml', `/etc/kubernetes/manifests/${input.name}.yaml`, true)]
            : []),
        ],
        kubeadmConfigPatches: [toYaml(kubeadmConfiguration(input, 'v1beta3'))],
      },
      { role: 'worker', image },
    ],
  };
}

function rke2Configuration(input: KmsPluginInput): Json {
  return {
    'kube-apiserver-arg': Object.entries(flags).map(([name, value]) => `${name}=${value}`),
    'kube-apiserver-extra-mount': [
      `${encryptionDirectory}:${encryptionDirectory}:ro`,
      `${input.socketDirectory}:${input.socketDirectory}:ro`,
    ],
  };
}

function platformFile(input: KmsPluginInput): RecipeFile {
  switch (input.platform) {
    case 'kind':
      return {
        name: 'kind-cluster.yaml',
        language: 'yaml',
        text: toYaml(kindCluster(input), {
          header:
            'kind create cluster --config kind-cluster.yaml\nBeside it: encryption/ with the EncryptionConfiguration, node/ with the files for the node.',
        }),
        place: 'Where kind is run. Replaces nothing: a kind cluster takes this at its creation only.',
      };
    case 'kubeadm':
      return {
        name: 'kubeadm-config.yaml',
        language: 'yaml',
        text: toYaml(kubeadmConfiguration(input, 'v1beta4'), {
          header:
            'Into the ClusterConfiguration of kubeadm (1.31 or later), then on each control-plane node:\nkubeadm init phase control-plane apiserver --config kubeadm-config.yaml',
        }),
        place: 'Merged into the ClusterConfiguration; kubeadm writes the flags into kube-apiserver’s static Pod.',
      };
    case 'rke2':
      return {
        name: 'rke2-config.yaml',
        language: 'yaml',
        text: toYaml(rke2Configuration(input), {
          header: 'Into /etc/rancher/rke2/config.yaml of each server node, then: systemctl restart rke2-server',
        }),
        place: 'On each server node: /etc/rancher/rke2/config.yaml.',
      };
  }
}

/**
 * Secrets are typed on the node and go into files of root's alone. The text is the same for every form but for their
 * names and one path.
 * @param names of the files, one for each secret
 */
function nodeSecretScript(input: KmsPluginInput, names: readonly string[]): string {
  return `#!/bin/sh
# On each control-plane node, as root: asks for what follows and keeps it for root alone: ${names.join(', ')}.
set -eu
umask 077
directory='${input.configDirectory}'
mkdir -p "$directory"
chmod 0700 "$directory"
trap 'stty echo' EXIT INT TERM
for name in ${names.join(' ')}; do
  printf '%s: ' "$name" >&2
  stty -echo
  IFS= read -r value
  stty echo
  echo >&2
  printf '%s\\n' "$value" >"$directory/$name"
  chmod 0400 "$directory/$name"
done
`;
}

const nodeSecrets = (input: KmsPluginInput, name: string, names: readonly string[], what: string): RecipeFile => ({
  name,
  language: 'shell',
  text: nodeSecretScript(input, names),
  place: `On each control-plane node, as root, before the plugin starts: it asks for ${what}.`,
});

function transitFiles(input: KmsPluginInput, backend: TransitBackend): readonly RecipeFile[] {
  const policy: RecipeFile = {
    name: 'vault-policy.hcl',
    language: 'hcl',
    text: kmsPolicy(backend),
    place: `Policy ${backend.policy} in Vault. The run “Set up Transit” writes it.`,
  };
  if (backend.login === 'certificate') return [policy];
  if (backend.login === 'approle') {
    return [
      policy,
      {
        name: 'vault-role.json',
        language: 'json',
        text: `${JSON.stringify({ token_policies: [backend.policy], token_ttl: '24h' }, null, 2)}\n`,
        place: `auth/${backend.authMount}/role/${backend.role} in Vault. Its role-id is read there, a secret-id is made there.`,
      },
      nodeSecrets(input, 'node-ids.sh', ['role-id', 'secret-id'], 'the role’s two ids'),
    ];
  }
  const role = {
    bound_service_account_names: [backend.serviceAccount],
    bound_service_account_namespaces: [input.namespace],
    audience: backend.audience,
    token_policies: [backend.policy],
    token_ttl: '24h',
  };
  const config = {
    kubernetes_host: 'https://KUBE-APISERVER:6443',
    kubernetes_ca_cert: '@ca.crt',
    token_reviewer_jwt: '@-',
  };
  return [
    policy,
    {
      name: 'vault-role.json',
      language: 'json',
      text: `${JSON.stringify(role, null, 2)}\n`,
      place: `auth/${backend.authMount}/role/${backend.role} in Vault.`,
    },
    {
      name: 'vault-kubernetes-config.txt',
      language: 'text',
      text: `auth/${backend.authMount}/config in Vault, where Vault runs outside this cluster:

${Object.entries(config)
  .map(([name, value]) => `${name} = ${value}`)
  .join('\n')}

kubernetes_host is this cluster's API server as Vault reaches it, kubernetes_ca_cert its authority.
token_reviewer_jwt is the token in Secret ${input.namespace}/${backend.serviceAccount}-token: hand it over on standard input ("@-"), never as an argument.
A Vault inside this cluster needs neither: it reviews tokens with its own service account.
`,
      place: 'What Vault has to know of this cluster. No value of it is in this file.',
    },
  ];
}

function backendFiles(input: KmsPluginInput): readonly RecipeFile[] {
  const { backend } = input;
  switch (backend.kind) {
    case 'softhsm':
      return [nodeSecrets(input, 'node-pin.sh', ['pin', 'so-pin'], 'the PINs')];
    case 'smartcard-hsm':
      // The device was set up elsewhere: nothing here needs its SO-PIN.
      return [nodeSecrets(input, 'node-pin.sh', ['pin'], 'the PIN')];
    case 'transit':
      return transitFiles(input, backend);
  }
}

export function kmsFiles(input: KmsPluginInput): readonly RecipeFile[] {
  const configuration: RecipeFile = {
    name: 'encryption-configuration.yaml',
    language: 'yaml',
    text: toYaml(encryptionConfiguration(input, 'kms'), {
      header: `The first provider writes, all of them read.`,
      comments: [
        [
          ['resources', 0, 'providers', 1, 'identity'],
          'Reads what was written before. Take it out once everything is encrypted anew.',
        ],
      ],
    }),
    place: `On each control-plane node: ${encryptionFile}, for root alone (0600). Only once the plugin answers.`,
  };
  const wayBack: RecipeFile = {
    name: 'encryption-configuration-back.yaml',
    language: 'yaml',
    text: toYaml(encryptionConfiguration(input, 'identity'), {
      header:
        'The way back: new writes are plain, what is encrypted is still read. Write everything anew, then leave the plugin.',
    }),
    place: `In the place of ${encryptionFile}, before the plugin is taken away.`,
  };
  return [configuration, wayBack, platformFile(input), ...backendFiles(input)];
}
