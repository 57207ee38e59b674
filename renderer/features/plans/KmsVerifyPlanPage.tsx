import { useEffect, useState, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Tick } from '../../ui/Fields.tsx';
import { Actions, Card } from '../../ui/Pieces.tsx';
import { canPush } from '../../views/clusters.ts';
import { keptRecipe } from '../clusters/use-recipe.ts';
import { textAt, valueAt, type RecipeForm } from '../clusters/recipe-form.ts';
import { ClusterChoice } from './ClusterChoice.tsx';
import { EtcdChoice } from './EtcdChoice.tsx';
import { checkKmsVerify, freshKmsVerifyForm, type KmsVerifyForm } from './kms-verify-form.ts';
import { PlanLayout } from './PlanLayout.tsx';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.kmsVerify;

/** The forms of this session by cluster, so that a count can be followed by a re-encryption without typing it again. */
const kept = new Map<string, KmsVerifyForm>();

function resourcesOf(recipe: RecipeForm | undefined): readonly string[] {
  const value = recipe === undefined ? undefined : valueAt(recipe, 'resources');
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

function freshForm(contextId: string, provider: string, reencrypt: boolean): KmsVerifyForm {
  const before = kept.get(contextId);
  const recipe = keptRecipe('kms-plugin');
  const name = provider === '' ? (before?.provider ?? (recipe === undefined ? '' : textAt(recipe, 'name'))) : provider;
  const form = before ?? freshKmsVerifyForm(name, resourcesOf(recipe));
  return { ...form, provider: name, reencrypt: reencrypt || form.reencrypt };
}

export function KmsVerifyPlanPage(props: {
  readonly view: AppView;
  readonly contextId: string;
  readonly provider: string;
  readonly reencrypt: boolean;
}): ReactNode {
  const { view } = props;
  const [form, setForm] = useState(() => freshForm(props.contextId, props.provider, props.reencrypt));
  useEffect(() => {
    if (form.contextId !== '') kept.set(form.contextId, form);
  }, [form]);
  const change = (part: Partial<KmsVerifyForm>): void => {
    setForm((before) => ({ ...before, ...part }));
  };
  const { errors, plan, will } = checkKmsVerify(form);
  const usable = view.clusters.contexts.filter(canPush);
  const [only, another] = usable;
  const context = view.clusters.contexts.find((each) => each.id === props.contextId);
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      trail={[
        { title: text.clusters.title, path: paths.clusters },
        ...(context === undefined ? [] : [{ title: context.context, path: paths.cluster(context.id) }]),
      ]}
      errors={Object.values(errors)}
      will={will}
      plan={plan}
    >
      <Card>
        <ClusterChoice
          view={view}
          chosen={form}
          error={form.contextId === '' ? errors.cluster : undefined}
          proposed={context?.id ?? (another === undefined ? only?.id : undefined)}
          onChange={change}
        />
        <div className={css('short')}>
          <LineField
            label={words.provider}
            help={words.providerHelp}
            value={form.provider}
            maximumLength={63}
            error={errors.provider}
            onChange={(provider) => {
              change({ provider });
            }}
          />
          <LineField
            label={words.namespace}
            value={form.namespace}
            maximumLength={63}
            error={errors.namespace}
            onChange={(namespace) => {
              change({ namespace });
            }}
          />
        </div>
      </Card>
      <EtcdChoice form={form} errors={errors} onChange={change} />
      <Card title={words.kinds}>
        <Tick
          label={words.secrets}
          checked={form.secrets}
          onChange={(secrets) => {
            change({ secrets });
          }}
        />
        <Tick
          label={words.configmaps}
          checked={form.configmaps}
          onChange={(configmaps) => {
            change({ configmaps });
          }}
        />
        <OtherKinds form={form} error={errors.others} onChange={change} />
        <Tick
          label={words.reencrypt}
          checked={form.reencrypt}
          onChange={(reencrypt) => {
            change({ reencrypt });
          }}
        />
        <p className={css('quiet')}>{words.reencryptHelp}</p>
      </Card>
    </PlanLayout>
  );
}

/** Kinds by name, or everything that the cluster keeps. */
function OtherKinds(props: {
  readonly form: KmsVerifyForm;
  readonly error: string | undefined;
  readonly onChange: (part: Partial<KmsVerifyForm>) => void;
}): ReactNode {
  const { form } = props;
  const [asking, setAsking] = useState(false);
  const listAll = async (): Promise<void> => {
    setAsking(true);
    const reply = await act('etcd.list-kinds', { contextId: form.contextId });
    setAsking(false);
    if (reply === undefined) return;
    const others = reply.kinds.filter((name) => name !== 'secrets' && name !== 'configmaps');
    props.onChange({ secrets: true, configmaps: true, others: others.join('\n') });
  };
  return (
    <>
      <LineField
        multiline
        label={words.others}
        help={words.othersHelp}
        value={form.others}
        maximumLength={32_000}
        error={props.error}
        onChange={(others) => {
          props.onChange({ others });
        }}
      />
      <Actions>
        <Button disabled={form.cluster === undefined} pending={asking} onPress={() => void listAll()}>
          {words.listAll}
        </Button>
      </Actions>
    </>
  );
}
