import type { Session } from 'electron';
import { isWithin, type AppHost } from './origins.ts';

/**
 * A session reaches its own app:// host and nothing else. What talks to Vault are other processes.
 * @param host undefined for a session that shows nothing: everything is cancelled
 */
export function confineWebRequests(session: Session, host: AppHost | undefined): void {
  session.webRequest.onBeforeRequest((details, callback) => {
    const isOwn = host !== undefined && isWithin(host, details.url);
    const isInlineImage = details.resourceType === 'image' && details.url.startsWith('data:image/');
    callback({ cancel: !isOwn && !isInlineImage });
  });
}
