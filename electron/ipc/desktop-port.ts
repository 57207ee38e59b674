/** What handlers need of the desktop; `electron/shell` implements it. */
export type ChosenFileKind =
  | 'pkcs11-module'
  | 'ca-file'
  | 'pgp-key'
  | 'pgp-message'
  | 'journal'
  | 'certificate'
  | 'dkek-share'
  | 'etcd-certificate'
  | 'etcd-key';

/** What is saved: a transcript, a public key, or rules for a cluster. */
export type SavedFileKind = 'html' | 'pdf' | 'jsonl' | 'pem' | 'pub' | 'jwk' | 'yaml';

export interface DesktopPort {
  /** The system's file dialog. undefined where it was cancelled. */
  chooseFile(kind: ChosenFileKind): Promise<string | undefined>;
  /** The system's save dialog. undefined where it was cancelled. */
  chooseSavePath(suggestedName: string, extension: SavedFileKind): Promise<string | undefined>;
  /** The system's dialog for a folder to write into. undefined where it was cancelled. */
  chooseFolder(): Promise<string | undefined>;
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
