/** Plans what a KMS plugin needs in Vault from the plugin's recipe: the same for the window and the command line. */
import type { ClusterPin } from '../workflows/cluster-ports.ts';
import { failure, success, type Result } from '../workflows/failures.ts';
import { reviewerSecret, wantedForKmsPlugin, type ReviewingCluster } from '../workflows/recipes/transit-setup.ts';
import type { RecipeInput } from '../workflows/recipes/recipes.ts';
import type { TransitSetUpPlan } from '../workflows/vault-setup-plans.ts';
import type { Core, KnownVault } from './core.ts';

/** The cluster whose service accounts Vault is to let in. */
export interface AskedCluster {
  readonly pin: ClusterPin;
  /** Its API server as Vault reaches it (https://); '' for the kubeconfig's. */
  readonly host: string;
  /** The authority behind the API server; '' has it read from the ConfigMap kube-root-ca.crt. */
  readonly certificateAuthorityPem: string;
}

export interface TransitSetUpWish {
  readonly vault: KnownVault;
  readonly recipe: RecipeInput;
  /** Asked only where the plugin logs in by a service account. */
  readonly cluster: () => Promise<Result<AskedCluster>>;
  readonly replaceDiffering: boolean;
}

async function reviewingCluster(
  { review }: Pick<Core, 'review'>,
  { pin, host, certificateAuthorityPem }: AskedCluster,
  secret: { readonly namespace: string; readonly name: string },
): Promise<Result<ReviewingCluster>> {
  const authority =
    certificateAuthorityPem === '' ? await review.readAuthority(pin) : success({ certificateAuthorityPem });
  if (!authority.ok) return authority;
  return success({
    host: host === '' ? pin.server : host,
    certificateAuthorityPem: authority.value.certificateAuthorityPem,
    // The Pod's token has an audience of Vault's, so it cannot ask for itself.
    reviewer: { kind: 'service-account', cluster: pin, secret },
  });
}

/**
 * The plan of a set-up in Vault.
 * @returns App_BadRequest for a recipe without Transit or a Vault without an address; what the cluster answers
 */
export async function planTransitSetUp(
  core: Pick<Core, 'connections' | 'review'>,
  wish: TransitSetUpWish,
): Promise<Result<TransitSetUpPlan>> {
  const { vault, recipe } = wish;
  if (recipe.recipe !== 'kms-plugin' || recipe.backend.kind !== 'transit')
    return failure(
      'App_BadRequest',
      'This recipe sets nothing up in Vault.',
      'Give a recipe kms-plugin whose backend is transit.',
    );
  const { backend } = recipe;
  const [connection] = core.connections(vault);
  if (connection === undefined)
    return failure('App_BadRequest', 'This Vault has no address.', 'Give the address of one of its nodes.');
  let cluster: ReviewingCluster | undefined;
  if (backend.login === 'service-account') {
    const asked = await wish.cluster();
    if (!asked.ok) return asked;
    const secret = reviewerSecret({ namespace: recipe.namespace, backend });
    const reviewing = await reviewingCluster(core, asked.value, secret);
    if (!reviewing.ok) return reviewing;
    cluster = reviewing.value;
  }
  return success({
    workflow: 'transit-setup',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connection,
    namespace: backend.vaultNamespace,
    wanted: [...wantedForKmsPlugin(recipe, cluster)],
    tried: { policy: backend.policy, mount: backend.mount, key: backend.key },
    replaceDiffering: wish.replaceDiffering,
  });
}
