import type { ReactNode } from 'react';
import { FileKey } from 'lucide-react';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Hash } from '../../ui/Pieces.tsx';
import { formatTime } from '../../views/times.ts';
import type { ChosenPgpKey } from './vault-init-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.vaultInit;

/** Main opens the file dialog and reads the key; what is wrong with it comes back as a failure. */
export function PgpKeyChoice(props: {
  readonly chosen: ChosenPgpKey | undefined;
  readonly onChange: (key: ChosenPgpKey) => void;
  readonly name: string;
}): ReactNode {
  const choose = async (): Promise<void> => {
    const reply = await act('pgp.choose-key', {});
    if (reply?.chosen !== true) return;
    const { fingerprint, userId, algorithm, expires, publicKeyArmored } = reply;
    props.onChange({ fingerprint, userId, algorithm, expires, publicKeyArmored });
  };
  const { chosen } = props;
  const action = chosen === undefined ? words.chooseKey : words.changeKey;
  return (
    <div className={css('pgp')}>
      {chosen === undefined ? (
        <span className={css('quiet')}>{words.keyMissing}</span>
      ) : (
        <>
          <strong>{chosen.userId}</strong>
          <Hash value={chosen.fingerprint} />
          <span
            className={css('quiet')}
          >{`${chosen.algorithm}, ${chosen.expires === '' ? words.keyNever : words.keyExpires(formatTime(chosen.expires))}`}</span>
        </>
      )}
      <Button icon={<FileKey size={18} aria-hidden />} name={`${action} ${props.name}`} onPress={() => void choose()}>
        {action}
      </Button>
    </div>
  );
}
