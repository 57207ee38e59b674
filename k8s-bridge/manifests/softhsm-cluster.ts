/** SoftHSM on every node. Source: "SoftHSM Integration with Vault" (DaemonSet, volume, ConfigMap, init container, shared mounts). */
import type { Json, Manifest, RecipeFile, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import type { SoftHsmClusterInput } from '../../electron/workflows/recipes/softhsm-cluster.ts';
import { hclBlock } from './hcl.ts';
import {
  emptySecret,
  type JsonObject,
  metadata,
  noPrivileges,
  recipeLabels,
  referenceOf,
  secretVariable,
} from './objects.ts';
import { pinVariable, sealStanza } from './pkcs11-seal.ts';
import { checkTokenScript, ownDirectoryScript, setUpTokenScript, watchTokenScript } from './token-scripts.ts';
import { toYaml } from './yaml-text.ts';

/** Where SoftHSM's packages look, so that Vault's container needs no other setting. */
const tokenDirectory = '/var/lib/softhsm/tokens';
const configDirectory = '/etc/softhsm-cluster';
const component = 'softhsm';

const labelsOf = (input: SoftHsmClusterInput): Record<string, string> => recipeLabels(input.name, component);
const claimName = (input: SoftHsmClusterInput): string => `${input.name}-tokens`;
const onNodes = (input: SoftHsmClusterInput): boolean => input.storage.storageClass === '';

const softHsmConfiguration = `# SoftHSM 2 reads this through SOFTHSM2_CONF.
directories.tokendir = ${tokenDirectory}
objectstore.backend = file
log.level = INFO
slots.removable = false
`;

function vaultConfiguration(input: SoftHsmClusterInput): string {
  const common = `# api_addr and cluster_addr come from the environment (VAULT_API_ADDR, VAULT_CLUSTER_ADDR), as the charts set them.
ui = true
# Raft maps its files into memory.
disable_mlock = true

${hclBlock('storage "raft"', [{ name: 'path', value: '/vault/data' }])}
${hclBlock('listener "tcp"', [
  { name: 'address', value: '[::]:8200' },
  { name: 'cluster_address', value: '[::]:8201' },
  { name: 'tls_cert_file', value: '/vault/tls/tls.crt' },
  { name: 'tls_key_file', value: '/vault/tls/tls.key' },
])}`;
  if (input.vaultSeal === 'none') return common;
  return `${common}
${sealStanza({
  product: input.vaultSeal,
  modulePath: input.modulePath,
  selectBy: { kind: 'label', tokenLabel: input.tokenLabel },
  keyLabel: input.keyLabel,
  keyId: '',
  mechanism: 'CKM_AES_GCM',
  oaepHash: 'sha1',
  hmacKeyLabel: '',
  generateKey: false,
  disabled: false,
})}`;
}

function configMap(input: SoftHsmClusterInput): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(input.name, input.namespace, labelsOf(input)),
    data: {
      'softhsm2.conf': softHsmConfiguration,
      'vault.hcl': vaultConfiguration(input),
      'set-up-token.sh': setUpTokenScript,
      'check-token.sh': checkTokenScript,
      'watch-token.sh': watchTokenScript,
    },
  };
}

/** Without a storage class: a directory of each node, under one claim that Vault's Pods use too. */
function volumes(input: SoftHsmClusterInput): readonly Manifest[] {
  const { storage } = input;
  const labels = labelsOf(input);
  const volumeName = `${input.namespace}-${claimName(input)}`;
  const claim: Manifest = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(claimName(input), input.namespace, labels),
    spec: {
      // Pods of several nodes hold it at the same time.
      accessModes: ['ReadWriteMany'],
      storageClassName: storage.storageClass,
      ...(onNodes(input) ? { volumeName } : {}),
      resources: { requests: { storage: storage.size } },
    },
  };
  if (!onNodes(input)) return [claim];
  const volume: Manifest = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: metadata(volumeName, '', labels),
    spec: {
      capacity: { storage: storage.size },
      accessModes: ['ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      claimRef: { namespace: input.namespace, name: claimName(input) },
      hostPath: { path: storage.hostPath, type: 'DirectoryOrCreate' },
    },
  };
  return [volume, claim];
}

const mounts: readonly JsonObject[] = [
  { name: 'tokens', mountPath: tokenDirectory },
  { name: 'config', mountPath: configDirectory, readOnly: true },
];

const resources = {
  requests: { cpu: '10m', memory: '32Mi' },
  limits: { memory: '128Mi' },
} as const;

