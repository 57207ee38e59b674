/** Which page is shown. Paths are those of the contract's `go-to`. */
import { create, type StoreApi, type UseBoundStore } from 'zustand';

export type Place =
  | { readonly page: 'home' | 'tokens' | 'vaults' | 'runs' | 'journal' | 'settings' }
  | { readonly page: 'vault'; readonly vaultId: string }
  | { readonly page: 'run'; readonly runId: string }
  | { readonly page: 'plan-token-setup'; readonly storeId: string; readonly slotId: string }
  | { readonly page: 'plan-vault-init'; readonly vaultId: string }
  | { readonly page: 'plan-unseal'; readonly vaultId: string };

/** An unknown path leads home. */
export function parsePath(path: string): Place {
  const [first = '', second = '', third = '', fourth = ''] = path.replace(/^\//u, '').split('/').map(decodeSafely);
  if (first === 'vaults') return second === '' ? { page: 'vaults' } : { page: 'vault', vaultId: second };
  if (first === 'runs') return second === '' ? { page: 'runs' } : { page: 'run', runId: second };
  if (first === 'tokens' || first === 'journal' || first === 'settings') return { page: first };
  if (first === 'new' && second === 'token-setup') return { page: 'plan-token-setup', storeId: third, slotId: fourth };
  if (first === 'new' && second === 'vault-init') return { page: 'plan-vault-init', vaultId: third };
  if (first === 'new' && second === 'unseal') return { page: 'plan-unseal', vaultId: third };
  return { page: 'home' };
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
  runs: '/runs',
  journal: '/journal',
  settings: '/settings',
  vault: (vaultId: string) => `/vaults/${encodeURIComponent(vaultId)}`,
  run: (runId: string) => `/runs/${encodeURIComponent(runId)}`,
  tokenSetup: (storeId: string, slotId: number | '') =>
    `/new/token-setup/${encodeURIComponent(storeId)}/${String(slotId)}`,
  vaultInit: (vaultId: string) => `/new/vault-init/${encodeURIComponent(vaultId)}`,
  unseal: (vaultId: string) => `/new/unseal/${encodeURIComponent(vaultId)}`,
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
