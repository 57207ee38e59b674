/**
 * Which file an app:// address means. Pure, so that hostile addresses are tried without Electron: the
 * answer is a path relative to the pages' folder that cannot leave it, or undefined.
 */
import { isWithin, type AppHost } from '../security/origins.ts';

const pages = { main: 'index.html', prompt: 'prompt.html' } as const;
export type PageHost = keyof typeof pages;

const mimeTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
};

export interface PageFile {
  /** Relative, with forward slashes, of the pages' folder. */
  readonly path: string;
  readonly mimeType: string;
}

/** Vite names assets so. No dot may begin a name and no other folder is served. */
const assetPath = /^\/assets\/([A-Za-z0-9_-][A-Za-z0-9._-]{0,120})$/u;

/** @param host the one host that the asking session may see */
export function findPageFile(host: PageHost, address: string): PageFile | undefined {
  if (!isWithin(host satisfies AppHost, address)) return undefined;
  const { pathname } = new URL(address);
  if (pathname === '/' || pathname === `/${pages[host]}`)
    return { path: pages[host], mimeType: mimeTypes['html'] ?? '' };
  const name = assetPath.exec(pathname)?.[1];
  if (name === undefined || name.includes('..')) return undefined;
  const mimeType = mimeTypes[name.slice(name.lastIndexOf('.') + 1)];
  return mimeType === undefined || name.endsWith('.html') ? undefined : { path: `assets/${name}`, mimeType };
}
