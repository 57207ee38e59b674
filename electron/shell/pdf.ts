import { BrowserWindow, session } from 'electron';
import { pageOf } from '../security/origins.ts';
import { openSessionTo } from '../security/session-guards.ts';
import { hardenedWebPreferences, partitions } from '../security/web-preferences.ts';
import { serveTranscript, stopServing } from './app-protocol.ts';

let last: Promise<unknown> = Promise.resolve();

async function print(html: string): Promise<Uint8Array> {
  const ownSession = openSessionTo(session.fromPartition(partitions.pdf, { cache: false }), 'pdf');
  serveTranscript(ownSession, html);
  const window = new BrowserWindow({
    show: false,
    webPreferences: hardenedWebPreferences({ partition: partitions.pdf, javascript: false }),
  });
  try {
    await window.loadURL(pageOf('pdf'));
    return await window.webContents.printToPDF({ pageSize: 'A4', printBackground: true, preferCSSPageSize: true });
  } finally {
    window.destroy();
    stopServing(ownSession);
  }
}

/**
 * Prints a transcript to PDF in a hidden window without JavaScript, in a session that can reach nothing
 * but that one page. One at a time.
 */
export function renderPdf(html: string): Promise<Uint8Array> {
  const mine = last.then(() => print(html));
  last = mine.catch(() => undefined);
  return mine;
}