function environment(input: SoftHsmClusterInput): Json[] {
  return [
    { name: 'SOFTHSM2_CONF', value: `${configDirectory}/softhsm2.conf` },
    { name: 'MODULE', value: input.modulePath },
    { name: 'TOKEN_LABEL', value: input.tokenLabel },
  ];
}

function initContainers(input: SoftHsmClusterInput): Json[] {
  const own: Json = {
    name: 'own-directory',
    image: input.image,
    command: ['/bin/sh', '-c', ownDirectoryScript],
    env: [
      { name: 'TOKEN_DIRECTORY', value: tokenDirectory },
      { name: 'OWNER', value: `${input.runAs}:${input.runAsGroup}` },
    ],
    // Kubernetes gives hostPath volumes to nobody: root does, with this one capability.
    securityContext: {
      ...noPrivileges,
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      capabilities: { drop: ['ALL'], add: ['CHOWN'] },
    },
    resources,
    volumeMounts: [{ name: 'tokens', mountPath: tokenDirectory }],
  };
  const setUp: Json = {
    name: 'set-up-token',
    image: input.image,
    command: ['/bin/sh', `${configDirectory}/set-up-token.sh`],
    env: [
      ...environment(input),
      { name: 'KEY_LABEL', value: input.keyLabel },
      // bank-vaults uses RSA, the pkcs11 seals AES-GCM.
      { name: 'KEY_KIND', value: input.vaultSeal === 'none' ? 'rsa' : 'aes' },
      secretVariable('SOFTHSM_PIN', input.pinSecret.name, input.pinSecret.pinKey),
      secretVariable('SOFTHSM_SO_PIN', input.pinSecret.name, input.pinSecret.soPinKey),
    ],
    securityContext: noPrivileges,
    resources,
    volumeMounts: [...mounts],
  };
  return onNodes(input) ? [own, setUp] : [setUp];
}

function daemonSet(input: SoftHsmClusterInput): Manifest {
  const labels = labelsOf(input);
  const check = { exec: { command: ['/bin/sh', `${configDirectory}/check-token.sh`] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata(input.name, input.namespace, labels),
    spec: {
      selector: {
        matchLabels: { 'app.kubernetes.io/name': component, 'app.kubernetes.io/instance': input.name },
      },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: input.runAs,
            runAsGroup: input.runAsGroup,
            fsGroup: input.runAsGroup,
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: { type: 'RuntimeDefault' },
          },
          initContainers: initContainers(input),
          containers: [
            {
              name: 'softhsm',
              image: input.image,
              command: ['/bin/sh', `${configDirectory}/watch-token.sh`],
              env: [
                ...environment(input),
                { name: 'TOKEN_DIRECTORY', value: tokenDirectory },
                { name: 'REPORT_SECONDS', value: input.monitoring ? '60' : '0' },
                { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              ],
              securityContext: noPrivileges,
              resources,
              readinessProbe: { ...check, periodSeconds: 15, timeoutSeconds: 5 },
              livenessProbe: { ...check, periodSeconds: 60, timeoutSeconds: 10, failureThreshold: 3 },
              volumeMounts: [...mounts],
            },
          ],
          volumes: [
            { name: 'tokens', persistentVolumeClaim: { claimName: claimName(input) } },
            { name: 'config', configMap: { name: input.name, defaultMode: 0o444 } },
          ],
        },
      },
    },
  };
}

/** Prometheus' own file of rules, over what kube-state-metrics already tells: no CRD is needed. */
function alerts(input: SoftHsmClusterInput): Manifest {
  const at = `namespace="${input.namespace}",daemonset="${input.name}"`;
  const container = `namespace="${input.namespace}",container="softhsm"`;
  const rules = {
    groups: [
      {
        name: 'softhsm',
        rules: [
          {
            alert: 'SoftHsmTokenUnavailable',
            expr: `kube_daemonset_status_number_unavailable{${at}} > 0`,
            for: '5m',
            labels: { severity: 'critical' },
            annotations: { summary: 'A node has no usable SoftHSM token: a Vault there cannot unseal.' },
          },
          {
            alert: 'SoftHsmRestarting',
            expr: `increase(kube_pod_container_status_restarts_total{${container}}[1h]) > 3`,
            labels: { severity: 'warning' },
            annotations: { summary: 'The SoftHSM container restarts again and again.' },
          },
          {
            alert: 'SoftHsmStorageFilling',
            expr: `kubelet_volume_stats_available_bytes{namespace="${input.namespace}",persistentvolumeclaim="${claimName(input)}"} < 1e6`,
            for: '15m',
            labels: { severity: 'warning' },
            annotations: { summary: 'The volume of the SoftHSM tokens is nearly full.' },
          },
        ],
      },
    ],
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(`${input.name}-alerts`, input.namespace, labelsOf(input)),
    data: { 'softhsm.rules.yaml': toYaml(rules) },
  };
}

