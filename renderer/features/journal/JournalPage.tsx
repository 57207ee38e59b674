import { useState, type ReactNode } from 'react';
import { BookOpenCheck, FileSearch } from 'lucide-react';
import { Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { EmptyState, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { glanceAt } from '../../views/glance.ts';
import { formatTime } from '../../views/times.ts';
import { TranscriptActs } from '../runs/EndedRun.tsx';
import { RunStateMark } from '../runs/RunStateMark.tsx';
import { VerificationDialog, type Verification } from './VerificationDialog.tsx';
import styles from './journal.module.css';

const css = classesOf(styles);
const words = text.journal;

export function JournalPage({ view }: { readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [verification, setVerification] = useState<Verification>();
  const { ended } = glanceAt(view);
  const verifyFile = async (): Promise<void> => {
    const reply = await act('journal.verify', { runId: '' });
    // A dialog that was cancelled answers with nothing read and nothing wrong.
    if (reply !== undefined && (reply.records > 0 || reply.problems.length > 0)) setVerification(reply);
  };
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        <Button icon={<FileSearch size={18} aria-hidden />} onPress={() => void verifyFile()}>
          {words.verifyFile}
        </Button>
      }
    >
      {ended.length === 0 ? (
        <EmptyState icon={<BookOpenCheck size={28} />} title={words.emptyTitle}>
          {words.emptyText}
        </EmptyState>
      ) : (
        <Table className={css('table')} aria-label={words.table}>
          <TableHeader className={css('head')}>
            <Column isRowHeader>{words.run}</Column>
            <Column>{words.outcome}</Column>
            <Column>{words.ended}</Column>
            <Column>{words.actions}</Column>
          </TableHeader>
          <TableBody>
            {ended.map((run) => (
              <Row key={run.id} className={css('row')}>
                <Cell className={css('cell')}>
                  <Button
                    look="quiet"
                    onPress={() => {
                      go(paths.run(run.id));
                    }}
                  >
                    {run.title}
                  </Button>
                  {run.rehearsal ? <RehearsalMark /> : null}
                </Cell>
                <Cell className={css('cell')}>
                  <RunStateMark run={run} />
                  {run.deviations.length === 0 ? null : (
                    <div className={css('quiet')}>{words.deviations(run.deviations.length)}</div>
                  )}
                </Cell>
                <Cell className={css('cell')}>
                  {formatTime(run.endedAt)}
                  <div className={css('quiet')}>{run.startedBy}</div>
                </Cell>
                <Cell className={css('cell')}>
                  <TranscriptActs run={run} compact />
                </Cell>
              </Row>
            ))}
          </TableBody>
        </Table>
      )}
      <VerificationDialog
        verification={verification}
        onClose={() => {
          setVerification(undefined);
        }}
      />
    </Page>
  );
}
