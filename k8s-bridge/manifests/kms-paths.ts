/** Where a KMS plugin's files lie: on the node, in its container, and in kube-apiserver's. */
import type { KmsPluginInput } from '../../electron/workflows/recipes/kms-plugin.ts';

export type TransitBackend = Extract<KmsPluginInput['backend'], { readonly kind: 'transit' }>;
export type SoftHsmBackend = Extract<KmsPluginInput['backend'], { readonly kind: 'softhsm' }>;
export type CardBackend = Extract<KmsPluginInput['backend'], { readonly kind: 'smartcard-hsm' }>;

/** A directory and not a file: a file that is mounted alone does not change when it is replaced, and nothing would reload. */
export const encryptionDirectory = '/etc/kubernetes/encryption';
export const encryptionFile = `${encryptionDirectory}/encryption-configuration.yaml`;

/** SoftHSM's packages look here when no file tells them otherwise. */
export const tokensInContainer = '/var/lib/softhsm/tokens';

/** Where PC/SC's client library looks for the card service's socket (pcscd(8)). */
export const cardServiceInContainer = '/run/pcscd';

/** What the node's directory is called inside the containers. */
export const nodeFilesInContainer = '/etc/kms-node';

export const socketFile = (input: KmsPluginInput): string => `${input.socketDirectory}/${input.name}.socket`;
export const socketEndpoint = (input: KmsPluginInput): string => `unix://${socketFile(input)}`;

/** kleidi's own default; the manifests of its repository put the file elsewhere (FORMATS 2.4). */
export const configDirectoryInContainer = (input: KmsPluginInput): string =>
  input.program === 'kleidi' ? '/opt/kleidi' : '/etc/key-custodian';
export const configFileInContainer = (input: KmsPluginInput): string =>
  `${configDirectoryInContainer(input)}/config.json`;

/** Where HashiCorp's client library looks for the Pod's token. */
export const tokenDirectoryInContainer = '/var/run/secrets/kubernetes.io/serviceaccount';
