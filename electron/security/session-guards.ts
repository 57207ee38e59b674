import { app, type Session } from 'electron';
import { rejectAllCertificates } from './certificates.ts';
import { cancelDownloads } from './downloads.ts';
import { denyPermissions } from './permissions.ts';
import type { AppHost } from './origins.ts';
import { confineWebRequests } from './web-requests.ts';

const hostOf = new WeakMap<Session, AppHost>();

function guard(session: Session, host: AppHost | undefined): void {
  denyPermissions(session);
  confineWebRequests(session, host);
  cancelDownloads(session);
  rejectAllCertificates(session);
  session.setSpellCheckerEnabled(false);
}

/** Every session ever made is shut; a window's own session is then opened to its own host alone. Before the app is ready. */
export function guardEverySession(): void {
  app.on('session-created', (session) => {
    guard(session, hostOf.get(session));
  });
}

/** @returns the session, allowed its own host and nothing more */
export function openSessionTo(session: Session, host: AppHost): Session {
  hostOf.set(session, host);
  guard(session, host);
  return session;
}
