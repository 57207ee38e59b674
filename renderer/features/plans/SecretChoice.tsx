import { useEffect, useRef, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { LineField } from '../../ui/Fields.tsx';
import { canPush } from '../../views/clusters.ts';
import { ClusterChoice } from './ClusterChoice.tsx';
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
  const { view, form, error, onChange } = props;
  // The cluster is asked meanwhile: what was typed since then counts.
  const latest = useRef(form);
  useEffect(() => {
    latest.current = form;
  }, [form]);
  const usable = view.clusters.contexts.filter(canPush);
  return (
    <>
      <ClusterChoice
        view={view}
        chosen={form}
        error={error === words.errorCluster && form.contextId !== '' ? undefined : clusterError(error)}
        proposed={usable.find((context) => context.context === props.known)?.id}
        onChange={(chosen) => {
          onChange({ ...latest.current, ...chosen });
        }}
      />
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
