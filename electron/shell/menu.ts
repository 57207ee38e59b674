import { Menu } from 'electron';

/** The smallest menu that keeps the keyboard's usual ways: no reload, no developer tools. */
export function setApplicationMenu(actions: { readonly lock: () => void; readonly quit: () => void }): void {
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      {
        label: '&Key Custodian',
        submenu: [
          { label: '&Lock now', accelerator: 'CommandOrControl+L', click: actions.lock },
          { type: 'separator' },
          { role: 'close', label: '&Close window' },
          { label: '&Quit', accelerator: 'CommandOrControl+Q', click: actions.quit },
        ],
      },
      {
        label: '&Edit',
        submenu: [
          { role: 'undo' },
          { role: 'redo' },
          { type: 'separator' },
          { role: 'cut' },
          { role: 'copy' },
          { role: 'paste' },
          { role: 'selectAll' },
        ],
      },
      {
        label: '&View',
        submenu: [
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { type: 'separator' },
          { role: 'togglefullscreen' },
        ],
      },
    ]),
  );
}
