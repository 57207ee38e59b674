import { useState, type ReactNode } from 'react';
import type { ClusterContextView, FailureView, OutsidePartView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ConfirmDialog } from '../../ui/Dialogs.tsx';
import { Fact, Facts, Hash, Mono, Note, PathText } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.clusters;

const baseName = (path: string): string => path.split('/').at(-1) ?? path;

/** The programs and files that a context reaches for, by their names. */
export function outsideNames(context: ClusterContextView): string {
  return context.outside.map((part) => baseName(part.path)).join(', ');
}

function explain(part: OutsidePartView): string {
  if (part.kind === 'exec-program') return words.outsideProgram(baseName(part.path));
  return part.kind === 'auth-provider' ? words.outsideProvider : words.outsideFile;
}

/** What using a context would run or read outside of its kubeconfig: shown whole, and allowed one by one. */
export function OutsideParts({ context }: { readonly context: ClusterContextView }): ReactNode {
  return (
    <Note tone="warn" shape="notice" title={words.outsideTitle}>
      <div className={css('parts')}>
        {context.outside.map((part) => (
          <Part key={part.id} part={part} context={context} />
        ))}
      </div>
    </Note>
  );
}

function PartFacts({ part }: { readonly part: OutsidePartView }): ReactNode {
  const name = { 'exec-program': words.program, 'auth-provider': words.provider, file: words.file }[part.kind];
  return (
    <Facts narrow>
      <Fact name={name}>
        <PathText path={part.path} />
      </Fact>
      {part.detail === '' ? null : (
        <Fact name={part.kind === 'file' ? words.field : words.arguments}>
          <Mono>{part.detail}</Mono>
        </Fact>
      )}
      {part.kind === 'auth-provider' ? null : (
        <Fact name={words.sha256}>{part.sha256 === '' ? words.absent : <Hash value={part.sha256} />}</Fact>
      )}
    </Facts>
  );
}

function Part({ part, context }: { readonly part: OutsidePartView; readonly context: ClusterContextView }): ReactNode {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  return (
    <div className={css('part')}>
      <p>{explain(part)}</p>
      <PartFacts part={part} />
      {part.allowed ? (
        <StateMark tone="good" shape="check">
          {words.allowed}
        </StateMark>
      ) : (
        <Button
          look="danger"
          name={words.allowOf(part.path)}
          onPress={() => {
            setAsking(true);
          }}
        >
          {words.allow}
        </Button>
      )}
      <ConfirmDialog
        title={words.allowTitle}
        open={asking}
        onClose={() => {
          setAsking(false);
          setProblem(undefined);
        }}
        confirm={words.allowConfirm}
        problem={problem}
        onConfirm={async () => {
          const answer = await getBridge().call('clusters.allow', { contextId: context.id, partId: part.id });
          if (!answer.ok) setProblem(answer.error);
          // What it said before was of what was not allowed.
          else if (context.state !== 'unknown') void act('clusters.probe', { contextId: context.id });
          return answer.ok;
        }}
      >
        <p>{explain(part)}</p>
        <PartFacts part={part} />
        <p>{words.allowText}</p>
      </ConfirmDialog>
    </div>
  );
}
