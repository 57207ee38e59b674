import { app } from 'electron';
import { reportBug } from './bug-report.ts';

/** Milliseconds. Hosts are killed, not asked, so this is only for a disk or a Vault that takes its time. */
const deadline = 8000;

/** Quitting ends hosts and servers first, whatever quits; a second quit in the meantime changes nothing. */
export function quitInOrder(close: () => Promise<void>): void {
  let closing = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    const timer = setTimeout(() => {
      app.exit(0);
    }, deadline);
    close()
      .catch((cause: unknown) => {
        reportBug('quit', cause);
      })
      .finally(() => {
        clearTimeout(timer);
        app.exit(0);
      });
  });
}