/** Values for the charts of Vault and of OpenBao, which share these names: mounts, library, PIN. */
export function vaultChartValues(input: SoftHsmClusterInput): JsonObject {
  return {
    server: {
      extraEnvironmentVars: { SOFTHSM2_CONF: `${configDirectory}/softhsm2.conf` },
      ...(input.vaultSeal === 'none'
        ? {}
        : {
            extraSecretEnvironmentVars: [
              {
                envName: pinVariable[input.vaultSeal],
                secretName: input.pinSecret.name,
                secretKey: input.pinSecret.pinKey,
              },
            ],
          }),
      volumes: [
        { name: 'softhsm-tokens', persistentVolumeClaim: { claimName: claimName(input) } },
        {
          name: 'softhsm-config',
          configMap: { name: input.name, items: [{ key: 'softhsm2.conf', path: 'softhsm2.conf' }] },
        },
      ],
      volumeMounts: [
        { name: 'softhsm-tokens', mountPath: tokenDirectory },
        { name: 'softhsm-config', mountPath: configDirectory, readOnly: true },
      ],
      statefulSet: {
        securityContext: {
          pod: {
            runAsNonRoot: true,
            runAsUser: input.runAs,
            runAsGroup: input.runAsGroup,
            fsGroup: input.runAsGroup,
          },
        },
      },
    },
  };
}

export function renderSoftHsmCluster(input: SoftHsmClusterInput): RenderedRecipe {
  const labels = labelsOf(input);
  const namespace: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: metadata(input.namespace, '', labels) };
  const pins = emptySecret(input.pinSecret.name, input.namespace, labels, [
    { key: input.pinSecret.pinKey, what: `User PIN of token ${input.tokenLabel}` },
    { key: input.pinSecret.soPinKey, what: `SO-PIN of token ${input.tokenLabel}` },
  ]);
  const daemon = daemonSet(input);
  const values: RecipeFile = {
    name: 'vault-values.yaml',
    language: 'yaml',
    text: toYaml(vaultChartValues(input), {
      header: 'Lets Vault’s Pods reach the token: mounts, SoftHSM’s configuration, the PIN from its Secret.',
    }),
    place: 'Values for the Helm chart of Vault or OpenBao, in the same namespace: a claim belongs to one.',
  };
  return {
    content: {
      objects: [
        ...(input.createNamespace ? [namespace] : []),
        ...(input.pinSecret.make ? [pins.manifest] : []),
        configMap(input),
        ...volumes(input),
        ...(input.monitoring ? [alerts(input)] : []),
        daemon,
      ],
      secretSlots: input.pinSecret.make ? [...pins.slots] : [],
      patches: [],
      rollouts: [referenceOf(daemon)],
    },
    files: [
      {
        name: 'vault.hcl',
        language: 'hcl',
        text: vaultConfiguration(input),
        place: 'Vault’s configuration; the ConfigMap holds the same.',
      },
      values,
    ],
    notes: [
      'SoftHSM keeps its keys in files that whoever is root on the node can copy: for tests and rehearsals.',
      onNodes(input)
        ? `Each node makes a token of its own under ${input.storage.hostPath}, with a key of its own: what one node encrypted, another cannot read. Give a storage class that several nodes can write to for one token.`
        : `All nodes share one token through storage class ${input.storage.storageClass}, which must offer ReadWriteMany.`,
      `Vault’s image must hold ${input.modulePath}, built for the same C library: a library copied in from a volume that others can write to would run in Vault.`,
      'PIN and SO-PIN reach the init container through its environment and pkcs11-tool through env:, so they are in no argument; who may exec into the node’s containers or read the Secret can read them.',
      ...(onNodes(input)
        ? [
            'One init container runs as root with the capability CHOWN alone: Kubernetes does not give hostPath volumes to a group.',
          ]
        : []),
      ...(input.monitoring
        ? [
            'The container says the state of its token once a minute as a line of JSON. The alerts are Prometheus’ own rules in a ConfigMap, over the metrics of kube-state-metrics and the kubelet.',
          ]
        : []),
    ],
  };
}
