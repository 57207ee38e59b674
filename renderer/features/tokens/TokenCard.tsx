import type { ReactNode } from 'react';
import { ChevronRight, CircuitBoard, HardDrive, ShieldCheck } from 'lucide-react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Mono } from '../../ui/Pieces.tsx';
import { RehearsalMark, StateMark } from '../../ui/StateMark.tsx';
import { conditionOfToken, findUsbDevice, isSmartCardHsm, modelWords, vaultsOnToken } from '../../views/devices.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { MarkOf, MemoryMeter, Readings } from './DeviceState.tsx';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.devices;

/** What kind of thing it is, drawn. */
export function TokenIcon({ token, size }: { readonly token: TokenView; readonly size: number }): ReactNode {
  const Icon = isSmartCardHsm(token) ? CircuitBoard : HardDrive;
  return (
    <span className={css('tokenIcon', !token.initialized && 'tokenIconNew')} aria-hidden>
      <Icon size={size} />
    </span>
  );
}

export function TokenCard({ token, view }: { readonly token: TokenView; readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const title = tokenTitle(token);
  const model = modelWords(view, token);
  const vaults = vaultsOnToken(view, token);
  const usb = findUsbDevice(view, token);
  const firmware = token.device?.firmwareVersion ?? token.firmwareVersion;
  return (
    <section className={css('token')} aria-label={title}>
      <header className={css('tokenHead')}>
        <TokenIcon token={token} size={22} />
        <div className={css('tokenName')}>
          <h3>{token.initialized || token.serial === '' ? title : text.tokens.newDeviceShort}</h3>
          <p className={css('quiet')}>
            {token.serial === '' ? null : (
              <span className={css('whole')}>
                <Mono>{token.serial}</Mono>{' '}
              </span>
            )}
            <span className={css('whole')}>{model}</span>
          </p>
        </div>
        <div className={css('marks')}>
          {token.rehearsal ? <RehearsalMark /> : null}
          <MarkOf mark={conditionOfToken(token)} />
        </div>
      </header>
      {token.initialized || token.device !== null ? <Readings token={token} /> : null}
      <MemoryMeter token={token} />
      <dl className={css('small')}>
        {firmware === '' ? null : <SmallFact name={words.firmware}>{firmware}</SmallFact>}
        <SmallFact name={words.slot}>{String(token.slotId)}</SmallFact>
        {usb === undefined ? null : (
          <SmallFact name={words.usb}>
            <Mono>{usb.id}</Mono>
          </SmallFact>
        )}
        {token.device === null ? null : <SmallFact name={words.reader}>{token.device.readerName}</SmallFact>}
      </dl>
      {vaults.length === 0 && !token.loggedIn && !token.writeProtected ? null : (
        <div className={css('marks')}>
          {vaults.length === 0 ? null : (
            <span className={css('used')}>
              <ShieldCheck size={16} aria-hidden />
              {words.inUseBy(vaults.map((vault) => vault.name).join(', '))}
            </span>
          )}
          {token.loggedIn ? (
            <StateMark tone="calm" shape="open">
              {text.tokens.loggedIn}
            </StateMark>
          ) : null}
          {token.writeProtected ? (
            <StateMark tone="warn" shape="lock">
              {text.tokens.writeProtected}
            </StateMark>
          ) : null}
        </div>
      )}
      <footer className={css('tokenFoot')}>
        {token.initialized ? null : (
          <Button
            look="primary"
            name={`${text.tokens.setUp}: ${title}`}
            onPress={() => {
              go(paths.tokenSetup(token.storeId, token.slotId));
            }}
          >
            {text.tokens.setUp}
          </Button>
        )}
        {token.serial === '' ? null : (
          <Button
            icon={<ChevronRight size={18} aria-hidden />}
            name={words.openOf(title)}
            onPress={() => {
              go(paths.token(token.storeId, token.serial));
            }}
          >
            {words.open}
          </Button>
        )}
      </footer>
    </section>
  );
}

function SmallFact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
