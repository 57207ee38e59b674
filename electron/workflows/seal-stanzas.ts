/**
 * The seal stanza of each auto-seal as it goes into a node's configuration, with places to be filled in (Vault,
 * "Configuration: seal"). Credentials stand in the node's environment and never in the stanza.
 */
import type { SealMigrationPlan } from './plans.ts';

export type SealType = SealMigrationPlan['sealType'];
type AutoSeal = Exclude<SealType, 'shamir'>;

const stanza = (sealType: AutoSeal, fields: Readonly<Record<string, string>>): string => {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  const lines = Object.entries(fields).map(([name, value]) => `  ${name.padEnd(width)} = "${value}"`);
  return [`seal "${sealType}" {`, ...lines, '}'].join('\n');
};

const stanzas: Readonly<Record<AutoSeal, string>> = {
  transit: stanza('transit', {
    address: '<https://the-other-vault:8200>',
    mount_path: 'transit/',
    key_name: '<key>',
    tls_ca_cert: '<path of its CA>',
  }),
  pkcs11: stanza('pkcs11', {
    lib: '<path of the module>',
    token_label: '<token>',
    key_label: '<key>',
    mechanism: 'CKM_RSA_PKCS_OAEP',
  }),
  awskms: stanza('awskms', { region: '<region>', kms_key_id: '<key id or ARN>' }),
  gcpckms: stanza('gcpckms', {
    project: '<project>',
    region: '<region>',
    key_ring: '<key ring>',
    crypto_key: '<key>',
  }),
  azurekeyvault: stanza('azurekeyvault', {
    tenant_id: '<tenant>',
    vault_name: '<key vault>',
    key_name: '<key>',
  }),
  ocikms: stanza('ocikms', {
    key_id: '<key OCID>',
    crypto_endpoint: '<https://…-crypto.kms…>',
    management_endpoint: '<https://…-management.kms…>',
  }),
  alicloudkms: stanza('alicloudkms', { region: '<region>', kms_key_id: '<key id>' }),
};

/** @returns '' for Shamir, which has no stanza */
export function sealStanza(sealType: SealType): string {
  return sealType === 'shamir' ? '' : stanzas[sealType];
}

const fromTheCloud =
  'Give the node the right to use that key by the machine’s or Pod’s own identity; keep access keys out of the stanza.';

/** Where the credential of each auto-seal belongs. */
export const credentialOf: Readonly<Record<AutoSeal, string>> = {
  transit:
    'Put the token for that other Vault into the node’s environment as VAULT_TOKEN (a periodic one, so that it is renewed).',
  pkcs11:
    'Put the token’s PIN into the node’s environment: VAULT_HSM_PIN for Vault Enterprise, BAO_HSM_PIN for OpenBao.',
  awskms: fromTheCloud,
  gcpckms: fromTheCloud,
  azurekeyvault: fromTheCloud,
  ocikms: fromTheCloud,
  alicloudkms: fromTheCloud,
};
