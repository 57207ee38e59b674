import type { ReactNode } from 'react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Actions, Card, Note } from '../../ui/Pieces.tsx';
import { isSmartCardHsm, pinMark, soPinMark } from '../../views/devices.ts';
import { pinActsFor } from '../plans/pin-change-form.ts';
import { MarkOf } from './DeviceState.tsx';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.pins;

export function PinsTab({ token }: { readonly token: TokenView }): ReactNode {
  const pin = pinMark(token);
  const so = soPinMark(token);
  const acts = pinActsFor(token);
  const resetOff =
    token.device !== null && token.initialized && !token.device.options.includes('pin-reset-with-so-pin');
  return (
    <div className={css('halves')}>
      <Card title={words.user} mark={<MarkOf mark={pin} />}>
        <p>{words.userText}</p>
        {pin.shape === 'lock' ? (
          <Note tone="bad" shape="lock">
            <p>{words.lockedHelp}</p>
          </Note>
        ) : null}
        {pin.shape === 'stop' ? (
          <Note tone="bad" shape="stop">
            <p>{words.lastTry}</p>
          </Note>
        ) : null}
        <Actions>
          {acts.includes('change-pin') ? <Act token={token} act="change-pin" title={words.change} /> : null}
          {acts.includes('unblock-pin') ? <Act token={token} act="unblock-pin" title={words.unblock} /> : null}
          {acts.includes('reset-pin') ? <Act token={token} act="reset-pin" title={words.reset} /> : null}
        </Actions>
        {resetOff && isSmartCardHsm(token) ? <p className={css('quiet')}>{words.resetOff}</p> : null}
      </Card>
      <Card title={words.so} mark={<MarkOf mark={so} />}>
        <p>{words.soText}</p>
        {so.shape === 'lock' ? (
          <Note tone="bad" shape="lock">
            <p>{words.soLockedHelp}</p>
          </Note>
        ) : null}
        <Actions>
          {acts.includes('change-so-pin') ? <Act token={token} act="change-so-pin" title={words.changeSo} /> : null}
        </Actions>
      </Card>
    </div>
  );
}

function Act(props: { readonly token: TokenView; readonly act: string; readonly title: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Button
      onPress={() => {
        go(paths.tokenAct('pin-change', props.token, props.act));
      }}
    >
      {props.title}
    </Button>
  );
}
