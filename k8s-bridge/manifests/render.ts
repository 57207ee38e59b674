/** What a recipe becomes. Pure: the same input gives the same bytes. */
import type { RecipeProblem, RenderedRecipe } from '../../electron/workflows/cluster-ports.ts';
import { type RecipeInput, recipeInputSchema } from '../../electron/workflows/recipes/recipes.ts';
import { renderBankVaults } from './bank-vaults.ts';
import { renderKmsPlugin } from './kms-plugin.ts';
import { renderNodeSetup } from './node-setup.ts';
import { renderPkcs11Seal } from './pkcs11-seal.ts';
import { renderSoftHsmCluster } from './softhsm-cluster.ts';

/** @param input checked by `recipeInputSchema`, its rules over several fields included */
export function renderRecipe(input: RecipeInput): RenderedRecipe {
  switch (input.recipe) {
    case 'bank-vaults':
      return renderBankVaults(input);
    case 'node-setup':
      return renderNodeSetup(input);
    case 'softhsm-cluster':
      return renderSoftHsmCluster(input);
    case 'pkcs11-seal':
      return renderPkcs11Seal(input);
    case 'kms-plugin':
      return renderKmsPlugin(input);
  }
}

/** What is wrong with a form, field by field; what it becomes where nothing is. */
export function checkAndRender(
  input: unknown,
):
  | { readonly ok: true; readonly input: RecipeInput; readonly rendered: RenderedRecipe }
  | { readonly ok: false; readonly problems: readonly RecipeProblem[] } {
  const checked = recipeInputSchema.safeParse(input);
  if (checked.success) return { ok: true, input: checked.data, rendered: renderRecipe(checked.data) };
  return {
    ok: false,
    problems: checked.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  };
}
