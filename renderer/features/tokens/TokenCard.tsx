import { useState, type ReactNode } from 'react';
import type { TokenView, WrappingKeyView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Fact, Facts, Hash, Mono, Note, Words } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { Term } from '../../ui/Term.tsx';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.tokens;

export function tokenTitle(token: TokenView): string {
  return token.initialized ? token.label : `${words.unlabelled}, ${words.slot(token.slotId).toLowerCase()}`;
}

export function TokenCard({ token }: { readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [reading, setReading] = useState(false);
  const inspect = async (): Promise<void> => {
    setReading(true);
    await act('tokens.inspect', { storeId: token.storeId, serial: token.serial });
    setReading(false);
  };
  const title = tokenTitle(token);
  const setUp = (
    <Button
      look={token.initialized ? 'plain' : 'primary'}
      name={`${words.setUp}: ${title}`}
      onPress={() => {
        go(paths.tokenSetup(token.storeId, token.slotId));
      }}
    >
      {words.setUp}
    </Button>
  );
  return (
    <Card
      level={3}
      title={title}
      mark={
        token.initialized ? (
          <StateMark tone="good" shape="check">
            {words.initialized}
          </StateMark>
        ) : (
          <StateMark tone="mute" shape="dashed">
            {words.uninitialized}
          </StateMark>
        )
      }
      actions={
        <>
          {setUp}
          {token.initialized ? (
            <Button
              look="quiet"
              pending={reading}
              name={`${token.inspected ? words.inspectAgain : words.inspect}: ${title}`}
              onPress={() => void inspect()}
            >
              {token.inspected ? words.inspectAgain : words.inspect}
            </Button>
          ) : null}
        </>
      }
    >
      {token.initialized ? <PinStates token={token} /> : null}
      <Facts>
        {token.initialized ? (
          <Fact name={text.evidence.serial} term="serial">
            <Mono>{token.serial}</Mono>
          </Fact>
        ) : null}
        <Fact name={words.model}>{[token.manufacturer, token.model].filter((part) => part !== '').join(' ')}</Fact>
        {token.firmwareVersion === '' ? null : <Fact name={words.firmware}>{token.firmwareVersion}</Fact>}
        <Fact name={text.evidence.slotId}>{String(token.slotId)}</Fact>
      </Facts>
      {token.inspected ? <Contents token={token} /> : null}
    </Card>
  );
}

function PinStates({ token }: { readonly token: TokenView }): ReactNode {
  const tone = { ok: 'good', 'count-low': 'warn', 'final-try': 'bad', locked: 'bad' } as const;
  const shape = { ok: 'check', 'count-low': 'alert', 'final-try': 'stop', locked: 'lock' } as const;
  return (
    <div className={css('path')}>
      {token.userPinSet ? (
        <StateMark tone={tone[token.userPinState]} shape={shape[token.userPinState]}>
          {text.states.pin[token.userPinState]}
        </StateMark>
      ) : (
        <StateMark tone="warn" shape="dashed">
          {text.states.pinUnset}
        </StateMark>
      )}
      {token.soPinState === 'ok' ? null : (
        <span className={css('path')}>
          <StateMark tone={tone[token.soPinState]} shape={shape[token.soPinState]}>
            {text.states.soPin[token.soPinState]}
          </StateMark>
          <Term of="so-pin" />
        </span>
      )}
      {token.loggedIn ? (
        <StateMark tone="calm" shape="open">
          {words.loggedIn}
        </StateMark>
      ) : null}
      {token.writeProtected ? (
        <StateMark tone="warn" shape="lock">
          {words.writeProtected}
        </StateMark>
      ) : null}
    </div>
  );
}

function Contents({ token }: { readonly token: TokenView }): ReactNode {
  const doubled = [...new Set(token.wrappingKeys.filter((key) => key.doubled).map((key) => key.label))];
  return (
    <>
      {token.wrappingKeys.length === 0 ? <p className={css('quiet')}>{words.keysNone}</p> : null}
      {doubled.map((label) => (
        <Note key={label} tone="bad" shape="stop" title={words.keyDoubledTitle(label)}>
          <p>{words.keyDoubledText}</p>
        </Note>
      ))}
      {token.wrappingKeys.map((key, index) => (
        <Key key={`${key.label} ${String(index)}`} wrappingKey={key} />
      ))}
      <div className={css('key')}>
        <h4 className={css('quiet')}>{words.objects}</h4>
        {token.dataObjects.length === 0 ? (
          <p className={css('quiet')}>{words.objectsNone}</p>
        ) : (
          <ul className={css('objects')}>
            {token.dataObjects.map((object, index) => (
              <li key={`${object.label} ${String(index)}`}>{object.label}</li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

function Key({ wrappingKey }: { readonly wrappingKey: WrappingKeyView }): ReactNode {
  return (
    <div className={css('key')}>
      <div className={css('path')}>
        <strong>{words.keyTitle(wrappingKey.label, wrappingKey.modulusBits)}</strong>
        <Term of="wrapping-key" />
      </div>
      {wrappingKey.complete ? null : (
        <Note tone="bad" shape="alert">
          <p>{words.keyIncomplete}</p>
        </Note>
      )}
      {wrappingKey.publicKeySha256 === '' ? null : (
        <Facts narrow>
          <Fact name={words.fingerprint}>
            <Hash value={wrappingKey.publicKeySha256} />
          </Fact>
          <Fact name={words.words} term="pgp-words">
            <Words words={wrappingKey.publicKeyWords} label={words.wordsOf(wrappingKey.label)} />
          </Fact>
        </Facts>
      )}
    </div>
  );
}
