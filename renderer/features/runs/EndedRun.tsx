import { useState, type ReactNode } from 'react';
import { ChevronRight, Download, ShieldCheck } from 'lucide-react';
import type { AppView, RunView } from '../../../electron/contract/views.ts';
import { act, useAlerts } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { ActionMenu } from '../../ui/Dialogs.tsx';
import { Actions, Card, Note } from '../../ui/Pieces.tsx';
import { tokenOfRun } from '../../views/run-token.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { VerificationDialog, type Verification } from '../journal/VerificationDialog.tsx';

export function EndedRun({ run, view }: { readonly run: RunView; readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const token = tokenOfRun(view, run);
  const completed = run.status === 'completed';
  return (
    <Card look="accent" title={completed ? text.runs.completedTitle : text.runs.abandonedTitle}>
      <Note tone={completed ? 'good' : 'mute'} shape={completed ? 'check' : 'none'}>
        <p>{completed ? text.runs.completedText : text.runs.abandonedText}</p>
      </Note>
      <TranscriptActs run={run} />
      {token === undefined ? null : (
        <Actions>
          <Button
            look="quiet"
            icon={<ChevronRight size={18} aria-hidden />}
            onPress={() => {
              go(paths.token(token.storeId, token.serial));
            }}
          >
            {text.runs.toToken(tokenTitle(token))}
          </Button>
        </Actions>
      )}
    </Card>
  );
}

/** Saving and verifying, for the run's page and the journal. */
export function TranscriptActs({ run, compact }: { readonly run: RunView; readonly compact?: boolean }): ReactNode {
  const [verification, setVerification] = useState<Verification>();
  const say = useAlerts((state) => state.say);
  const save = async (format: 'html' | 'pdf' | 'jsonl'): Promise<void> => {
    const reply = await act('transcripts.save', { runId: run.id, format });
    if (reply !== undefined && reply.path !== '') say(text.runs.saved(reply.path));
  };
  const verify = async (): Promise<void> => {
    setVerification(await act('journal.verify', { runId: run.id }));
  };
  return (
    <Actions>
      <ActionMenu
        label={compact === true ? text.journal.save : text.runs.save}
        {...(compact === true ? { name: text.journal.saveOf(run.title) } : {})}
        look={compact === true ? 'quiet' : 'primary'}
        icon={<Download size={18} aria-hidden />}
        items={[
          { id: 'html', title: text.runs.saveHtml },
          { id: 'pdf', title: text.runs.savePdf },
          { id: 'jsonl', title: text.runs.saveJsonl },
        ]}
        onAction={(format) => void save(format)}
      />
      <Button
        look={compact === true ? 'quiet' : 'plain'}
        icon={<ShieldCheck size={18} aria-hidden />}
        {...(compact === true ? { name: text.journal.verifyOf(run.title) } : {})}
        onPress={() => void verify()}
      >
        {compact === true ? text.journal.verify : text.runs.verify}
      </Button>
      <VerificationDialog
        verification={verification}
        onClose={() => {
          setVerification(undefined);
        }}
      />
    </Actions>
  );
}
