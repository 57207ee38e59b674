import type { ReactNode } from 'react';
import type { AppView, RunView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Meter } from '../../ui/Meter.tsx';
import { Actions, Card, Mono, Note } from '../../ui/Pieces.tsx';
import { countsOf, leftToEncrypt, type EncryptionCount, type KeyCount } from '../../views/encryption.ts';
import styles from './runs.module.css';

const css = classesOf(styles);
const words = text.encryption;

/** How objects lie in etcd, by key, as last counted; and the way on where some are not under the key in force. */
export function EncryptionCounts({ run, view }: { readonly run: RunView; readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const counts = countsOf(run);
  if (counts.length === 0) return null;
  const left = leftToEncrypt(view, run);
  const isAll = counts.every((count) => count.underKey === count.counted);
  return (
    <Card title={words.title}>
      {isAll ? (
        <Note tone="good" shape="check">
          <p>{words.all}</p>
        </Note>
      ) : null}
      {left === undefined ? null : (
        <>
          <Note tone="warn" shape="alert">
            <p>{words.left(left.objects)}</p>
          </Note>
          <Actions>
            <Button
              look="primary"
              onPress={() => {
                go(paths.kmsVerify(left.context.id, left.provider, true));
              }}
            >
              {words.reencrypt}
            </Button>
          </Actions>
        </>
      )}
      {counts.map((count) => (
        <Counted key={count.id} count={count} />
      ))}
    </Card>
  );
}

function Counted({ count }: { readonly count: EncryptionCount }): ReactNode {
  const { counted } = count;
  return (
    <section className={css('counted')} aria-label={count.title}>
      <h3>{count.title}</h3>
      {counted === 0 ? (
        <p className={css('small')}>{words.none}</p>
      ) : (
        (['underKey', 'underOtherKeys', 'unencrypted'] as const).map((name) => (
          <Meter
            key={name}
            label={words[name]}
            words={words.of(count[name], counted)}
            taken={count[name] / counted}
            low={name !== 'underKey' && count[name] > 0}
          />
        ))
      )}
      {counted === 0 ? null : <ByKey count={count} />}
    </section>
  );
}

function ByKey({ count }: { readonly count: EncryptionCount }): ReactNode {
  const several = count.byKey.some((one) => one.kind !== '');
  return (
    <table className={css('byKey')} aria-label={`${words.byKey}: ${count.title}`}>
      <thead>
        <tr>
          {several ? <th scope="col">{words.kind}</th> : null}
          <th scope="col">{words.objects}</th>
          <th scope="col">{words.key}</th>
        </tr>
      </thead>
      <tbody>
        {count.byKey.map((one) => (
          <tr key={`${one.kind} ${one.key}`}>
            {several ? <td>{one.kind}</td> : null}
            <td className={css('number')}>{one.count}</td>
            <td>
              <KeyName one={one} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function KeyName({ one }: { readonly one: KeyCount }): ReactNode {
  return one.key === 'identity' ? words.identity : <Mono>{one.key}</Mono>;
}
