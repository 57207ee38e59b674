import { app } from 'electron';
import { appHosts, isWithin, type AppHost } from './origins.ts';

const hosts = Object.keys(appHosts) as readonly AppHost[];

function isReloadOfOwnPage(current: string, target: string): boolean {
  const host = hosts.find((candidate) => isWithin(candidate, current));
  return host !== undefined && isWithin(host, target);
}

/** Windows stay on their own page: no other address, no frame, no new window, no webview. For all web contents ever made. */
export function guardNavigation(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-frame-navigate', (details) => {
      if (!details.isMainFrame || !isReloadOfOwnPage(contents.getURL(), details.url)) details.preventDefault();
    });
    contents.on('will-redirect', (event) => {
      event.preventDefault();
    });
    contents.on('will-attach-webview', (event) => {
      event.preventDefault();
    });
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}
