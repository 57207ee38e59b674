/** The only file that imports ipcMain. */
import { ipcMain } from 'electron';
import type { Sender, Transport } from './registration.ts';

/** A frame that is gone by the time its message arrives is nobody. */
const nobody: Sender = { webContentsId: -1, isMainFrame: false, origin: '' };

/** Electron's transport: sender facts come from the browser process, not from the message. */
export const electronTransport: Transport = {
  handle(wireName, listener) {
    ipcMain.handle(wireName, (event, request: unknown) => {
      const frame = event.senderFrame;
      const sender: Sender =
        frame === null
          ? nobody
          : {
              webContentsId: event.sender.id,
              isMainFrame: frame.parent === null && frame === event.sender.mainFrame,
              origin: frame.origin,
            };
      return listener(sender, request);
    });
  },
};
