import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { protocol, type Session } from 'electron';
import { contentSecurityPolicy, transcriptContentSecurityPolicy } from '../security/content-security-policy.ts';
import { appScheme, isWithin } from '../security/origins.ts';
import { findPageFile, type PageHost } from './page-files.ts';

/** Makes app:// a scheme with an origin and a secure context (WebCrypto needs one). Before the app is ready. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: appScheme,
      privileges: {
        standard: true,
        secure: true,
        supportFetchAPI: false,
        corsEnabled: false,
        bypassCSP: false,
        allowServiceWorkers: false,
        stream: false,
        codeCache: false,
      },
    },
  ]);
}

const commonHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=(), display-capture=(), clipboard-read=(), clipboard-write=(), payment=()',
  'Cache-Control': 'no-store',
} as const;

const notFound = (): Response =>
  new Response('', { status: 404, headers: { ...commonHeaders, 'Content-Security-Policy': contentSecurityPolicy } });

/**
 * Serves the built pages of one host to one session, with the content security policy on every answer.
 * @param pagesDirectory absolute; inside the asar archive when packaged
 */
export function servePages(session: Session, host: PageHost, pagesDirectory: string): void {
  session.protocol.handle(appScheme, async (request) => {
    const file = request.method === 'GET' ? findPageFile(host, request.url) : undefined;
    if (file === undefined) return notFound();
    try {
      const content = await readFile(join(pagesDirectory, file.path));
      return new Response(new Uint8Array(content), {
        headers: { ...commonHeaders, 'Content-Type': file.mimeType, 'Content-Security-Policy': contentSecurityPolicy },
      });
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return notFound();
      throw cause;
    }
  });
}

/** Serves one transcript, held in memory, to the window that prints it. */
export function serveTranscript(session: Session, html: string): void {
  session.protocol.handle(appScheme, (request) =>
    request.method === 'GET' && isWithin('pdf', request.url) && new URL(request.url).pathname === '/'
      ? new Response(html, {
          headers: {
            ...commonHeaders,
            'Content-Type': 'text/html; charset=utf-8',
            'Content-Security-Policy': transcriptContentSecurityPolicy,
          },
        })
      : notFound(),
  );
}

export function stopServing(session: Session): void {
  if (session.protocol.isProtocolHandled(appScheme)) session.protocol.unhandle(appScheme);
}
