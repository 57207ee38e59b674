/**
 * What can be pushed to a cluster, as forms: inputs without a secret, checked field by field. What they become
 * stands in `k8s-bridge/manifests`.
 */
import { z } from 'zod';
import { bankVaultsInputSchema } from './bank-vaults.ts';
import { kmsPluginInputSchema } from './kms-plugin.ts';
import { nodeSetupInputSchema } from './node-setup.ts';
import { pkcs11SealInputSchema } from './pkcs11-seal.ts';
import { softHsmClusterInputSchema } from './softhsm-cluster.ts';

export const recipeInputSchema = z.discriminatedUnion('recipe', [
  bankVaultsInputSchema,
  nodeSetupInputSchema,
  softHsmClusterInputSchema,
  pkcs11SealInputSchema,
  kmsPluginInputSchema,
]);

export const recipeNames = recipeInputSchema.options.map((option) => option.shape.recipe.value);
export const recipeNameSchema = z.enum(recipeNames);

export type RecipeInput = z.infer<typeof recipeInputSchema>;
export type RecipeName = RecipeInput['recipe'];
