import { app } from 'electron';
import { reportBug } from './bug-report.ts';

/** Milliseconds. Hosts are killed, not asked, so this is only for a disk or a Vault that takes its time. */
const deadline = 8000;

/**
 * Quitting ends hosts and servers first, whatever quits; a second quit in the meantime changes nothing.
 * @param mayForce false while ending at once would lose key shares: the deadline then begins again
 */
export function quitInOrder(close: () => Promise<void>, mayForce: () => boolean): void {
  let closing = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    const timer = setInterval(() => {
      if (mayForce()) app.exit(0);
    }, deadline);
    close()
      .catch((cause: unknown) => {
        reportBug('quit', cause);
      })
      .finally(() => {
        clearInterval(timer);
        app.exit(0);
      });
  });
}
