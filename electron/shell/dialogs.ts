import { clipboard, dialog, type BrowserWindow, type FileFilter } from 'electron';
import type { ChosenFileKind, DesktopPort, SavedFileKind } from '../ipc/desktop-port.ts';
import { renderPdf } from './pdf.ts';

const everything: FileFilter = { name: 'All files', extensions: ['*'] };

const fileDialogs: Readonly<
  Record<ChosenFileKind, { readonly title: string; readonly filters: readonly FileFilter[] }>
> = {
  'pkcs11-module': {
    title: 'Choose a PKCS#11 library',
    filters: [{ name: 'Libraries', extensions: ['so', 'dylib', 'dll'] }, everything],
  },
  'ca-file': {
    title: 'Choose the CA certificate',
    filters: [{ name: 'Certificates', extensions: ['pem', 'crt', 'cer'] }, everything],
  },
  'pgp-key': {
    title: 'Choose a PGP public key',
    filters: [{ name: 'Keys', extensions: ['asc', 'gpg', 'pgp', 'key'] }, everything],
  },
  'pgp-message': {
    title: 'Choose an encrypted share',
    filters: [{ name: 'Messages', extensions: ['asc', 'gpg', 'pgp'] }, everything],
  },
  journal: { title: 'Choose a journal to check', filters: [{ name: 'Journals', extensions: ['jsonl'] }, everything] },
  certificate: {
    title: 'Choose a certificate',
    filters: [{ name: 'Certificates', extensions: ['pem', 'crt', 'cer', 'der'] }, everything],
  },
  'dkek-share': {
    title: 'Choose a DKEK share file',
    filters: [{ name: 'DKEK shares', extensions: ['pbe', 'dkek', 'bin'] }, everything],
  },
  'etcd-certificate': {
    title: 'Choose the client certificate for etcd',
    filters: [{ name: 'Certificates', extensions: ['pem', 'crt', 'cer'] }, everything],
  },
  'etcd-key': {
    title: 'Choose the key of the client certificate',
    filters: [{ name: 'Keys', extensions: ['key', 'pem'] }, everything],
  },
};

const saveDialogs: Readonly<Record<SavedFileKind, { readonly title: string; readonly filter: string }>> = {
  html: { title: 'Save the transcript', filter: 'HTML' },
  pdf: { title: 'Save the transcript', filter: 'PDF' },
  jsonl: { title: 'Save the transcript', filter: 'JSONL' },
  pem: { title: 'Save the public key', filter: 'PEM' },
  pub: { title: 'Save the public key', filter: 'OpenSSH public key' },
  jwk: { title: 'Save the public key', filter: 'JSON Web Key' },
  yaml: { title: 'Save the rights', filter: 'YAML' },
};

/** The desktop as handlers see it. Dialogs belong to the main window where it is open. */
export function createDesktopPort(parent: () => BrowserWindow | undefined): DesktopPort {
  return {
    async chooseFile(kind) {
      const { title, filters } = fileDialogs[kind];
      const options = { title, filters: [...filters], properties: ['openFile' as const] };
      const window = parent();
      const answer = await (window === undefined
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(window, options));
      return answer.canceled ? undefined : answer.filePaths[0];
    },
    async chooseSavePath(suggestedName, extension) {
      const { title, filter } = saveDialogs[extension];
      const options = {
        title,
        defaultPath: suggestedName,
        filters: [{ name: filter, extensions: [extension] }],
      };
      const window = parent();
      const answer = await (window === undefined
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(window, options));
      return answer.canceled || answer.filePath === '' ? undefined : answer.filePath;
    },
    async chooseFolder() {
      const options = {
        title: 'Choose a folder for the files',
        properties: ['openDirectory' as const, 'createDirectory' as const],
      };
      const window = parent();
      const answer = await (window === undefined
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(window, options));
      return answer.canceled ? undefined : answer.filePaths[0];
    },
    copyText(text) {
      void clipboard.writeText(text);
    },
    renderPdf,
  };
}
