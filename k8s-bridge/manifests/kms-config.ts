/** What the plugin itself reads: config.json, arguments, environment. Sources: FORMATS 2.1 to 2.3; issue “The KMS v2 provider”. */
import type { Json } from '../../electron/workflows/cluster-ports.ts';
import type { KmsPluginInput } from '../../electron/workflows/recipes/kms-plugin.ts';
import {
  configFileInContainer,
  nodeFilesInContainer,
  socketEndpoint,
  tokenDirectoryInContainer,
  type CardBackend,
  type SoftHsmBackend,
  type TransitBackend,
} from './kms-paths.ts';
import type { JsonObject } from './objects.ts';

/** Health and metrics, on loopback: only the node's kubelet asks. */
export const healthPort = 8085;

function ownTokenConfig(input: KmsPluginInput, backend: SoftHsmBackend | CardBackend): JsonObject {
  return {
    listen: socketEndpoint(input),
    health: `127.0.0.1:${healthPort}`,
    provider: backend.kind === 'softhsm' ? 'softhsm' : 'pkcs11',
    path: backend.modulePath,
    tokenLabel: backend.tokenLabel,
    keyLabel: backend.keyLabel,
    pinFile: `${nodeFilesInContainer}/pin`,
  };
}

const methods = { 'service-account': 'k8s', certificate: 'cert', approle: 'approle' } as const;

const logInFiles = {
  'service-account': { tokenFile: `${tokenDirectoryInContainer}/token` },
  certificate: {
    clientCertificateFile: `${nodeFilesInContainer}/tls.crt`,
    clientKeyFile: `${nodeFilesInContainer}/tls.key`,
  },
  approle: { roleIdFile: `${nodeFilesInContainer}/role-id`, secretIdFile: `${nodeFilesInContainer}/secret-id` },
} as const;

/** kleidi's names (FORMATS 2.3), and beside them what only this project's provider reads. */
function transitConfig(input: KmsPluginInput, backend: TransitBackend): JsonObject {
  const shared: JsonObject = {
    namespace: backend.vaultNamespace,
    transitkey: backend.key,
    vaultrole: backend.role,
    address: backend.vaultAddress,
    transitpath: backend.mount,
    authmethod: methods[backend.login],
    authpath: backend.authMount,
  };
  if (input.program === 'kleidi') return shared;
  return {
    listen: socketEndpoint(input),
    health: `127.0.0.1:${healthPort}`,
    provider: 'hvault',
    ...shared,
    ...(backend.caFile === '' ? {} : { caFile: backend.caFile }),
    ...logInFiles[backend.login],
  };
}

/**
 * config.json without a secret. Undefined for kleidi on SoftHSM: it reads the PIN from that file alone, so the init
 * container writes it, into memory.
 */
export function pluginConfig(input: KmsPluginInput): JsonObject | undefined {
  if (input.backend.kind === 'transit') return transitConfig(input, input.backend);
  return input.program === 'kleidi' ? undefined : ownTokenConfig(input, input.backend);
}

export function pluginConfigText(config: JsonObject): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Arguments of the image's own program. No secret, no label: those are in the file. */
export function pluginArguments(input: KmsPluginInput): readonly string[] {
  const file = configFileInContainer(input);
  if (input.program === 'key-custodian') return ['kms', 'serve', '--config', file];
  return [
    `-listen=${socketEndpoint(input)}`,
    `-provider=${input.backend.kind === 'transit' ? 'hvault' : 'softhsm'}`,
    `-configfile=${file}`,
  ];
}

/** What kleidi takes from HashiCorp's client library; ours has it in its file. */
export function pluginEnvironment(input: KmsPluginInput): Json[] {
  const { backend, program } = input;
  if (program !== 'kleidi' || backend.kind !== 'transit') return [];
  return [
    ...(backend.caFile === '' ? [] : [{ name: 'VAULT_CACERT', value: backend.caFile }]),
    ...(backend.login === 'certificate'
      ? [
          { name: 'VAULT_CLIENT_CERT', value: `${nodeFilesInContainer}/tls.crt` },
          { name: 'VAULT_CLIENT_KEY', value: `${nodeFilesInContainer}/tls.key` },
        ]
      : []),
  ];
}
