import type { Style } from './style.ts';
import { createTerminalPrompt } from './terminal-prompt.ts';

/** For commands that ask nothing: every question is refused. */
export function createSilentPrompt({ style }: { readonly style: Style }): ReturnType<typeof createTerminalPrompt> {
  return createTerminalPrompt({
    terminal: undefined,
    style,
    pinLines: undefined,
    soPinLines: undefined,
    shareLines: undefined,
    dkekLines: undefined,
    consentToLastTry: false,
    pause: () => undefined,
    resume: () => undefined,
  });
}
