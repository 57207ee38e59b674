import { useEffect, useRef, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { canPush, markOfContext } from '../../views/clusters.ts';
import type { SecretForm } from './secret-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.secretChoice;

/** A cluster, whose identity is taken down at once, and a Secret in it. */
export function SecretChoice(props: {
  readonly view: AppView;
  readonly form: SecretForm;
  readonly error: string | undefined;
  /** A context that is chosen by itself once it can be used; '' for none. */
  readonly known?: string;
  readonly onChange: (form: SecretForm) => void;
}): ReactNode {
  const { form, onChange } = props;
  // The cluster is asked meanwhile: what was typed since then counts.
  const latest = useRef(form);
  useEffect(() => {
    latest.current = form;
  }, [form]);
  const choose = async (contextId: string): Promise<void> => {
    onChange({ ...form, contextId, cluster: undefined });
    const reply = await act('clusters.pin', { contextId });
    if (latest.current.contextId === contextId) onChange({ ...latest.current, cluster: reply?.cluster });
  };
  const usable = props.view.clusters.contexts.filter(canPush);
  const { error } = props;
  const proposed = usable.find((context) => context.context === props.known)?.id;
  const proposes = form.contextId === '' && proposed !== undefined;
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
        value={form.contextId}
        error={error === words.errorCluster && form.contextId !== '' ? undefined : clusterError(error)}
        {...(usable.length === 0 ? { help: words.clustersNone } : {})}
        onChange={(contextId) => void choose(contextId)}
        choices={usable.map((context) => ({
          value: context.id,
          title: context.context,
          help: `${context.server}, ${markOfContext(context).words}`,
        }))}
      />
      {form.cluster === undefined ? null : <p className={css('quiet')}>{words.pinned(form.cluster.server)}</p>}
      <div className={css('pair')}>
        <LineField
          label={words.namespace}
          value={form.namespace}
          maximumLength={63}
          error={error === words.errorNamespace ? error : undefined}
          onChange={(namespace) => {
            onChange({ ...form, namespace });
          }}
        />
        <LineField
          label={words.name}
          value={form.name}
          maximumLength={253}
          error={error === words.errorName ? error : undefined}
          onChange={(name) => {
            onChange({ ...form, name });
          }}
        />
      </div>
    </>
  );
}

const clusterError = (error: string | undefined): string | undefined =>
  error === words.errorNamespace || error === words.errorName ? undefined : error;
