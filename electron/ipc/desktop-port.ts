/** What handlers need of the desktop; `electron/shell` implements it. */
export type ChosenFileKind =
  'pkcs11-module' | 'ca-file' | 'pgp-key' | 'pgp-message' | 'journal' | 'certificate' | 'dkek-share';

/** What is saved: a transcript, or a public key. */
export type SavedFileKind = 'html' | 'pdf' | 'jsonl' | 'pem' | 'pub' | 'jwk';

export interface DesktopPort {
  /** The system's file dialog. undefined where it was cancelled. */
  chooseFile(kind: ChosenFileKind): Promise<string | undefined>;
  /** The system's save dialog. undefined where it was cancelled. */
  chooseSavePath(suggestedName: string, extension: SavedFileKind): Promise<string | undefined>;
  copyText(text: string): void;
  /** Prints a self-contained page to PDF, A4. Rejects where Chromium cannot. */
  renderPdf(html: string): Promise<Uint8Array>;
}

/** The app's lock; `electron/shell/lock.ts` implements it. */
export interface LockPort {
  readonly locked: boolean;
  lock(): Promise<void>;
  unlock(): void;
}
