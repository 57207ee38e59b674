import type { WebPreferences } from 'electron';

/** What every window of the app is made with. A window adds its session and preload script, and cannot take any of this back. */
export function hardenedWebPreferences(own: {
  readonly partition: string;
  readonly preload?: string;
  readonly javascript?: boolean;
}): WebPreferences {
  return {
    partition: own.partition,
    ...(own.preload === undefined ? {} : { preload: own.preload }),
    javascript: own.javascript ?? true,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    autoplayPolicy: 'document-user-activation-required',
    disableDialogs: true,
    enableWebSQL: false,
    images: true,
    plugins: false,
    spellcheck: false,
    webgl: false,
    devTools: false,
  };
}

/**
 * Partition names without 'persist:' live in memory only, so no window leaves anything on disk. Each
 * window's own partition also keeps it out of the other windows' renderer process.
 */
export const partitions = { main: 'main-window', prompt: 'prompt-window', pdf: 'pdf-window' } as const;
