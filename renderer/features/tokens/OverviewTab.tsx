import { useState, type ReactNode } from 'react';
import type { AppView, TokenView, WrappingKeyView } from '../../../electron/contract/views.ts';
import { beginRun } from '../../stores/begin-run.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Fact, Facts, Hash, Mono, Note, Words } from '../../ui/Pieces.tsx';
import { VaultStateMark } from '../../ui/StateMark.tsx';
import { Term } from '../../ui/Term.tsx';
import { findUsbDevice, vaultsOnToken } from '../../views/devices.ts';
import { kindOfKey } from '../../views/key-kinds.ts';
import { openRunsOf } from '../../views/run-token.ts';
import { RunStateMark } from '../runs/RunStateMark.tsx';
import { MemoryMeter, Readings } from './DeviceState.tsx';
import { planKeyTest } from './token-plans.ts';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.overview;

export function OverviewTab({ view, token }: { readonly view: AppView; readonly token: TokenView }): ReactNode {
  const runs = openRunsOf(view, token);
  const go = useNavigation((state) => state.go);
  return (
    <>
      {runs.length === 0 ? null : (
        <Card title={text.token.openRuns} look="accent">
          {runs.map((run) => (
            <div key={run.id} className={css('line')}>
              <strong className={css('grow')}>{run.title}</strong>
              <RunStateMark run={run} />
              <Button
                look="primary"
                name={`${text.token.openRun}: ${run.title}`}
                onPress={() => {
                  go(paths.run(run.id));
                }}
              >
                {text.token.openRun}
              </Button>
            </div>
          ))}
        </Card>
      )}
      <div className={css('halves')}>
        <DeviceCard view={view} token={token} />
        <UseCard view={view} token={token} />
      </div>
      <KeysCard token={token} />
    </>
  );
}

const optionNames: Readonly<Record<string, string>> = words.optionNames;

function DeviceCard({ view, token }: { readonly view: AppView; readonly token: TokenView }): ReactNode {
  const { device } = token;
  const usb = findUsbDevice(view, token);
  return (
    <Card title={words.device}>
      <Readings token={token} />
      <MemoryMeter token={token} />
      <Facts>
        <Fact name={text.tokens.serial} term="serial">
          <Mono>{token.serial}</Mono>
        </Fact>
        <Fact name={text.devices.firmware}>
          {device === null
            ? token.firmwareVersion === ''
              ? text.common.unknown
              : token.firmwareVersion
            : device.firmwareVersion}
        </Fact>
        {token.reportedLabel === token.label ? null : (
          <Fact name={words.reportedLabel} wide>
            <Mono>{token.reportedLabel}</Mono> <span className={css('quiet')}>{words.reportedLabelNote}</span>
          </Fact>
        )}
        {token.manufacturer === '' ? null : <Fact name={words.maker}>{token.manufacturer}</Fact>}
        {token.model === '' ? null : <Fact name={words.model}>{token.model}</Fact>}
        <Fact name={text.devices.slot} term="slot">
          {String(token.slotId)}
        </Fact>
        {usb === undefined ? null : (
          <Fact name={text.devices.usb}>
            {usb.name} <Mono>{usb.id}</Mono>
          </Fact>
        )}
        {device === null ? null : (
          <Fact name={text.devices.reader} wide>
            {device.readerName}
          </Fact>
        )}
        <Fact name={words.module} wide>
          {token.storeName}
        </Fact>
        {device === null || device.options.length === 0 ? null : (
          <Fact name={words.options} wide>
            {device.options.map((option) => optionNames[option] ?? option).join(', ')}
          </Fact>
        )}
      </Facts>
      {device === null && token.rehearsal ? <p className={css('quiet')}>{text.devices.softwareNote}</p> : null}
    </Card>
  );
}

function UseCard({ view, token }: { readonly view: AppView; readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [busy, setBusy] = useState(false);
  const vaults = vaultsOnToken(view, token);
  const test = planKeyTest(token);
  return (
    <Card title={words.people}>
      {vaults.length === 0 ? <p className={css('quiet')}>{words.peopleNone}</p> : null}
      <ul>
        {vaults.map((vault) => (
          <li key={vault.id} className={css('line')}>
            <div className={css('grow')}>
              <strong>{vault.name}</strong>
              <p className={css('quiet')}>{words.peopleVault}</p>
            </div>
            <VaultStateMark state={vault.state} />
            <Button
              look="quiet"
              name={text.devices.openOf(vault.name)}
              onPress={() => {
                go(paths.vault(vault.id));
              }}
            >
              {text.devices.open}
            </Button>
          </li>
        ))}
      </ul>
      {test === undefined ? null : (
        <div className={css('act')}>
          <Button
            pending={busy}
            onPress={() => {
              setBusy(true);
              void beginRun(test).finally(() => {
                setBusy(false);
              });
            }}
          >
            {test.attest ? words.testAttested : words.test}
          </Button>
          <p className={css('quiet')}>{test.attest ? `${words.testHelp} ${words.attestHelp}` : words.testHelp}</p>
        </div>
      )}
    </Card>
  );
}

function KeysCard({ token }: { readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  if (!token.initialized) return null;
  const doubled = [...new Set(token.wrappingKeys.filter((key) => key.doubled).map((key) => key.label))];
  return (
    <Card
      title={words.keys}
      actions={
        !token.inspected || token.writeProtected ? undefined : (
          <Button
            look={token.wrappingKeys.length === 0 ? 'primary' : 'plain'}
            onPress={() => {
              go(paths.tokenSetup(token.storeId, token.slotId));
            }}
          >
            {token.wrappingKeys.length === 0 ? words.makeKey : words.makeAnotherKey}
          </Button>
        )
      }
    >
      {token.inspected ? null : <p role="status">{text.token.reading}</p>}
      {token.inspected && token.wrappingKeys.length === 0 ? (
        <div>
          <p>{words.keysNone}</p>
          <p className={css('quiet')}>{words.keysNoneText}</p>
        </div>
      ) : null}
      {doubled.map((label) => (
        <Note key={label} tone="bad" shape="stop" title={text.tokens.keyDoubledTitle(label)}>
          <p>{text.tokens.keyDoubledText}</p>
        </Note>
      ))}
      {token.wrappingKeys.map((key, index) => (
        <Key key={`${key.label} ${String(index)}`} wrappingKey={key} />
      ))}
    </Card>
  );
}

function Key({ wrappingKey }: { readonly wrappingKey: WrappingKeyView }): ReactNode {
  const title = text.tokens.keyTitle(wrappingKey.label, kindOfKey(wrappingKey));
  return (
    <div className={css('key')}>
      <div className={css('line')}>
        <strong>{title}</strong>
        <Term of="wrapping-key" />
      </div>
      {wrappingKey.complete ? null : (
        <Note tone="bad" shape="alert">
          <p>{text.tokens.keyIncomplete}</p>
        </Note>
      )}
      {wrappingKey.publicKeySha256 === '' ? null : (
        <Facts narrow>
          <Fact name={text.tokens.fingerprint}>
            <Hash value={wrappingKey.publicKeySha256} />
          </Fact>
          <Fact name={text.tokens.words} term="pgp-words">
            <Words words={wrappingKey.publicKeyWords} label={text.tokens.wordsOf(wrappingKey.label)} />
          </Fact>
        </Facts>
      )}
    </div>
  );
}
