import { useEffect, useState, type ReactNode } from 'react';
import { Network, RefreshCw } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { getBridge, type Answer } from '../../bridge/bridge.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Tick } from '../../ui/Fields.tsx';
import { Actions, Card, EmptyState, Mono, Note, Page } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import {
  keysThatMayGo,
  limitsOf,
  markOfPlugin,
  markOfServer,
  nameOfKey,
  toldAt,
  toldKey,
  wroteUnder,
  type KmsPluginState,
  type KmsStatus,
} from '../../views/kms-status.ts';
import { EtcdChoice } from '../plans/EtcdChoice.tsx';
import { checkEtcdPlace, freshKmsVerifyForm } from '../plans/kms-verify-form.ts';
import styles from './kms.module.css';

const css = classesOf(styles);
const words = text.kmsStatus;

export function KmsStatusPage({ view, contextId }: { readonly view: AppView; readonly contextId: string }): ReactNode {
  const context = view.clusters.contexts.find((each) => each.id === contextId);
  const [form, setForm] = useState(() => freshKmsVerifyForm('', []));
  const [counts, setCounts] = useState(false);
  // The first question is asked by the page itself.
  const [asking, setAsking] = useState(true);
  const [answer, setAnswer] = useState<Answer<KmsStatus>>();
  const { errors, etcd } = checkEtcdPlace(form);
  const show = (came: Answer<KmsStatus>): void => {
    setAnswer(came);
    setAsking(false);
  };
  const isKnown = context !== undefined;
  useEffect(() => {
    if (isKnown) void getBridge().call('kms.status', { contextId, etcd: '', resources: [] }).then(show);
  }, [contextId, isKnown]);
  const askAgain = (): void => {
    setAsking(true);
    void getBridge()
      .call('kms.status', { contextId, etcd: counts ? (etcd ?? '') : '', resources: [] })
      .then(show);
  };
  const trail = [
    { title: text.clusters.title, path: paths.clusters },
    ...(context === undefined ? [] : [{ title: context.context, path: paths.cluster(contextId) }]),
  ];
  if (context === undefined) {
    return (
      <Page title={words.title} trail={trail}>
        <EmptyState icon={<Network size={28} />} title={text.clusters.notFoundTitle}>
          {text.clusters.notFoundText}
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page
      title={words.title}
      lead={words.lead}
      trail={trail}
      actions={
        <Button
          icon={<RefreshCw size={18} aria-hidden />}
          pending={asking}
          disabled={counts && etcd === undefined}
          onPress={askAgain}
        >
          {words.refresh}
        </Button>
      }
    >
      {answer === undefined ? (
        <EmptyState icon={<Network size={28} />} title={words.asking}>
          {words.lead}
        </EmptyState>
      ) : null}
      {answer?.ok === true ? <Plugins status={answer.value} contextId={contextId} /> : null}
      {answer?.ok === false ? (
        <div role="alert">
          <FailureBox failure={answer.error} />
        </div>
      ) : null}
      <Card>
        <Tick label={words.count} checked={counts} onChange={setCounts} />
        <p className={css('quiet')}>{words.countHelp}</p>
      </Card>
      {counts ? (
        <EtcdChoice
          form={form}
          errors={errors}
          onChange={(part) => {
            setForm((before) => ({ ...before, ...part }));
          }}
        />
      ) : null}
    </Page>
  );
}

function Plugins(props: { readonly status: KmsStatus; readonly contextId: string }): ReactNode {
  const { status, contextId } = props;
  if (status.plugins.length === 0) {
    return (
      <EmptyState icon={<Network size={28} />} title={words.none}>
        {words.noneText}
      </EmptyState>
    );
  }
  return (
    <>
      {status.plugins.map((plugin) => (
        <Plugin key={plugin.provider} plugin={plugin} contextId={contextId} />
      ))}
      <Card>
        {limitsOf(status).map((sentence) => (
          <p key={sentence} className={css('quiet')}>
            {sentence}
          </p>
        ))}
      </Card>
    </>
  );
}

function Plugin({ plugin, contextId }: { readonly plugin: KmsPluginState; readonly contextId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  const mark = markOfPlugin(plugin);
  const free = keysThatMayGo(plugin);
  return (
    <Card title={plugin.provider}>
      <Note tone={mark.tone} shape={mark.shape}>
        <p>{mark.words}</p>
        {free === 0 ? null : <p>{words.mayGo(free)}</p>}
      </Note>
      <Servers plugin={plugin} />
      <Keys plugin={plugin} />
      <Actions>
        <Button
          onPress={() => {
            go(paths.kmsVerify(contextId, plugin.provider));
          }}
        >
          {words.verify}
        </Button>
      </Actions>
    </Card>
  );
}

function Servers({ plugin }: { readonly plugin: KmsPluginState }): ReactNode {
  return (
    <table className={css('table')} aria-label={`${words.servers}: ${plugin.provider}`}>
      <thead>
        <tr>
          <th scope="col">{words.server}</th>
          <th scope="col">{words.state}</th>
          <th scope="col">{words.told}</th>
          <th scope="col">{words.at}</th>
          <th scope="col">{words.wrote}</th>
        </tr>
      </thead>
      <tbody>
        {plugin.servers.map((server) => {
          const mark = markOfServer(server);
          return (
            <tr key={`${server.name} ${server.address}`}>
              <td>{server.name}</td>
              <td>
                <StateMark tone={mark.tone} shape={mark.shape}>
                  {mark.words}
                </StateMark>
                {server.problem === '' ? null : <p className={css('quiet')}>{server.problem}</p>}
              </td>
              <td>
                <Mono>{toldKey(plugin, server)}</Mono>
              </td>
              <td>{toldAt(server)}</td>
              <td>{wroteUnder(server)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Keys({ plugin }: { readonly plugin: KmsPluginState }): ReactNode {
  return (
    <table className={css('table')} aria-label={`${words.keys}: ${plugin.provider}`}>
      <thead>
        <tr>
          <th scope="col">{words.key}</th>
          <th scope="col">{words.users}</th>
          <th scope="col">{words.objects}</th>
          <th scope="col">{words.fate}</th>
        </tr>
      </thead>
      <tbody>
        {plugin.keys.map((key) => (
          <tr key={key.keyIdHash}>
            <td>
              <Mono>{nameOfKey(key)}</Mono>
            </td>
            <td className={css('number')}>{key.servers}</td>
            <td className={css('number')}>{key.objects ?? words.notCounted}</td>
            <td>{words.fates[key.fate]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
