/** The app's own addresses. Each window has an origin, a session and with them a renderer process of its own. */
export const appScheme = 'app';

/** Hosts of the scheme: what each may show is in `electron/shell/app-protocol.ts`. */
export const appHosts = { main: 'main', prompt: 'prompt', pdf: 'pdf' } as const;
export type AppHost = keyof typeof appHosts;

/** Serialised origin, as the browser process reports it for a frame. */
export function originOf(host: AppHost): string {
  return `${appScheme}://${appHosts[host]}`;
}

export function pageOf(host: AppHost): string {
  return `${originOf(host)}/`;
}

/** Whether an address lies in a window's own origin; anything that cannot be read does not. */
export function isWithin(host: AppHost, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host: addressHost, username, password } = new URL(address);
  return protocol === `${appScheme}:` && addressHost === appHosts[host] && username === '' && password === '';
}
