/** Every sentence of a seal migration. */
import { credentialOf, sealStanza, type SealType } from './seal-stanzas.ts';

export const sealMigrationWords = {
  title: 'Migrate the seal',
  losses: (sealType: string): readonly string[] =>
    sealType === 'shamir'
      ? [
          'Vault no longer unseals itself: after every restart its key shares are needed.',
          'The recovery keys of now become the unseal keys.',
          'Without a backup (a snapshot) of before there is no way back if both seals fail on the way.',
        ]
      : [
          `Vault unseals itself by ${sealType} from now on. If that key is lost, Vault is lost: key shares no longer unseal it.`,
          'The unseal keys of now become recovery keys, which authorise but do not unseal.',
          'Without a backup (a snapshot) of before there is no way back if both seals fail on the way.',
        ],
  restart: {
    title: (address: string) => `Restart ${address} with both seals`,
    last: 'This is the last node, the active one: when it stops, another node takes over and carries the migration out. ',
    explanation: (sealType: string) =>
      sealType === 'shamir'
        ? 'Put disabled = "true" into the seal stanza of its configuration and restart it. It comes up sealed and waits for a migration. Nothing is sent to it before it does.'
        : `Put the seal stanza for ${sealType} into its configuration and restart it. It comes up sealed and waits for a migration. Nothing is sent to it before it does.`,
    guide: (sealType: SealType) => ({
      steps:
        sealType === 'shamir'
          ? [
              'In the node’s configuration, add disabled = "true" to the seal stanza that is there. Leave the rest of it: the old seal still opens what it sealed.',
              'Restart the node: systemctl restart vault, or delete its Pod.',
              'Come back here and go on.',
            ]
          : [
              'In the node’s configuration, add the seal stanza below and fill in what stands in angle brackets.',
              credentialOf[sealType],
              'Restart the node: systemctl restart vault, or delete its Pod.',
              'Come back here and go on.',
            ],
      example: sealStanza(sealType),
    }),
    action: 'It is restarted: look at it',
  },
  confirm: {
    title: (address: string) => `See that ${address} is migrated`,
    explanation: (sealType: string, isLast: boolean) =>
      `The node must be unsealed, and its seal must be “${sealType}”. ${
        isLast
          ? 'With it the migration is over.'
          : 'The migration is over with the last node; this one serves until then.'
      }`,
    action: 'Look at it',
  },
  facts: { vault: 'Vault', nodes: 'Nodes, in this order', to: 'To the seal', shares: 'Shares from' },
  evidence: { nodeAddress: 'Node', recoverySeal: 'Has recovery keys' },
} as const;
