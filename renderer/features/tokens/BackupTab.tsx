import type { ReactNode } from 'react';
import { Copy, FlaskConical } from 'lucide-react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, CheckValue, Mono } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { Term } from '../../ui/Term.tsx';
import { backupMark, twinsOf } from '../../views/devices.ts';
import { openRunsOf } from '../../views/run-token.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { MarkOf } from './DeviceState.tsx';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.backup;

/** The DKEK in plain words, its state, and what can be done with it now. */
export function BackupTab({ view, token }: { readonly view: AppView; readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const { device } = token;
  if (device === null) return <p>{words.unread}</p>;
  const { dkek } = device;
  const [title, explanation] = words.states[token.initialized ? dkek.kind : 'undecided'];
  const twins = twinsOf(view, token);
  const ready = dkek.kind === 'ready';
  const setUp = openRunsOf(view, token).find((run) => run.workflow === 'token-setup');
  return (
    <>
      <Card title={title} mark={<MarkOf mark={backupMark(token, device)} />} look={ready ? 'plain' : 'accent'}>
        <p className={css('explained')}>
          {words.lead} <Term of="dkek" />
        </p>
        <p className={css('explained')}>{explanation}</p>
        {dkek.keyCheckValue === '' ? null : (
          <div className={css('checkValue')}>
            <span className={css('quiet')}>{text.devices.keyCheckValue}</span>
            <CheckValue value={dkek.keyCheckValue} />
            <Term of="key-check-value" />
          </div>
        )}
        {dkek.kind === 'awaiting-shares' && setUp !== undefined ? (
          <div>
            <Button
              look="primary"
              onPress={() => {
                go(paths.run(setUp.id));
              }}
            >
              {words.goOn}
            </Button>
          </div>
        ) : null}
        {dkek.kind === 'none' || (dkek.kind === 'awaiting-shares' && setUp === undefined) ? (
          <div>
            <Button
              look={token.initialized ? 'danger' : 'primary'}
              onPress={() => {
                go(paths.tokenSetup(token.storeId, token.slotId));
              }}
            >
              {token.initialized ? text.token.setUpAgain : text.token.setUp}
            </Button>
          </div>
        ) : null}
      </Card>
      {ready ? (
        <Card title={words.twins}>
          {twins.length === 0 ? <p className={css('quiet')}>{words.twinsNone}</p> : null}
          <ul>
            {twins.map((twin) => (
              <li key={twin.serial} className={css('line')}>
                <strong>{tokenTitle(twin)}</strong>
                <span className={css('grow')}>
                  <Mono>{twin.serial}</Mono>
                </span>
                <StateMark tone="good" shape="check">
                  {words.same}
                </StateMark>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
      <div className={css('halves')}>
        <Card title={words.drill}>
          <p>{words.drillText}</p>
          <div className={css('act')}>
            <Button
              look="primary"
              icon={<FlaskConical size={18} aria-hidden />}
              disabled={!ready}
              onPress={() => {
                go(paths.tokenAct('backup-drill', token));
              }}
            >
              {words.drillAct}
            </Button>
            {ready ? null : <p className={css('quiet')}>{words.unavailable}</p>}
          </div>
        </Card>
        <Card title={words.clone}>
          <p>{words.cloneText}</p>
          <div className={css('act')}>
            <Button
              icon={<Copy size={18} aria-hidden />}
              disabled={!ready}
              onPress={() => {
                go(paths.tokenAct('device-clone', token));
              }}
            >
              {words.cloneAct}
            </Button>
            {ready ? null : <p className={css('quiet')}>{words.unavailable}</p>}
          </div>
        </Card>
      </div>
    </>
  );
}
