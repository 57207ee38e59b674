import { useEffect, useRef, type ReactNode } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { canPush, markOfContext } from '../../views/clusters.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.secretChoice;

export interface ChosenCluster {
  readonly contextId: string;
  /** What the cluster is held to; it comes from main once a context was chosen. */
  readonly cluster: ChannelReply<'clusters.pin'>['cluster'] | undefined;
}

/** A cluster, whose identity is taken down at once. */
export function ClusterChoice(props: {
  readonly view: AppView;
  readonly chosen: ChosenCluster;
  readonly error: string | undefined;
  /** Chosen by itself once it can be used; undefined for none. */
  readonly proposed: string | undefined;
  /** Told twice: when one is chosen, and when its identity is known. By then other fields may have changed. */
  readonly onChange: (chosen: ChosenCluster) => void;
}): ReactNode {
  const { chosen } = props;
  // The cluster is asked meanwhile: another may have been chosen since then.
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const choose = async (contextId: string): Promise<void> => {
    latest.current.onChange({ contextId, cluster: undefined });
    const reply = await act('clusters.pin', { contextId });
    if (latest.current.chosen.contextId === contextId) latest.current.onChange({ contextId, cluster: reply?.cluster });
  };
  const usable = props.view.clusters.contexts.filter(canPush);
  const proposed = usable.find((context) => context.id === props.proposed)?.id;
  const proposes = chosen.contextId === '' && proposed !== undefined;
  const propose = useRef<() => void>(undefined);
  useEffect(() => {
    propose.current = () => {
      if (proposed !== undefined) void choose(proposed);
    };
  });
  // Once, when it comes: what a person chooses afterwards stays.
  useEffect(() => {
    if (proposes) propose.current?.();
  }, [proposes]);
  return (
    <>
      <Picker
        label={words.cluster}
        placeholder={words.clusterNone}
        value={chosen.contextId}
        error={props.error}
        {...(usable.length === 0 ? { help: words.clustersNone } : {})}
        onChange={(contextId) => void choose(contextId)}
        choices={usable.map((context) => ({
          value: context.id,
          title: context.context,
          help: `${context.server}, ${markOfContext(context).words}`,
        }))}
      />
      {chosen.cluster === undefined ? null : <p className={css('quiet')}>{words.pinned(chosen.cluster.server)}</p>}
    </>
  );
}
