import { useEffect, useState, type ReactNode } from 'react';
import type { AppView, VaultView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { beginTransitSetUp } from '../../stores/begin-run.ts';
import { paths } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField, Tick } from '../../ui/Fields.tsx';
import { Card, Note, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { TextBlock } from '../../ui/TextBlock.tsx';
import type { TrailStep } from '../../ui/Trail.tsx';
import { logInOf, logIns, withLogin } from '../clusters/kms-login.ts';
import { problemAt, textAt, withValue, type FieldProblem, type RecipeForm } from '../clusters/recipe-form.ts';
import { useRecipe } from '../clusters/use-recipe.ts';
import { PlanLayout } from './PlanLayout.tsx';
import { ReviewedCluster } from './ReviewedCluster.tsx';
import {
  backendProblem,
  checkTransitSetup,
  otherAddress,
  vaultOf,
  withTransit,
  type TransitSetupForm,
} from './transit-setup-form.ts';
import { VaultChoice } from './VaultChoice.tsx';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.transitSetup;
const fieldWords = text.recipes.fields;

/** Back to where it was begun: the Vault, or the recipe. */
function trailOf(view: AppView, vaultId: string, contextId: string): readonly TrailStep[] {
  const vault = view.vaults.find((each) => each.id === vaultId);
  return vault === undefined
    ? [{ title: text.recipes.names['kms-plugin'], path: paths.recipe(contextId, 'kms-plugin') }]
    : [
        { title: text.vaults.title, path: paths.vaults },
        { title: vault.name, path: paths.vault(vault.id) },
      ];
}

/** The policy as main writes it, once the recipe is in order. */
function usePolicy(form: RecipeForm | undefined): string {
  const [policy, setPolicy] = useState('');
  useEffect(() => {
    if (form === undefined) return undefined;
    let wanted = true;
    void act('transit.policy', { form }).then((reply) => {
      if (wanted && reply !== undefined) setPolicy(reply.policy);
    });
    return () => {
      wanted = false;
    };
  }, [form]);
  return policy;
}

export function TransitSetupPlanPage(props: {
  readonly view: AppView;
  readonly vaultId: string;
  readonly contextId: string;
}): ReactNode {
  const { view } = props;
  const recipe = useRecipe('kms-plugin');
  const [decided, setDecided] = useState<TransitSetupForm>({
    vaultId: props.vaultId,
    contextId: props.contextId,
    host: '',
    authority: undefined,
    replaceDiffering: false,
  });
  const vault = vaultOf(view, decided.vaultId, recipe.form);
  const form = recipe.form === undefined ? undefined : withTransit(recipe.form, vault);
  const { change } = recipe;
  // The recipe says softhsm, or no address yet: from here on it says what this page says.
  const adopted = form === recipe.form ? undefined : form;
  useEffect(() => {
    if (adopted !== undefined) change(adopted);
  });
  const isReady = adopted === undefined && !recipe.isBehind;
  const policy = usePolicy(isReady && recipe.problems.length === 0 ? form : undefined);
  if (view.vaults.length === 0) {
    return (
      <Page title={words.title}>
        <p>{words.vaultsNone}</p>
      </Page>
    );
  }
  if (form === undefined) {
    return (
      <Page title={words.title} lead={words.lead}>
        <p role="status">{words.reading}</p>
      </Page>
    );
  }
  const state = { ...decided, vaultId: vault?.id ?? '' };
  const { errors, hostError, clusterError, request, will } = checkTransitSetup(view, state, form, recipe.problems);
  const set = (part: Partial<TransitSetupForm>): void => {
    setDecided((before) => ({ ...before, ...part }));
  };
  const login = logInOf(form);
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      trail={trailOf(view, props.vaultId, props.contextId)}
      marks={vault?.rehearsal === true ? <RehearsalMark /> : undefined}
      errors={errors}
      will={will}
      plan={undefined}
      begin={request === undefined || !isReady ? undefined : () => beginTransitSetUp(request)}
    >
      <KeyCard
        view={view}
        vault={vault}
        form={form}
        problems={recipe.problems}
        onVault={(vaultId) => {
          set({ vaultId });
        }}
        onChange={change}
      />
      <LogInCard form={form} problems={recipe.problems} onChange={change}>
        {login === 'service-account' ? (
          <ReviewedCluster
            view={view}
            form={state}
            recipe={form}
            clusterError={clusterError}
            hostError={hostError}
            onChange={set}
          />
        ) : (
          <p className={css('quiet')}>{words.otherLogInNote[login]}</p>
        )}
      </LogInCard>
      <Card title={words.policyTitle}>
        {policy === '' ? (
          <p className={css('quiet')}>{words.policyWaits}</p>
        ) : (
          <TextBlock label={words.policyTitle} content={policy} stale={!isReady || recipe.problems.length > 0} />
        )}
        <Tick
          label={words.replace}
          checked={decided.replaceDiffering}
          onChange={(replaceDiffering) => {
            set({ replaceDiffering });
          }}
        />
      </Card>
    </PlanLayout>
  );
}

interface RecipeProps {
  readonly form: RecipeForm;
  readonly problems: readonly FieldProblem[];
  readonly onChange: (form: RecipeForm) => void;
}

function BackendLine(props: RecipeProps & { readonly name: string; readonly label: string }): ReactNode {
  const path = `backend.${props.name}`;
  return (
    <LineField
      label={props.label}
      value={textAt(props.form, path)}
      maximumLength={200}
      error={backendProblem(props.problems, props.name)}
      onChange={(value) => {
        props.onChange(withValue(props.form, path, value));
      }}
    />
  );
}

function KeyCard(
  props: RecipeProps & {
    readonly view: AppView;
    readonly vault: VaultView | undefined;
    readonly onVault: (vaultId: string) => void;
  },
): ReactNode {
  const other = otherAddress(props.vault, props.form);
  return (
    <Card title={words.key}>
      <VaultChoice words={words} vaults={props.view.vaults} value={props.vault?.id ?? ''} onChange={props.onVault} />
      {other === '' ? null : (
        <Note tone="calm" shape="notice">
          <p>{words.otherAddress(other)}</p>
        </Note>
      )}
      <div className={css('short')}>
        <BackendLine {...props} name="mount" label={fieldWords.mount} />
        <BackendLine {...props} name="key" label={fieldWords.transitKey} />
        <BackendLine {...props} name="policy" label={fieldWords.policy} />
        <BackendLine {...props} name="vaultNamespace" label={fieldWords.vaultNamespace} />
      </div>
    </Card>
  );
}

function LogInCard(props: RecipeProps & { readonly children: ReactNode }): ReactNode {
  const login = logInOf(props.form);
  return (
    <Card title={words.logIn}>
      <Choices
        label={fieldWords.login}
        value={login}
        onChange={(chosen) => {
          props.onChange(withLogin(props.form, chosen));
        }}
        choices={logIns}
      />
      {login !== 'service-account' ? null : (
        <div className={css('short')}>
          <BackendLine {...props} name="authMount" label={fieldWords.authMount} />
          <BackendLine {...props} name="role" label={fieldWords.role} />
          <LineField
            label={fieldWords.namespace}
            value={textAt(props.form, 'namespace')}
            maximumLength={63}
            error={problemAt(props.problems, 'namespace')}
            onChange={(namespace) => {
              props.onChange(withValue(props.form, 'namespace', namespace));
            }}
          />
          <BackendLine {...props} name="serviceAccount" label={fieldWords.serviceAccount} />
          <BackendLine {...props} name="audience" label={fieldWords.audience} />
        </div>
      )}
      {props.children}
    </Card>
  );
}
