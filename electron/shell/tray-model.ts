/** What the tray says, drawn from the view alone. Pure: `tray.ts` turns it into Electron's menu. */
import type { AppView } from '../contract/views.ts';

export type TrayIcon = 'calm' | 'sealed' | 'unknown';

export type TrayAction =
  | { readonly kind: 'open' }
  | { readonly kind: 'unseal'; readonly vaultId: string }
  | { readonly kind: 'start-rehearsal' }
  | { readonly kind: 'discard-rehearsal' }
  | { readonly kind: 'lock' }
  | { readonly kind: 'quit' };

export type TrayItem =
  | { readonly kind: 'separator' }
  | { readonly kind: 'text'; readonly label: string }
  | { readonly kind: 'action'; readonly label: string; readonly action: TrayAction; readonly enabled: boolean };

export interface TrayModel {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  readonly items: readonly TrayItem[];
}

/** The part of the view that the tray needs. It knows the servers while the app is locked too: a sealed one is why it is there. */
export type TrayFacts = Pick<AppView, 'vaults' | 'rehearsal' | 'locked'>;

const stateInWords: Readonly<Record<AppView['vaults'][number]['state'], string>> = {
  looking: 'looking…',
  unreachable: 'cannot be reached',
  uninitialized: 'not initialised',
  sealed: 'sealed',
  unsealed: 'unsealed',
};

/** A label from outside must not become a menu mnemonic or run off the screen. */
function clean(name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 59)}…` : name;
  return short.replaceAll('&', '&&');
}

function iconOf(vaults: AppView['vaults']): TrayIcon {
  if (vaults.some((vault) => vault.state === 'sealed')) return 'sealed';
  if (vaults.some((vault) => vault.state === 'unreachable' || vault.state === 'looking')) return 'unknown';
  return 'calm';
}

function tooltipOf(vaults: AppView['vaults'], locked: boolean): string {
  const sealed = vaults.filter((vault) => vault.state === 'sealed').map((vault) => vault.name);
  const lock = locked ? ' (locked)' : '';
  if (sealed.length > 0) return `Key Custodian${lock}: ${sealed.join(', ')} sealed`.slice(0, 120);
  const unknown = vaults.filter((vault) => vault.state === 'unreachable').length;
  if (unknown > 0) return `Key Custodian${lock}: ${unknown} not reached`;
  return vaults.length === 0 ? `Key Custodian${lock}` : `Key Custodian${lock}: nothing is sealed`;
}

function rehearsalItem(state: AppView['rehearsal']['state']): TrayItem {
  if (state === 'none' || state === 'failed') {
    return { kind: 'action', label: 'Start a rehearsal', action: { kind: 'start-rehearsal' }, enabled: true };
  }
  return {
    kind: 'action',
    label: 'Throw the rehearsal away…',
    action: { kind: 'discard-rehearsal' },
    enabled: state === 'ready',
  };
}

const separator: TrayItem = { kind: 'separator' };

/** @param facts undefined while the app still starts */
export function toTrayModel(facts: TrayFacts | undefined): TrayModel {
  const open: TrayItem = { kind: 'action', label: 'Open', action: { kind: 'open' }, enabled: true };
  const quit: TrayItem = { kind: 'action', label: 'Quit', action: { kind: 'quit' }, enabled: true };
  if (facts === undefined) {
    return {
      icon: 'unknown',
      tooltip: 'Key Custodian starts…',
      items: [{ kind: 'text', label: 'Starting…' }, separator, open, quit],
    };
  }
  const { vaults, rehearsal, locked } = facts;
  const states = vaults.map((vault): TrayItem => ({
    kind: 'text',
    label: `${clean(vault.name)}${vault.rehearsal ? ' (rehearsal)' : ''}: ${stateInWords[vault.state]}`,
  }));
  const unseals = vaults
    .filter((vault) => vault.state === 'sealed')
    .map((vault): TrayItem => ({
      kind: 'action',
      label: `Unseal ${clean(vault.name)}…`,
      action: { kind: 'unseal', vaultId: vault.id },
      enabled: true,
    }));
  return {
    icon: iconOf(vaults),
    tooltip: tooltipOf(vaults, locked),
    items: [
      ...(states.length === 0 ? [{ kind: 'text', label: 'No Vault is known yet' } as const] : states),
      ...unseals,
      separator,
      open,
      rehearsalItem(rehearsal.state),
      { kind: 'action', label: locked ? 'Locked' : 'Lock now', action: { kind: 'lock' }, enabled: !locked },
      separator,
      quit,
    ],
  };
}
