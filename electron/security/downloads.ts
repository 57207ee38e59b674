import type { Session } from 'electron';

/** Nothing is downloaded: what a person saves goes through the system's dialog in main. */
export function cancelDownloads(session: Session): void {
  session.on('will-download', (event) => {
    event.preventDefault();
  });
}
