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

const splitLabel = (label: string): readonly [string, string] => {
  const equals = label.indexOf('=');
  return [label.slice(0, equals), label.slice(equals + 1)];
};

/** Labels of a Secret that is made. */
const secretLabel = z
  .array(z.string().regex(/^[^=]{1,317}=[^=]{0,63}$/u, 'needs NAME=VALUE'))
  .default([])
  .transform((labels) => Object.fromEntries(labels.map((label) => splitLabel(label))));

export const secretLabelOption = [
  '--secret-label <name=value>',
  'a label for a Secret that is made; may be repeated',
] as const;

export const toSecretShape = { ...clusterShape, toSecret: valueSecret, secretLabel };
export const fromSecretShape = { ...clusterShape, fromSecret: valueSecret };

export function addClusterOptions(command: Command): Command {
  return command
    .option('--context <name>', 'the cluster, by its context in the kubeconfig (default: the current context)')
    .option('--kubeconfig <path>', 'the kubeconfig to read (default: KUBECONFIG, else ~/.kube/config)');
}
