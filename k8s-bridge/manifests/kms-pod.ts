/** The Pod of a KMS v2 plugin beside kube-apiserver. Source: FORMATS 2.4; Kubernetes, "Using a KMS provider", "Static Pods". */
import type { Json } from '../../electron/workflows/cluster-ports.ts';
import type { KmsPluginInput } from '../../electron/workflows/recipes/kms-plugin.ts';
import { healthPort, pluginArguments, pluginConfig, pluginEnvironment } from './kms-config.ts';
import {
  type CardBackend,
  cardServiceInContainer,
  configDirectoryInContainer,
  configFileInContainer,
  nodeFilesInContainer,
  type SoftHsmBackend,
  tokenDirectoryInContainer,
  tokensInContainer,
  type TransitBackend,
} from './kms-paths.ts';
import { type JsonObject, noPrivileges } from './objects.ts';
import { prepareKleidiTokenScript, prepareKmsTokenScript, prepareSocketScript } from './token-scripts.ts';

interface Part {
  readonly volumes: Json[];
  readonly mounts: Json[];
}

const nothing: Part = { volumes: [], mounts: [] };

const hostDirectory = (name: string, path: string, type: string): Json => ({ name, hostPath: { path, type } });

/** Root on the node owns the socket, the token and the PIN, and kube-apiserver runs as root: so does this. Without a capability. */
const asRoot = { ...noPrivileges, runAsUser: 0, runAsGroup: 0 } as const;

const small = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } } as const;

function configVolume(input: KmsPluginInput): Part {
  const mount = { name: 'config', mountPath: configDirectoryInContainer(input), readOnly: true };
  if (pluginConfig(input) === undefined) {
    return { volumes: [{ name: 'config', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }], mounts: [mount] };
  }
  return input.deployment === 'daemonset'
    ? { volumes: [{ name: 'config', configMap: { name: `${input.name}-config` } }], mounts: [mount] }
    : { volumes: [hostDirectory('config', input.configDirectory, 'Directory')], mounts: [mount] };
}

const nodeFiles = (input: KmsPluginInput): Part => ({
  volumes: [hostDirectory('node-files', input.configDirectory, 'Directory')],
  mounts: [{ name: 'node-files', mountPath: nodeFilesInContainer, readOnly: true }],
});

function transitParts(input: KmsPluginInput, backend: TransitBackend): Part {
  const ofNode = backend.login === 'service-account' ? nothing : nodeFiles(input);
  const authority: Part =
    backend.caFile === ''
      ? nothing
      : {
          volumes: [hostDirectory('vault-ca', backend.caFile, 'File')],
          mounts: [{ name: 'vault-ca', mountPath: backend.caFile, readOnly: true }],
        };
  const token: Part =
    backend.login === 'service-account'
      ? {
          volumes: [
            {
              name: 'vault-token',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 'token', expirationSeconds: 7200, audience: backend.audience } },
                ],
              },
            },
          ],
          mounts: [{ name: 'vault-token', mountPath: tokenDirectoryInContainer, readOnly: true }],
        }
      : nothing;
  const all = [ofNode, authority, token];
  return { volumes: all.flatMap((part) => part.volumes), mounts: all.flatMap((part) => part.mounts) };
}

function softHsmParts(input: KmsPluginInput, backend: SoftHsmBackend): Part {
  const files = nodeFiles(input);
  return {
    volumes: [hostDirectory('tokens', backend.tokenDirectory, 'DirectoryOrCreate'), ...files.volumes],
    mounts: [{ name: 'tokens', mountPath: tokensInContainer }, ...files.mounts],
  };
}

/** The node's own card service reads the device: the container needs neither USB nor privileges. */
function cardParts(input: KmsPluginInput, backend: CardBackend): Part {
  const files = nodeFiles(input);
  return {
    volumes: [hostDirectory('card-service', backend.cardServiceDirectory, 'Directory'), ...files.volumes],
    // Connecting to a socket is no writing.
    mounts: [{ name: 'card-service', mountPath: cardServiceInContainer, readOnly: true }, ...files.mounts],
  };
}

