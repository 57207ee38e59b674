import { originOf, type AppHost } from './origins.ts';

/** What the browser process knows of a sender; the same shape as in `electron/ipc/registration.ts`. */
interface SenderFacts {
  readonly webContentsId: number;
  readonly isMainFrame: boolean;
  readonly origin: string;
}

/**
 * A contract belongs to one window: its main frame, at its exact origin, in the web contents that are
 * that window now.
 * @param currentId the window's webContents id, undefined while there is no such window
 */
export function createSenderCheck(
  host: AppHost,
  currentId: () => number | undefined,
): (sender: SenderFacts) => boolean {
  const origin = originOf(host);
  return (sender) => sender.isMainFrame && sender.origin === origin && sender.webContentsId === currentId();
}
