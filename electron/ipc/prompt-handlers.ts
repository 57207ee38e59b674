/** The prompt window's five calls. What passes here is sealed already. */
import type { PromptChannelReply, PromptChannelRequest, promptChannels } from '../contract/prompt.ts';
import type { Result } from '../workflows/failures.ts';
import type { Handlers } from './registration.ts';

/** Who keeps the prompts: `electron/shell/prompt-desk.ts`. */
export interface PromptDeskPort {
  view(): Result<PromptChannelReply<'prompt.get'>>;
  submit(request: PromptChannelRequest<'prompt.submit'>): Result<Record<string, never>>;
  reveal(request: PromptChannelRequest<'prompt.reveal'>): Promise<Result<PromptChannelReply<'prompt.reveal'>>>;
  confirm(request: PromptChannelRequest<'prompt.confirm'>): Result<Record<string, never>>;
  cancel(request: PromptChannelRequest<'prompt.cancel'>): Result<Record<string, never>>;
}

export function createPromptHandlers(desk: PromptDeskPort): Handlers<typeof promptChannels> {
  return {
    'prompt.get': async () => desk.view(),
    'prompt.submit': async (request) => desk.submit(request),
    'prompt.reveal': (request) => desk.reveal(request),
    'prompt.confirm': async (request) => desk.confirm(request),
    'prompt.cancel': async (request) => desk.cancel(request),
  };
}