function backendParts(input: KmsPluginInput): Part {
  const { backend } = input;
  switch (backend.kind) {
    case 'softhsm':
      return softHsmParts(input, backend);
    case 'smartcard-hsm':
      return cardParts(input, backend);
    case 'transit':
      return transitParts(input, backend);
  }
}

function prepareContainer(input: KmsPluginInput): JsonObject {
  const { backend } = input;
  const socket: Json = { name: 'socket', mountPath: input.socketDirectory };
  const shared = { name: 'prepare', image: input.initImage, securityContext: asRoot, resources: small };
  if (backend.kind !== 'softhsm') {
    return {
      ...shared,
      command: ['/bin/sh', '-c', prepareSocketScript],
      env: [{ name: 'SOCKET_DIRECTORY', value: input.socketDirectory }],
      volumeMounts: [socket],
    };
  }
  const writesConfig = pluginConfig(input) === undefined;
  return {
    ...shared,
    command: ['/bin/sh', '-c', writesConfig ? prepareKleidiTokenScript : prepareKmsTokenScript],
    env: [
      { name: 'SOCKET_DIRECTORY', value: input.socketDirectory },
      { name: 'CONFIG_DIRECTORY', value: nodeFilesInContainer },
      { name: 'CONFIG_FILE', value: configFileInContainer(input) },
      { name: 'MODULE', value: backend.modulePath },
      { name: 'TOKEN_LABEL', value: backend.tokenLabel },
      { name: 'KEY_LABEL', value: backend.keyLabel },
      { name: 'KEY_KIND', value: 'aes' },
    ],
    volumeMounts: [
      socket,
      ...softHsmParts(input, backend).mounts,
      ...(writesConfig ? [{ name: 'config', mountPath: configDirectoryInContainer(input) }] : []),
    ],
  };
}

/** kleidi answers no probe; ours tells its health on loopback. */
function probes(input: KmsPluginInput): JsonObject {
  if (input.program === 'kleidi') return {};
  const at = (path: string): Json => ({ host: '127.0.0.1', port: healthPort, path });
  return {
    readinessProbe: { httpGet: at('/readyz'), periodSeconds: 10 },
    livenessProbe: { httpGet: at('/livez'), periodSeconds: 20, failureThreshold: 3 },
  };
}

/** @returns `spec` of the Pod, or of the DaemonSet's template */
export function kmsPodSpec(input: KmsPluginInput): JsonObject {
  const { backend } = input;
  const config = configVolume(input);
  const parts = backendParts(input);
  const isStatic = input.deployment === 'static-pod';
  const serviceAccount =
    backend.kind === 'transit' && backend.login === 'service-account' && !isStatic
      ? { serviceAccountName: backend.serviceAccount }
      : {};
  return {
    ...serviceAccount,
    automountServiceAccountToken: false,
    // Before the cluster's network and names are there: at a cold start kube-apiserver waits for this Pod.
    hostNetwork: true,
    dnsPolicy: 'Default',
    priorityClassName: 'system-node-critical',
    // A static Pod meets no admission that would look the number up.
    ...(isStatic ? { priority: 2_000_001_000 } : {}),
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    ...(isStatic
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
                ],
              },
            },
          },
        }),
    tolerations: isStatic
      ? [{ operator: 'Exists', effect: 'NoExecute' }]
      : [
          { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
          { key: 'node-role.kubernetes.io/etcd', operator: 'Exists', effect: 'NoExecute' },
          { key: 'CriticalAddonsOnly', operator: 'Exists' },
        ],
    initContainers: [prepareContainer(input)],
    containers: [
      {
        name: 'kms-plugin',
        image: input.image,
        args: [...pluginArguments(input)],
        ...(pluginEnvironment(input).length === 0 ? {} : { env: pluginEnvironment(input) }),
        securityContext: asRoot,
        resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '300m', memory: '256Mi' } },
        ...probes(input),
        volumeMounts: [{ name: 'socket', mountPath: input.socketDirectory }, ...config.mounts, ...parts.mounts],
      },
    ],
    volumes: [hostDirectory('socket', input.socketDirectory, 'DirectoryOrCreate'), ...config.volumes, ...parts.volumes],
  };
}
