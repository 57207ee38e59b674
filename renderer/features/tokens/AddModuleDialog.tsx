import { useState, type ReactNode } from 'react';
import type { FailureView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Sheet } from '../../ui/Dialogs.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { LineField } from '../../ui/Fields.tsx';
import { Mono } from '../../ui/Pieces.tsx';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.tokens;

export function AddModuleDialog({
  open,
  onClose,
}: {
  readonly open: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState('');
  const [modulePath, setModulePath] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  const close = (): void => {
    setName('');
    setModulePath('');
    setProblem(undefined);
    onClose();
  };
  const choose = async (): Promise<void> => {
    const answer = await getBridge().call('stores.choose-module', {});
    if (!answer.ok) setProblem(answer.error);
    else if (answer.value.path !== '') {
      setModulePath(answer.value.path);
      setProblem(undefined);
      if (name.trim() === '')
        setName(
          answer.value.path
            .split('/')
            .at(-1)
            ?.replace(/^lib|\.so.*$/gu, '') ?? '',
        );
    }
  };
  const add = async (): Promise<void> => {
    setBusy(true);
    const answer = await getBridge().call('stores.add', { name: name.trim(), modulePath });
    setBusy(false);
    if (answer.ok) close();
    else setProblem(answer.error);
  };
  return (
    <Sheet
      title={words.addTitle}
      open={open}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{text.common.cancel}</Button>
          <Button
            look="primary"
            pending={busy}
            disabled={name.trim() === '' || modulePath === ''}
            onPress={() => void add()}
          >
            {words.addConfirm}
          </Button>
        </>
      }
    >
      <p>{words.addText}</p>
      <div className={css('path')}>
        <Button onPress={() => void choose()}>{words.addChoose}</Button>
        {modulePath === '' ? <span className={css('quiet')}>{words.addPathNone}</span> : <Mono>{modulePath}</Mono>}
      </div>
      <LineField label={words.addName} help={words.addNameHelp} value={name} onChange={setName} maximumLength={80} />
      {problem === undefined ? null : <FailureBox failure={problem} />}
    </Sheet>
  );
}
