import type { ReactNode } from 'react';
import { Nfc, Usb } from 'lucide-react';
import type { AppView, PresenceProblemView, UsbDeviceView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { CommandBlock } from '../../ui/CommandBlock.tsx';
import { Card, Mono } from '../../ui/Pieces.tsx';
import { ShapeIcon, StateMark } from '../../ui/StateMark.tsx';
import { tokenTitle } from '../../views/token-title.ts';
import type { Mark } from '../../views/devices.ts';
import { MarkOf } from './DeviceState.tsx';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.devices;

/** Why something that is plugged in is not among the tokens, what to do, and the commands for it. */
export function PresenceProblem({ problem }: { readonly problem: PresenceProblemView }): ReactNode {
  const harmless = problem.kind === 'not-an-hsm';
  return (
    <section className={css('problem', harmless && 'problemMild')} aria-label={problem.title}>
      <ShapeIcon shape={harmless ? 'notice' : 'unplug'} size={24} />
      <div className={css('problemBody')}>
        <div className={css('marks')}>
          <h2>{problem.title}</h2>
          <StateMark tone={harmless ? 'calm' : 'warn'} shape={harmless ? 'none' : 'alert'}>
            {harmless ? words.otherMark : words.problemMark}
          </StateMark>
        </div>
        <p>{problem.text}</p>
        {problem.next === '' ? null : (
          <p>
            <strong>{text.common.whatNow}: </strong>
            {problem.next}
          </p>
        )}
        {problem.commands === '' ? null : (
          <CommandBlock
            commands={problem.commands}
            copy={async () => (await getBridge().call('presence.copy-commands', { title: problem.title })).ok}
          />
        )}
      </div>
    </section>
  );
}

/** Readers and USB devices as they are seen now, whether or not a token comes of them. */
export function Connections({ view }: { readonly view: AppView }): ReactNode {
  const { presence } = view;
  const nothing = presence.readers.length === 0 && presence.usb.length === 0;
  return (
    <Card title={words.connectionsTitle}>
      {presence.state === 'looking' ? <p className={css('quiet')}>{words.connectionsLooking}</p> : null}
      {presence.state === 'unavailable' ? <p className={css('quiet')}>{words.connectionsUnavailable}</p> : null}
      {presence.state === 'ready' && nothing ? <p className={css('quiet')}>{words.connectionsNone}</p> : null}
      {nothing ? null : (
        <ul className={css('connections')}>
          {presence.readers.map((reader) => (
            <li key={reader.name} className={css('connection')}>
              <Nfc size={18} aria-hidden />
              <span className={css('connectionName')}>{reader.name}</span>
              <ReaderMark state={reader.state} />
            </li>
          ))}
          {presence.usb.map((device, index) => (
            <li key={`${device.id} ${device.serial} ${String(index)}`} className={css('connection')}>
              <Usb size={18} aria-hidden />
              <span className={css('connectionName')}>
                {device.name}
                <span className={css('quiet')}>
                  <Mono>{device.id}</Mono>
                  {device.serial === '' ? '' : `, ${words.usbSerial(device.serial)}`}
                </span>
                {device.kind === 'other-nitrokey' ? <span className={css('quiet')}>{words.otherNitrokey}</span> : null}
              </span>
              <UsbMark device={device} view={view} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const readerMarks: Readonly<Record<string, Mark>> = {
  empty: { tone: 'mute', shape: 'dashed', words: words.readerStates.empty },
  card: { tone: 'good', shape: 'check', words: words.readerStates.card },
  'card-in-exclusive-use': { tone: 'warn', shape: 'lock', words: words.readerStates['card-in-exclusive-use'] },
  unresponsive: { tone: 'bad', shape: 'alert', words: words.readerStates.unresponsive },
};

function ReaderMark({ state }: { readonly state: string }): ReactNode {
  return <MarkOf mark={readerMarks[state] ?? { tone: 'mute', shape: 'dot', words: state }} />;
}

function UsbMark({ device, view }: { readonly device: UsbDeviceView; readonly view: AppView }): ReactNode {
  const token = device.tokenSerial === '' ? undefined : view.tokens.find((each) => each.serial === device.tokenSerial);
  if (token !== undefined) {
    return (
      <StateMark tone="good" shape="check">
        {words.usbIsToken(tokenTitle(token))}
      </StateMark>
    );
  }
  return device.kind === 'nitrokey-hsm' ? (
    <StateMark tone="warn" shape="alert">
      {words.usbKinds[device.kind]}
    </StateMark>
  ) : (
    <StateMark tone="mute" shape={device.kind === 'other-nitrokey' ? 'none' : 'dot'}>
      {words.usbKinds[device.kind]}
    </StateMark>
  );
}
