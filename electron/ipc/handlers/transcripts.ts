import { writeFile } from 'node:fs/promises';
import { failure, success, type Result } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';

type Format = 'html' | 'pdf' | 'jsonl';

async function render({ core, desktop }: HandlerContext, runId: string, format: Format): Promise<Result<Uint8Array>> {
  if (format === 'jsonl') return core.transcripts.jsonLines(runId);
  const html = await core.transcripts.html(runId);
  if (!html.ok) return html;
  return success(format === 'html' ? new TextEncoder().encode(html.value) : await desktop.renderPdf(html.value));
}

async function save(path: string, content: Uint8Array): Promise<Result<{ readonly path: string }>> {
  try {
    await writeFile(path, content, { mode: 0o600 });
    return success({ path });
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return reason === 'ENOSPC'
      ? failure(
          'Custody_DiskFull',
          'The disk is full: the transcript was not saved.',
          'Make room or choose another place, and save it again.',
        )
      : failure(
          'Custody_WriteFailed',
          `The transcript could not be saved there (${reason}).`,
          'Choose another place and save it again.',
        );
  }
}

export function createTranscriptHandlers(context: HandlerContext): Group<'transcripts' | 'journal'> {
  const { core, desktop } = context;
  return {
    async 'transcripts.save'({ runId, format }) {
      const content = await render(context, runId, format);
      if (!content.ok) return content;
      const fileName = `transcript-${runId.replaceAll(/[^A-Za-z0-9-]/gu, '')}.${format}`;
      const path = await desktop.chooseSavePath(fileName, format);
      return path === undefined ? success({ path: '' }) : save(path, content.value);
    },
    async 'journal.verify'({ runId }) {
      const path = runId === '' ? await desktop.chooseFile('journal') : '';
      if (path === undefined) {
        return success({ intact: false, records: 0, complete: false, head: '', headWords: [], problems: [] });
      }
      const result = await (runId === '' ? core.transcripts.verifyFile(path) : core.transcripts.verifyRun(runId));
      if (!result.ok) return result;
      const { intact, records, complete, head, headWords, problems } = result.value;
      return success({ intact, records, complete, head, headWords: [...headWords], problems: [...problems] });
    },
  };
}
