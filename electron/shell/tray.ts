import { Menu, Tray, nativeImage, type MenuItemConstructorOptions } from 'electron';
import type { AppPaths } from './paths.ts';
import { toTrayModel, type TrayAction, type TrayFacts, type TrayIcon, type TrayItem } from './tray-model.ts';

export interface AppTray {
  readonly tray: Tray;
  readonly menu: Menu;
  show(facts: TrayFacts | undefined): void;
  destroy(): void;
}

/** The tray is the first thing that is up: it takes nothing but its icon. */
export function createTray(paths: AppPaths, act: (action: TrayAction) => void): AppTray {
  const images = new Map<TrayIcon, Electron.NativeImage>();
  const imageOf = (icon: TrayIcon): Electron.NativeImage => {
    const known = images.get(icon);
    if (known !== undefined) return known;
    const image = nativeImage.createFromPath(paths.icon(`tray-${icon}`));
    images.set(icon, image);
    return image;
  };

  const toMenuItem = (item: TrayItem): MenuItemConstructorOptions => {
    switch (item.kind) {
      case 'separator':
        return { type: 'separator' };
      case 'text':
        return { label: item.label, enabled: false };
      case 'action':
        return {
          id: item.action.kind === 'unseal' ? `unseal ${item.action.vaultId}` : item.action.kind,
          label: item.label,
          enabled: item.enabled,
          click: () => {
            act(item.action);
          },
        };
    }
  };

  let shown = '';
  let menu: Electron.Menu = Menu.buildFromTemplate([]);
  const tray = new Tray(imageOf('unknown'));
  tray.on('click', () => {
    act({ kind: 'open' });
  });

  const show: AppTray['show'] = (facts) => {
    const model = toTrayModel(facts);
    const serialised = JSON.stringify(model);
    // On Linux a menu that is open closes when it is replaced, so it is replaced only when it says something else.
    if (serialised === shown) return;
    shown = serialised;
    tray.setImage(imageOf(model.icon));
    tray.setToolTip(model.tooltip);
    menu = Menu.buildFromTemplate(model.items.map(toMenuItem));
    tray.setContextMenu(menu);
  };
  show(undefined);

  return {
    tray,
    get menu() {
      return menu;
    },
    show,
    destroy() {
      tray.destroy();
    },
  };
}
