/** Which page is shown. Paths are those of the contract's `go-to`. */
import { create, type StoreApi, type UseBoundStore } from 'zustand';

/** The parts of a token's own page. */
export const tokenTabs = ['overview', 'objects', 'values', 'backup', 'pins', 'erase'] as const;
export type TokenTab = (typeof tokenTabs)[number];

/** What is planned on a page of its own before it is done to a token. */
export const tokenActs = [
  'backup-drill',
  'device-clone',
  'pin-change',
  'certificate-store',
  'value-read-out',
  'values-rewrap',
  'secret-store',
] as const;
export type TokenAct = (typeof tokenActs)[number];

/** The parts of a cluster's own page. */
export const clusterTabs = ['overview', 'pushes', 'names'] as const;
export type ClusterTab = (typeof clusterTabs)[number];

export type Place =
  | { readonly page: 'home' | 'tokens' | 'vaults' | 'clusters' | 'runs' | 'journal' | 'settings' }
  | { readonly page: 'token'; readonly storeId: string; readonly serial: string; readonly tab: TokenTab }
  | {
      readonly page: 'plan-token-act';
      readonly act: TokenAct;
      readonly storeId: string;
      readonly serial: string;
      /** What on the token it is about: a key's or value's label, a PIN act; '' for none. */
      readonly subject: string;
    }
  | { readonly page: 'vault'; readonly vaultId: string }
  | { readonly page: 'cluster'; readonly contextId: string; readonly tab: ClusterTab }
  /** '' for no cluster: files are written and nothing is pushed; '' for no recipe: one is chosen. */
  | { readonly page: 'recipe'; readonly contextId: string; readonly recipe: string }
  | { readonly page: 'run'; readonly runId: string }
  | { readonly page: 'plan-token-setup'; readonly storeId: string; readonly slotId: string }
  | { readonly page: 'plan-vault-init'; readonly vaultId: string }
  | { readonly page: 'kms-status'; readonly contextId: string }
  | { readonly page: 'plan-unseal' | 'plan-seal-migration'; readonly vaultId: string }
  /** '' for what is chosen on the page. */
  | { readonly page: 'plan-transit-setup'; readonly vaultId: string; readonly contextId: string }
  /** reencrypt: what was counted before is to be written again. */
  | {
      readonly page: 'plan-kms-verify';
      readonly contextId: string;
      readonly provider: string;
      readonly reencrypt: boolean;
    };

/** An unknown path leads home. */
export function parsePath(path: string): Place {
  const parts = path.replace(/^\//u, '').split('/').map(decodeSafely);
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = parts;
  if (first === 'vaults') return second === '' ? { page: 'vaults' } : { page: 'vault', vaultId: second };
  if (first === 'clusters') {
    const tab = clusterTabs.find((each) => each === third) ?? 'overview';
    return second === '' ? { page: 'clusters' } : { page: 'cluster', contextId: second, tab };
  }
  if (first === 'kms' && second !== '') return { page: 'kms-status', contextId: second };
  if (first === 'new' && second === 'recipe') return { page: 'recipe', contextId: third, recipe: fourth };
  if (first === 'runs') return second === '' ? { page: 'runs' } : { page: 'run', runId: second };
  if (first === 'tokens' && second !== '' && third !== '') {
    return {
      page: 'token',
      storeId: second,
      serial: third,
      tab: tokenTabs.find((tab) => tab === fourth) ?? 'overview',
    };
  }
  if (first === 'tokens' || first === 'journal' || first === 'settings') return { page: first };
  if (first === 'new' && second === 'token-setup') return { page: 'plan-token-setup', storeId: third, slotId: fourth };
  if (first === 'new' && second === 'vault-init') return { page: 'plan-vault-init', vaultId: third };
  const act = first === 'new' ? tokenActs.find((each) => each === second) : undefined;
  if (act !== undefined) return { page: 'plan-token-act', act, storeId: third, serial: fourth, subject: fifth };
  if (first === 'new' && second === 'unseal') return { page: 'plan-unseal', vaultId: third };
  if (first === 'new' && second === 'seal-migration') return { page: 'plan-seal-migration', vaultId: third };
  if (first === 'new' && second === 'transit-setup')
    return { page: 'plan-transit-setup', vaultId: third, contextId: fourth };
  if (first === 'new' && second === 'kms-verify')
    return { page: 'plan-kms-verify', contextId: third, provider: fourth, reencrypt: fifth === 'reencrypt' };
  return { page: 'home' };
}

/** What stays the same while a page is open: the parts of a token's page are one page. */
export function pageKey(path: string): string {
  const place = parsePath(path);
  if (place.page === 'cluster') return paths.cluster(place.contextId);
  return place.page === 'token' ? paths.token(place.storeId, place.serial) : path;
}

function decodeSafely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    if (cause instanceof URIError) return part;
    throw cause;
  }
}

export const paths = {
  home: '/',
  tokens: '/tokens',
  vaults: '/vaults',
  clusters: '/clusters',
  runs: '/runs',
  journal: '/journal',
  settings: '/settings',
  token: (storeId: string, serial: string, tab: TokenTab = 'overview') =>
    `/tokens/${encodeURIComponent(storeId)}/${encodeURIComponent(serial)}${tab === 'overview' ? '' : `/${tab}`}`,
  tokenAct: (act: TokenAct, token: { readonly storeId: string; readonly serial: string }, subject = '') =>
    `/new/${act}/${encodeURIComponent(token.storeId)}/${encodeURIComponent(token.serial)}/${encodeURIComponent(subject)}`,
  vault: (vaultId: string) => `/vaults/${encodeURIComponent(vaultId)}`,
  cluster: (contextId: string, tab: ClusterTab = 'overview') =>
    `/clusters/${encodeURIComponent(contextId)}${tab === 'overview' ? '' : `/${tab}`}`,
  recipe: (contextId: string, recipe = '') => `/new/recipe/${encodeURIComponent(contextId)}/${recipe}`,
  run: (runId: string) => `/runs/${encodeURIComponent(runId)}`,
  tokenSetup: (storeId: string, slotId: number | '') =>
    `/new/token-setup/${encodeURIComponent(storeId)}/${String(slotId)}`,
  vaultInit: (vaultId: string) => `/new/vault-init/${encodeURIComponent(vaultId)}`,
  unseal: (vaultId: string) => `/new/unseal/${encodeURIComponent(vaultId)}`,
  sealMigration: (vaultId: string) => `/new/seal-migration/${encodeURIComponent(vaultId)}`,
  transitSetup: (vaultId: string, contextId = '') =>
    `/new/transit-setup/${encodeURIComponent(vaultId)}/${encodeURIComponent(contextId)}`,
  kmsStatus: (contextId: string) => `/kms/${encodeURIComponent(contextId)}`,
  kmsVerify: (contextId: string, provider = '', reencrypt = false) =>
    `/new/kms-verify/${encodeURIComponent(contextId)}/${encodeURIComponent(provider)}/${reencrypt ? 'reencrypt' : ''}`,
} as const;

export interface Navigation {
  readonly path: string;
  readonly go: (path: string) => void;
}

export const useNavigation: UseBoundStore<StoreApi<Navigation>> = create<Navigation>((set) => ({
  path: paths.home,
  go: (path) => {
    set({ path });
  },
}));
