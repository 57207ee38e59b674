/** What is decided before Transit is set up for a KMS plugin, beside the plugin's recipe. Pure. */
import type { ChannelReply, ChannelRequest } from '../../../electron/contract/channels.ts';
import type { AppView, VaultView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import {
  problemAt,
  textAt,
  withValue,
  withVariant,
  type FieldProblem,
  type RecipeForm,
} from '../clusters/recipe-form.ts';

const words = text.plans.transitSetup;

export interface TransitSetupForm {
  readonly vaultId: string;
  readonly contextId: string;
  /** The API server as Vault reaches it; '' for the kubeconfig's. */
  readonly host: string;
  /** undefined has it read from the cluster. */
  readonly authority: ChannelReply<'transit.choose-authority'> | undefined;
  readonly replaceDiffering: boolean;
}

const usualAddress = 'https://vault.example:8200';

const addressesOf = (vault: VaultView): readonly string[] => vault.nodes.map((node) => node.address);

/** The recipe's form with Transit in it: as it is where it has that already, else with the usual names. */
export function withTransit(form: RecipeForm, vault: VaultView | undefined): RecipeForm {
  const [address = usualAddress] = vault === undefined ? [] : addressesOf(vault);
  if (textAt(form, 'backend.kind') === 'transit') {
    const isUsual = textAt(form, 'backend.vaultAddress') === usualAddress;
    return isUsual && address !== usualAddress ? withValue(form, 'backend.vaultAddress', address) : form;
  }
  return withVariant(form, 'backend.kind', 'transit', {
    vaultAddress: address,
    vaultNamespace: '',
    caFile: '',
    mount: 'transit',
    key: 'kleidi',
    // A static Pod has no service account.
    ...(textAt(form, 'deployment') === 'static-pod'
      ? { login: 'certificate', authMount: 'cert' }
      : { login: 'service-account', authMount: 'kubernetes' }),
    role: 'kleidi',
    policy: 'kleidi',
    serviceAccount: 'kleidi-vault-auth',
    audience: 'vault',
  });
}

/** The Vault that is meant: the one asked for, the one that the recipe names, or the only one. */
export function vaultOf(view: AppView, asked: string, form: RecipeForm | undefined): VaultView | undefined {
  const [only, another] = view.vaults;
  return (
    view.vaults.find((vault) => vault.id === asked) ??
    view.vaults.find(
      (vault) => form !== undefined && addressesOf(vault).includes(textAt(form, 'backend.vaultAddress')),
    ) ??
    (another === undefined ? only : undefined)
  );
}

/** Where the plugin asks another address than the Vault's own; '' where it does not. */
export function otherAddress(vault: VaultView | undefined, form: RecipeForm): string {
  const address = textAt(form, 'backend.vaultAddress').replace(/\/+$/u, '');
  return vault === undefined || addressesOf(vault).includes(address) ? '' : address;
}

export interface CheckedTransitSetup {
  readonly errors: readonly string[];
  readonly hostError: string | undefined;
  readonly clusterError: string | undefined;
  readonly request: ChannelRequest<'transit.start'> | undefined;
  readonly will: readonly string[];
}

/** The fields of the recipe that are on this page; what is wrong elsewhere in it is told as the recipe's. */
const shownPaths = [
  'namespace',
  ...['mount', 'key', 'policy', 'vaultNamespace', 'login', 'authMount', 'role', 'serviceAccount', 'audience'].map(
    (name) => `backend.${name}`,
  ),
];

const isHost = (host: string): boolean => URL.canParse(host) && new URL(host).protocol === 'https:';

export function checkTransitSetup(
  view: AppView,
  form: TransitSetupForm,
  recipe: RecipeForm,
  problems: readonly FieldProblem[],
): CheckedTransitSetup {
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const byAccount = textAt(recipe, 'backend.login') === 'service-account';
  const host = form.host.trim();
  const hostError = byAccount && host !== '' && !isHost(host) ? words.errorHost : undefined;
  const knowsCluster = view.clusters.contexts.some((context) => context.id === form.contextId);
  const clusterError = byAccount && !knowsCluster ? words.errorCluster : undefined;
  const isShown = (path: string): boolean => shownPaths.some((shown) => path === shown);
  const errors = [
    ...(vault === undefined ? [words.errorVault] : []),
    ...(vault !== undefined && vault.state !== 'unsealed'
      ? [words.errorState(vault.name, text.states.vault[vault.state].toLowerCase())]
      : []),
    ...(vault?.rehearsal === true && byAccount ? [words.errorRehearsal] : []),
    ...(clusterError === undefined ? [] : [clusterError]),
    ...(hostError === undefined ? [] : [hostError]),
    ...problems.map(({ path, message }) => (isShown(path) ? message : words.inRecipe(message))),
  ];
  const at = (name: string): string => textAt(recipe, `backend.${name}`);
  const account = `${textAt(recipe, 'namespace')}/${at('serviceAccount')}`;
  const will = [
    words.will.token,
    words.will.engine(at('mount')),
    words.will.key(at('key')),
    words.will.policy(at('policy')),
    ...(byAccount ? [words.will.auth(at('authMount')), words.will.role(at('role'), account)] : []),
    form.replaceDiffering ? words.will.replaces : words.will.differs,
    words.will.tried,
    words.will.forget,
  ];
  if (errors.length > 0 || vault === undefined) return { errors, hostError, clusterError, request: undefined, will };
  const request = {
    vaultId: vault.id,
    form: recipe,
    contextId: byAccount ? form.contextId : '',
    host: byAccount ? host : '',
    certificateAuthorityPem: byAccount ? (form.authority?.certificateAuthorityPem ?? '') : '',
    replaceDiffering: form.replaceDiffering,
  };
  return { errors, hostError, clusterError, request, will };
}

/** What is wrong with one field of the recipe that is on this page. */
export function backendProblem(problems: readonly FieldProblem[], name: string): string | undefined {
  return problemAt(problems, `backend.${name}`);
}
