import type { Command } from 'commander';
import { z } from 'zod';
import { namespaceSchema, objectNameSchema } from '../workflows/recipes/fields.ts';

/** How a cluster is named. Which kubeconfig is read is an option that every command's options know (`commonShape`). */
export const clusterShape = {
  context: z.string().min(1, 'needs the name of a context').max(512, 'takes at most 512 characters').optional(),
};

/** NAMESPACE/NAME of a Secret. */
const valueSecret = z
  .string()
  .regex(/^[^/]+\/[^/]+$/u, 'needs NAMESPACE/NAME')
  .transform((text) => ({ namespace: text.slice(0, text.indexOf('/')), name: text.slice(text.indexOf('/') + 1) }))
  .pipe(z.object({ namespace: namespaceSchema, name: objectNameSchema }, 'needs NAMESPACE/NAME').readonly())
  .optional();

export const toSecretShape = { ...clusterShape, toSecret: valueSecret };
export const fromSecretShape = { ...clusterShape, fromSecret: valueSecret };

export function addClusterOptions(command: Command): Command {
  return command
    .option('--context <name>', 'the cluster, by its context in the kubeconfig (default: the current context)')
    .option('--kubeconfig <path>', 'the kubeconfig to read (default: KUBECONFIG, else ~/.kube/config)');
}
