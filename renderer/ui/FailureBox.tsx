import { useState, type ReactNode } from 'react';
import { ClipboardCopy, OctagonAlert } from 'lucide-react';
import type { FailureView } from '../../electron/contract/views.ts';
import { getBridge } from '../bridge/bridge.ts';
import { text } from '../text/en.ts';
import { Button } from './Button.tsx';
import { classesOf } from './classes.ts';
import styles from './pieces.module.css';

const css = classesOf(styles);

/** What happened, what now, the code, and a way to copy the details (which hold no secret). */
export function FailureBox({
  failure,
  actions,
}: {
  readonly failure: FailureView;
  readonly actions?: ReactNode;
}): ReactNode {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    const answer = await getBridge().call('app.copy-details', { failure });
    setCopied(answer.ok);
  };
  return (
    <div className={css('failure')} role="group" aria-label={text.common.problem}>
      <OctagonAlert size={20} aria-hidden />
      <div className={css('failureBody')}>
        <p>
          <strong>{failure.message}</strong>
        </p>
        <p>
          <strong>{text.common.whatNow}: </strong>
          {failure.next}
        </p>
        <div className={css('failureFoot')}>
          <span className={css('code')}>{failure.code}</span>
          <span>
            {actions}
            <Button look="quiet" icon={<ClipboardCopy size={16} aria-hidden />} onPress={() => void copy()}>
              {text.common.copyDetails}
            </Button>
          </span>
        </div>
        <span role="status">{copied ? text.common.copied : ''}</span>
      </div>
    </div>
  );
}
