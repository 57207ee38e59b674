/**
 * The pkcs11 seal of Vault Enterprise and of OpenBao. Sources: FORMATS 3.5; HashiCorp, "HSM PKCS11 seal
 * configuration"; OpenBao 2.6, "PKCS#11 seal". The two look alike and are not: names of the environment, mechanisms,
 * HMAC key, who makes the key.
 */
import type { Manifest, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import type { Pkcs11SealInput } from '../../electron/workflows/recipes/pkcs11-seal.ts';
import { hclBlock, type HclLine } from './hcl.ts';
import { emptySecret, metadata, recipeLabels } from './objects.ts';
import { toYaml } from './yaml-text.ts';

/** PKCS#11 2.40, section 2: the numbers that Vault's documents use; OpenBao reads names. */
const mechanismNumbers = {
  CKM_AES_GCM: '0x1087',
  CKM_RSA_PKCS_OAEP: '0x0009',
  CKM_AES_CBC_PAD: '0x1085',
} as const;

export type SealParts = Pick<
  Pkcs11SealInput,
  | 'product'
  | 'modulePath'
  | 'selectBy'
  | 'keyLabel'
  | 'keyId'
  | 'mechanism'
  | 'oaepHash'
  | 'hmacKeyLabel'
  | 'generateKey'
  | 'disabled'
>;

/** Where the PIN is looked for: never in the file. */
export const pinVariable = { 'vault-enterprise': 'VAULT_HSM_PIN', openbao: 'BAO_HSM_PIN' } as const;

export function sealStanza(seal: SealParts): string {
  const enterprise = seal.product === 'vault-enterprise';
  const lines: HclLine[] = [
    { name: 'lib', value: seal.modulePath },
    seal.selectBy.kind === 'label'
      ? { name: 'token_label', value: seal.selectBy.tokenLabel }
      : { name: 'slot', value: String(seal.selectBy.slotId) },
    { name: 'key_label', value: seal.keyLabel },
  ];
  if (seal.keyId !== '') lines.push({ name: 'key_id', value: enterprise ? `0x${seal.keyId}` : seal.keyId });
  lines.push({ name: 'mechanism', value: enterprise ? mechanismNumbers[seal.mechanism] : seal.mechanism });
  if (seal.mechanism === 'CKM_RSA_PKCS_OAEP') lines.push({ name: 'rsa_oaep_hash', value: seal.oaepHash });
  if (enterprise && seal.mechanism === 'CKM_AES_CBC_PAD') {
    lines.push({ name: 'hmac_key_label', value: seal.hmacKeyLabel });
    // CKM_SHA256_HMAC.
    lines.push({ name: 'hmac_mechanism', value: '0x0251' });
  }
  if (enterprise) lines.push({ name: 'generate_key', value: String(seal.generateKey) });
  if (seal.disabled) {
    lines.push({ name: 'disabled', value: 'true', why: 'On its way out: still read, no longer written with.' });
  }
  return `# The PIN comes from ${pinVariable[seal.product]} in the environment of the server, and from nowhere else.\n${hclBlock('seal "pkcs11"', lines)}`;
}

function migrationSteps(input: Pkcs11SealInput): string {
  const program = input.product === 'openbao' ? 'bao' : 'vault';
  const title = input.disabled
    ? 'From this pkcs11 seal back to Shamir shares'
    : 'From Shamir shares to this pkcs11 seal';
  const configured = input.disabled
    ? 'Put seal.hcl (with disabled = "true") in the place of the seal stanza that is there. Leave no other seal stanza.'
    : 'Add seal.hcl to the configuration. There is no stanza for Shamir: the new one is the only one.';
  const shares = input.disabled ? 'recovery keys' : 'unseal shares';
  return `${title}, one node at a time

1. Take a snapshot and try to restore it elsewhere. Both seals have to work all the way through.
2. ${configured}
   Give the server ${pinVariable[input.product]} from Secret ${input.namespace}/${input.pinSecret.name}.
3. Take one standby: restart it with the new configuration. It says "seal migration" in its log and in seal-status.
4. Unseal it with ${shares}, each with migrate set (${program} operator unseal -migrate), until the threshold is met.
5. Wait until it is a healthy standby again. Then the next standby.
6. Last, have the active node step down (${program} operator step-down), and do the same with it.
7. Look at seal-status on every node: migration is false${input.disabled ? ', type is shamir' : ', type is pkcs11, recovery_seal is true'}.
8. ${
    input.disabled
      ? 'Take the disabled stanza out of the configuration, one restart at a time. Keep the key on the token until a snapshot from before is no longer needed.'
      : 'The shares are recovery keys now: they allow a new root token and a rekey, and unseal nothing. Without the token there is no way back into this Vault.'
  }
`;
}

export function renderPkcs11Seal(input: Pkcs11SealInput): RenderedRecipe {
  const labels = recipeLabels(input.configMap, 'pkcs11-seal');
  const stanza = sealStanza(input);
  const configMap: Manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(input.configMap, input.namespace, labels),
    data: { 'seal.hcl': stanza },
  };
  const pin = emptySecret(input.pinSecret.name, input.namespace, labels, [
    { key: input.pinSecret.key, what: `User PIN of the token with key ${input.keyLabel}` },
  ]);
  const enterprise = input.product === 'vault-enterprise';
  return {
    content: {
      objects: [...(input.pinSecret.make ? [pin.manifest] : []), configMap],
      secretSlots: input.pinSecret.make ? [...pin.slots] : [],
      patches: [],
      rollouts: [],
    },
    files: [
      {
        name: 'seal.hcl',
        language: 'hcl',
        text: stanza,
        place: 'Beside the server’s other configuration files; the ConfigMap holds the same.',
      },
      {
        name: 'server-env.yaml',
        language: 'yaml',
        text: toYaml([
          {
            name: pinVariable[input.product],
            valueFrom: { secretKeyRef: { name: input.pinSecret.name, key: input.pinSecret.key } },
          },
        ]),
        place: 'Under env of the server’s container: the PIN from its Secret.',
      },
      {
        name: 'migration.txt',
        language: 'text',
        text: migrationSteps(input),
        place: 'The way through, one node at a time. Key Custodian guides it as a run.',
      },
    ],
    notes: [
      enterprise
        ? 'Only Vault Enterprise’s HSM build (“+ent.hsm”) has this seal.'
        : 'OpenBao 2.7 takes this seal out of the server and into a plugin: the stanza stays, the plugin has to be installed.',
      `The server’s image must hold ${input.modulePath} and what it loads, built for the same C library.`,
      ...(enterprise
        ? []
        : [`The key ${input.keyLabel} must be on the token before the server starts: OpenBao makes none.`]),
      'A seal of Vault Enterprise cannot be read by OpenBao, nor the other way round.',
      ...(input.offered.length === 0
        ? ['No token was chosen: whether it can do this mechanism has not been checked.']
        : []),
      ...(input.mechanism === 'CKM_RSA_PKCS_OAEP' && input.oaepHash === 'sha1'
        ? ['SHA-1 inside OAEP is no weakness here; SoftHSM up to 2.6.1 can do no other.']
        : []),
    ],
  };
}
