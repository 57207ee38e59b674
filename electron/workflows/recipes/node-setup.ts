import { z } from 'zod';
import { objectNameSchema, rule } from './fields.ts';

/** Nodes with a Nitrokey HSM: the extended resource nitrokey.com/hsm, label and taint (bank-vaults, "Kubernetes node setup"). */
export const nodeSetupInputSchema = z
  .strictObject({
    recipe: z.literal('node-setup'),
    nodes: z
      .array(
        z.strictObject({
          name: objectNameSchema,
          /** Devices plugged in; two units each are advertised: one for the Vault Pod, one for its configurer. */
          devices: z.number().int().min(0).max(16),
        }),
      )
      .min(1, { message: 'Name at least one node.' })
      .max(50),
    label: z.boolean(),
    taint: z.enum(['none', 'NoSchedule', 'PreferNoSchedule']),
    /** Adds the notes for USB in minikube's virtual machine. */
    minikube: z.boolean(),
  })
  .superRefine(
    rule((input, complain) => {
      input.nodes.forEach((node, index) => {
        if (input.nodes.findIndex((other) => other.name === node.name) !== index) {
          complain(['nodes', index, 'name'], `${node.name} is in the list twice.`);
        }
      });
    }),
  );

export type NodeSetupInput = z.infer<typeof nodeSetupInputSchema>;
