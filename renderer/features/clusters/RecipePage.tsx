import { useState, type ReactNode } from 'react';
import { Boxes, Cpu, HardDrive, KeySquare, Stamp } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import type { RecipeName } from '../../../electron/workflows/recipes/recipes.ts';
import { act, useAlerts } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ActionMenu } from '../../ui/Dialogs.tsx';
import { Picker } from '../../ui/Fields.tsx';
import { Card, Items, Note, Page } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { TextBlock } from '../../ui/TextBlock.tsx';
import type { TrailStep } from '../../ui/Trail.tsx';
import { canPush, markOfContext } from '../../views/clusters.ts';
import type { PreviewReply } from '../../views/push-preview.ts';
import { PushPreviewPage } from './PushPreviewPage.tsx';
import { RecipeFields } from './RecipeFields.tsx';
import { recipeOrder } from './recipe-fields.ts';
import { textAt, type RecipeForm } from './recipe-form.ts';
import { useRecipe, type Rendered } from './use-recipe.ts';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.recipes;

function trailTo(view: AppView, contextId: string): readonly TrailStep[] {
  const context = view.clusters.contexts.find((each) => each.id === contextId);
  return [
    { title: text.clusters.title, path: paths.clusters },
    ...(context === undefined ? [] : [{ title: context.context, path: paths.cluster(context.id) }]),
  ];
}

export function RecipePage(props: {
  readonly view: AppView;
  readonly contextId: string;
  readonly recipe: string;
}): ReactNode {
  const recipe = recipeOrder.find((name) => name === props.recipe);
  return recipe === undefined ? (
    <ChooseRecipe view={props.view} contextId={props.contextId} />
  ) : (
    <OneRecipe view={props.view} contextId={props.contextId} recipe={recipe} />
  );
}

const icons = {
  'bank-vaults': KeySquare,
  'softhsm-cluster': HardDrive,
  'node-setup': Cpu,
  'pkcs11-seal': Stamp,
  'kms-plugin': Boxes,
} as const;

function ChooseRecipe({ view, contextId }: { readonly view: AppView; readonly contextId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Page title={contextId === '' ? words.filesTitle : words.title} lead={words.lead} trail={trailTo(view, contextId)}>
      <div className={css('recipes')}>
        {recipeOrder.map((name) => {
          const Icon = icons[name];
          return (
            <Card
              key={name}
              title={words.names[name]}
              mark={<Icon size={22} aria-hidden />}
              actions={
                <Button
                  name={`${words.choose}: ${words.names[name]}`}
                  onPress={() => {
                    go(paths.recipe(contextId, name));
                  }}
                >
                  {words.choose}
                </Button>
              }
            >
              <p>{words.about[name]}</p>
            </Card>
          );
        })}
      </div>
    </Page>
  );
}

function OneRecipe(props: {
  readonly view: AppView;
  readonly contextId: string;
  readonly recipe: RecipeName;
}): ReactNode {
  const { view, recipe } = props;
  const go = useNavigation((state) => state.go);
  const { form, change, rendered, problems, isBehind } = useRecipe(recipe);
  const usable = view.clusters.contexts.filter(canPush);
  const [chosen, setChosen] = useState(props.contextId);
  const contextId = usable.some((context) => context.id === chosen) ? chosen : '';
  const [previewing, setPreviewing] = useState(false);
  const [preview, setPreview] = useState<PreviewReply>();
  const trail = [...trailTo(view, props.contextId), { title: words.title, path: paths.recipe(props.contextId) }];
  if (preview !== undefined) {
    return (
      <PushPreviewPage
        reply={preview}
        trail={trail}
        recipe={recipe}
        onBack={() => {
          setPreview(undefined);
        }}
      />
    );
  }
  const look = async (asked: RecipeForm): Promise<void> => {
    setPreviewing(true);
    setPreview(await act('recipes.preview', { contextId, form: asked }));
    setPreviewing(false);
  };
  return (
    <Page
      title={words.names[recipe]}
      lead={words.about[recipe]}
      trail={trail}
      marks={<Condition problems={problems.length} isBehind={isBehind} />}
      actions={
        <>
          {recipe === 'kms-plugin' && form !== undefined ? <KmsActs form={form} contextId={contextId} /> : null}
          <Button
            look="quiet"
            onPress={() => {
              go(paths.recipe(props.contextId));
            }}
          >
            {words.another}
          </Button>
        </>
      }
    >
      {form === undefined ? (
        <p role="status">{words.checking}</p>
      ) : (
        <div className={css('beside')}>
          <RecipeFields form={form} problems={problems} onChange={change} contextId={contextId} />
          <div className={css('column', 'stays')}>
            <Card look="accent">
              <div className={css('footActions')}>
                <Picker
                  label={words.cluster}
                  placeholder={words.clusterNone}
                  value={contextId}
                  onChange={setChosen}
                  choices={usable.map((context) => ({
                    value: context.id,
                    title: context.context,
                    help: markOfContext(context).words,
                  }))}
                />
                <Button
                  look="primary"
                  disabled={contextId === '' || problems.length > 0 || rendered === undefined}
                  pending={previewing}
                  onPress={() => void look(form)}
                >
                  {words.preview}
                </Button>
              </div>
              <p className={css('quiet')} role="status">
                {previewing ? words.previewing : words.clusterHelp}
              </p>
            </Card>
            <Result rendered={rendered} stale={problems.length > 0} form={form} />
          </div>
        </div>
      )}
    </Page>
  );
}

