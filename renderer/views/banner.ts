/** The first question of Home, answered: is anything sealed or missing? Pure. */
import type { AppView, VaultView } from '../../electron/contract/views.ts';
import { absentDevices, type AbsentDevice } from './devices.ts';
import { glanceAt } from './glance.ts';

export interface BannerView {
  readonly kind: 'sealed' | 'missing' | 'looking' | 'empty' | 'no-vault' | 'fresh' | 'absent' | 'waits' | 'well';
  /** What it is about: servers, or what is being looked at. */
  readonly names: readonly string[];
  /** Devices with key shares that are not plugged in: serial and the Vaults that they unseal. */
  readonly absent: readonly AbsentDevice[];
  /** The server to unseal first. */
  readonly vault?: VaultView;
  /** How many things wait. */
  readonly waits: number;
}

/** Worst first. "All is well" is said only where everything was looked at and nothing waits. */
export function bannerOf(view: AppView): BannerView {
  const glance = glanceAt(view);
  const named = (vaults: readonly VaultView[]): readonly string[] => vaults.map((vault) => vault.name);
  const { waits } = glance;
  const absent = absentDevices(view);
  const [firstSealed] = glance.sealed;
  if (firstSealed !== undefined)
    return { kind: 'sealed', names: named(glance.sealed), vault: firstSealed, absent, waits };
  if (glance.missing.length > 0) return { kind: 'missing', names: named(glance.missing), absent, waits };
  if (glance.looking.length > 0) return { kind: 'looking', names: glance.looking, absent, waits };
  if (glance.nothingSetUp) return { kind: 'empty', names: [], absent, waits };
  if (glance.fresh.length > 0) return { kind: 'fresh', names: named(glance.fresh), absent, waits };
  if (waits > 0) return { kind: 'waits', names: [], absent, waits };
  // An open Vault whose device lies in its safe is well kept; it is said all the same, before it is needed.
  if (absent.length > 0) return { kind: 'absent', names: absent.map(({ serial }) => serial), absent, waits };
  return { kind: view.vaults.length === 0 ? 'no-vault' : 'well', names: named(view.vaults), absent, waits };
}
