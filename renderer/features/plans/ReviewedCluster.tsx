import type { ReactNode } from 'react';
import { FileKey, RotateCcw } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Actions, Hash } from '../../ui/Pieces.tsx';
import { canPush, markOfContext } from '../../views/clusters.ts';
import { textAt, type RecipeForm } from '../clusters/recipe-form.ts';
import type { TransitSetupForm } from './transit-setup-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.transitSetup;

/** The cluster whose service accounts Vault lets in: where its API server is, and which authority signs for it. */
export function ReviewedCluster(props: {
  readonly view: AppView;
  readonly form: TransitSetupForm;
  readonly recipe: RecipeForm;
  readonly clusterError: string | undefined;
  readonly hostError: string | undefined;
  readonly onChange: (part: Partial<TransitSetupForm>) => void;
}): ReactNode {
  const { view, form, recipe, onChange } = props;
  const usable = view.clusters.contexts.filter(canPush);
  const chosen = usable.find((context) => context.id === form.contextId);
  const chooseAuthority = async (): Promise<void> => {
    const reply = await act('transit.choose-authority', {});
    if (reply?.chosen === true) onChange({ authority: reply });
  };
  return (
    <>
      <Picker
        label={words.cluster}
        placeholder={words.clusterNone}
        value={form.contextId}
        error={form.contextId === '' ? undefined : props.clusterError}
        {...(usable.length === 0 ? { help: words.clustersNone } : {})}
        onChange={(contextId) => {
          onChange({ contextId });
        }}
        choices={usable.map((context) => ({
          value: context.id,
          title: context.context,
          help: `${context.server}, ${markOfContext(context).words}`,
        }))}
      />
      <LineField
        label={words.host}
        help={chosen === undefined ? words.hostNone : words.hostHelp(chosen.server)}
        value={form.host}
        maximumLength={2048}
        small
        error={props.hostError}
        onChange={(host) => {
          onChange({ host });
        }}
      />
      <div className={css('pgp')} role="group" aria-label={words.authority}>
        <strong>{words.authority}</strong>
        {form.authority === undefined ? (
          <span className={css('quiet')}>{words.authorityCluster}</span>
        ) : (
          <>
            <span>{`${form.authority.fileName}: ${form.authority.subject}`}</span>
            <Hash value={form.authority.sha256} />
          </>
        )}
        <Actions>
          <Button
            icon={<FileKey size={18} aria-hidden />}
            name={`${words.authority}: ${words.authorityChoose}`}
            onPress={() => void chooseAuthority()}
          >
            {words.authorityChoose}
          </Button>
          {form.authority === undefined ? null : (
            <Button
              look="quiet"
              icon={<RotateCcw size={18} aria-hidden />}
              onPress={() => {
                onChange({ authority: undefined });
              }}
            >
              {words.authorityReset}
            </Button>
          )}
        </Actions>
      </div>
      <p className={css('quiet')}>
        {words.reviewerNote(textAt(recipe, 'namespace'), `${textAt(recipe, 'backend.serviceAccount')}-token`)}
      </p>
    </>
  );
}