/** What belongs to a KMS plugin beside its push: Vault before it, and seeing in etcd that it encrypts after it. */
function KmsActs({ form, contextId }: { readonly form: RecipeForm; readonly contextId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <>
      {textAt(form, 'backend.kind') === 'transit' ? (
        <Button
          onPress={() => {
            go(paths.transitSetup('', contextId));
          }}
        >
          {words.setUpVault}
        </Button>
      ) : null}
      <Button
        onPress={() => {
          go(paths.kmsVerify(contextId, textAt(form, 'name')));
        }}
      >
        {words.verify}
      </Button>
    </>
  );
}

function Condition({ problems, isBehind }: { readonly problems: number; readonly isBehind: boolean }): ReactNode {
  return (
    <span role="status">
      {problems > 0 ? (
        <StateMark tone="bad" shape="alert">
          {words.problems(problems)}
        </StateMark>
      ) : (
        <StateMark tone={isBehind ? 'mute' : 'good'} shape={isBehind ? 'loader' : 'check'}>
          {isBehind ? words.checking : words.valid}
        </StateMark>
      )}
    </span>
  );
}

type Part = 'manifest' | 'files' | 'notes';

/** What the form becomes: the manifest as it is typed, files for other places, and what to know. */
function Result(props: {
  readonly rendered: Rendered | undefined;
  readonly stale: boolean;
  readonly form: RecipeForm;
}): ReactNode {
  const [part, setPart] = useState<Part>('manifest');
  const { rendered } = props;
  const save = async (output: 'manifests' | 'kustomize' | 'helm-values'): Promise<void> => {
    const reply = await act('recipes.save', { form: props.form, output });
    if (reply !== undefined && reply.folder !== '')
      useAlerts.getState().say(words.saved(reply.folder, reply.files.length));
  };
  if (rendered === undefined) {
    return (
      <Card title={words.result}>
        <p className={css('quiet')}>{words.waits}</p>
      </Card>
    );
  }
  const empty = rendered.manifests.trim() === '';
  return (
    <Card
      title={words.result}
      mark={
        props.stale ? undefined : (
          <ActionMenu
            label={words.save}
            look="quiet"
            items={(['manifests', 'kustomize', 'helm-values'] as const).map((id) => ({ id, title: words.outputs[id] }))}
            onAction={(output) => void save(output)}
          />
        )
      }
    >
      <Tabs
        label={words.result}
        value={part}
        onChange={setPart}
        tabs={[
          { id: 'manifest', title: words.manifest, detail: String(rendered.objects.length) },
          { id: 'files', title: words.files, detail: String(rendered.files.length) },
          { id: 'notes', title: words.notes, detail: String(rendered.notes.length + rendered.asked.length) },
        ]}
      >
        {props.stale ? <p className={css('quiet')}>{words.stale}</p> : null}
        {part === 'manifest' ? (
          empty ? (
            rendered.patches.length > 0 ? null : (
              <p className={css('quiet')}>{words.nothing}</p>
            )
          ) : (
            <TextBlock label={words.manifest} content={rendered.manifests} stale={props.stale} tall />
          )
        ) : null}
        {part === 'manifest' && rendered.patches.length > 0 ? (
          <Note tone="calm" shape="notice" title={words.patches}>
            <Items marks="bullets" items={rendered.patches} />
          </Note>
        ) : null}
        {part === 'files' ? <Files rendered={rendered} stale={props.stale} /> : null}
        {part === 'notes' ? <Notes rendered={rendered} /> : null}
      </Tabs>
    </Card>
  );
}

function Files({ rendered, stale }: { readonly rendered: Rendered; readonly stale: boolean }): ReactNode {
  if (rendered.files.length === 0) return <p className={css('quiet')}>{words.filesNone}</p>;
  return (
    <>
      {rendered.files.map((file) => (
        <div key={file.name} className={css('object')}>
          <div className={css('fileHead')}>
            <h3>{file.name}</h3>
            <span className={css('quiet')}>{file.place}</span>
          </div>
          <TextBlock label={file.name} content={file.text} stale={stale} />
        </div>
      ))}
    </>
  );
}

function Notes({ rendered }: { readonly rendered: Rendered }): ReactNode {
  return (
    <>
      {rendered.asked.length === 0 ? null : (
        <Note tone="calm" shape="lock" title={words.asked}>
          <Items marks="bullets" items={rendered.asked} />
          <p>{words.askedNote}</p>
        </Note>
      )}
      <Items marks="bullets" items={rendered.notes} />
    </>
  );
}
