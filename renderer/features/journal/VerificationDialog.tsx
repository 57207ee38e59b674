import type { ReactNode } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { Sheet } from '../../ui/Dialogs.tsx';
import { Fact, Facts, Hash, Items, Note, Words } from '../../ui/Pieces.tsx';

export type Verification = ChannelReply<'journal.verify'>;

const words = text.journal;

export function VerificationDialog({
  verification,
  onClose,
}: {
  readonly verification: Verification | undefined;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Sheet
      title={words.resultTitle}
      open={verification !== undefined}
      onClose={onClose}
      actions={
        <Button look="primary" onPress={onClose}>
          {text.common.close}
        </Button>
      }
    >
      {verification === undefined ? null : <Outcome verification={verification} />}
    </Sheet>
  );
}

function Outcome({ verification }: { readonly verification: Verification }): ReactNode {
  const { intact, complete, records, problems, head, headWords } = verification;
  return (
    <>
      {intact ? (
        <Note
          tone={complete ? 'good' : 'warn'}
          shape={complete ? 'check' : 'alert'}
          title={complete ? words.intact : words.incomplete}
        >
          <p>{complete ? words.intactText(records) : words.incompleteText}</p>
        </Note>
      ) : (
        <Note tone="bad" shape="stop" title={words.broken}>
          <p>{words.brokenText}</p>
        </Note>
      )}
      {problems.length === 0 ? null : <Items marks="bullets" label={words.problems} items={problems} />}
      {head === '' ? null : (
        <Facts>
          <Fact name={words.head} term="journal-head" wide>
            <Hash value={head} />
          </Fact>
          <Fact name={words.headWords} term="pgp-words" wide>
            <Words words={headWords} label={words.headWords} />
          </Fact>
        </Facts>
      )}
    </>
  );
}
