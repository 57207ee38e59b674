import { useState, type ReactNode } from 'react';
import { ChevronLeft } from 'lucide-react';
import type { RecipeName } from '../../../electron/workflows/recipes/recipes.ts';
import { act, useAlerts } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Diff } from '../../ui/Diff.tsx';
import { Tick } from '../../ui/Fields.tsx';
import { Actions, Card, Fact, Facts, Hash, Items, Mono, Note, Page } from '../../ui/Pieces.tsx';
import { TextBlock } from '../../ui/TextBlock.tsx';
import type { TrailStep } from '../../ui/Trail.tsx';
import { objectTitle } from '../../views/clusters.ts';
import {
  conflictCount,
  conflictsByManager,
  countsInWords,
  inOrder,
  markOfChange,
  missingByKind,
  obstaclesOf,
  type PreviewObject,
  type PreviewReply,
} from '../../views/push-preview.ts';
import { MarkOf } from '../tokens/DeviceState.tsx';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.recipes.show;

/** What a push would change, object by object; what is in the way of it; and the way to the run. */
export function PushPreviewPage(props: {
  readonly reply: PreviewReply;
  readonly recipe: RecipeName;
  readonly trail: readonly TrailStep[];
  readonly onBack: () => void;
}): ReactNode {
  const go = useNavigation((state) => state.go);
  const [takesOver, setTakesOver] = useState(false);
  const [starting, setStarting] = useState(false);
  const { reply } = props;
  const { preview, cluster } = reply;
  const obstacles = obstaclesOf(reply, takesOver);
  const conflicts = conflictCount(reply);
  const nothing = preview.objects.length > 0 && preview.objects.every((object) => object.change === 'same');
  const push = async (): Promise<void> => {
    setStarting(true);
    const started = await act('pushes.start', { previewId: reply.previewId, takeOverConflicts: takesOver });
    setStarting(false);
    if (started !== undefined) go(paths.run(started.runId));
  };
  return (
    <Page
      title={words.title(cluster.context)}
      lead={words.lead}
      trail={props.trail}
      actions={
        <Button icon={<ChevronLeft size={18} aria-hidden />} onPress={props.onBack}>
          {text.recipes.back}
        </Button>
      }
    >
      <div className={css('previewLayout')}>
        <div className={css('column')}>
          <Obstacles reply={reply} />
          {nothing ? (
            <Note tone="good" shape="check">
              <p>{words.nothing}</p>
            </Note>
          ) : null}
          {inOrder(preview.objects).map((object) => (
            <ObjectPreview key={`${object.reference.apiVersion} ${objectTitle(object.reference)}`} object={object} />
          ))}
        </div>
        <div className={css('stays')}>
          <Card title={words.summary} look="accent">
            <p>
              <strong>{countsInWords(preview.objects)}</strong>
            </p>
            <Facts narrow>
              <Fact name={words.cluster}>{cluster.clusterName}</Fact>
              <Fact name={words.server}>
                <Mono>{cluster.server}</Mono>
              </Fact>
              <Fact name={words.user}>{cluster.userName}</Fact>
              <Fact name={words.digest}>
                <Hash value={preview.sha256.slice(0, 16)} />
              </Fact>
            </Facts>
            {conflicts === 0 ? null : (
              <div className={css('foot')}>
                <Tick label={words.takeOver(conflicts)} checked={takesOver} onChange={setTakesOver} />
                <p className={css('quiet')}>{words.takeOverHelp}</p>
              </div>
            )}
            {obstacles.length === 0 ? null : (
              <div role="status">
                <Note tone="warn" shape="alert">
                  <Items items={obstacles} />
                </Note>
              </div>
            )}
            <div className={css('foot')}>
              <Actions>
                <Button
                  look="primary"
                  large
                  disabled={obstacles.length > 0}
                  pending={starting}
                  onPress={() => void push()}
                >
                  {words.push}
                </Button>
              </Actions>
              <p className={css('quiet')}>{words.pushNote}</p>
              <p className={css('quiet')}>{words.digestHelp}</p>
            </div>
          </Card>
        </div>
      </div>
    </Page>
  );
}

/** Rights, kinds and warnings: what concerns the push as a whole. */
function Obstacles({ reply }: { readonly reply: PreviewReply }): ReactNode {
  const { preview } = reply;
  const save = async (): Promise<void> => {
    const saved = await act('recipes.save-rights', { previewId: reply.previewId });
    if (saved !== undefined && saved.path !== '') useAlerts.getState().say(text.runs.saved(saved.path));
  };
  return (
    <>
      {preview.missingRights.length === 0 ? null : (
        <Card title={words.rights(preview.missingRights.length)} look="danger">
          <p>{words.rightsText}</p>
          <Items
            marks="bullets"
            items={missingByKind(reply).map(({ verbs, resource, namespace }) =>
              words.rightsLine(verbs.join(', '), resource, namespace),
            )}
          />
          {preview.rightsManifest === '' ? null : (
            <>
              <TextBlock label={words.rights(preview.missingRights.length)} content={preview.rightsManifest} />
              <Actions>
                <Button onPress={() => void save()}>{words.saveRights}</Button>
              </Actions>
            </>
          )}
        </Card>
      )}
      {preview.missingKinds.length === 0 ? null : (
        <Card title={words.kinds} look="danger">
          <Items items={preview.missingKinds.map(({ kind, install }) => `${kind}: ${install}`)} />
        </Card>
      )}
      {preview.warnings.length === 0 ? null : (
        <Note tone="warn" shape="alert" title={words.warnings}>
          <Items marks="bullets" items={preview.warnings} />
        </Note>
      )}
    </>
  );
}

/** Open where there is something to decide or to read; what stays as it is stays closed. */
function ObjectPreview({ object }: { readonly object: PreviewObject }): ReactNode {
  const title = objectTitle(object.reference);
  const isSecret = object.reference.kind === 'Secret';
  return (
    <details className={css('disclosure')} open={object.change !== 'same'}>
      <summary>
        <strong className={css('grow')}>{title}</strong>
        <MarkOf mark={markOfChange(object.change)} />
      </summary>
      <div className={css('disclosureBody')}>
        {object.refusal === '' ? null : (
          <Note tone="bad" shape="stop" title={words.refusal}>
            <p>{object.refusal}</p>
            <p>{words.refusalNext}</p>
          </Note>
        )}
        {object.ownedByOthers.length === 0 ? null : (
          <Note tone="warn" shape="alert">
            <p>{words.owned(object.ownedByOthers.join(', '))}</p>
          </Note>
        )}
        {conflictsByManager(object).map((conflict) => (
          <Note
            key={`${conflict.manager} ${conflict.operation}`}
            tone="warn"
            shape="alert"
            title={words.conflicts(conflict.manager)}
          >
            <p className={css('quiet')}>
              {conflict.operation === 'Apply' ? words.conflictApply : words.conflictUpdate}
            </p>
            <Items
              marks="bullets"
              items={conflict.fields.map((field) => (
                <span key={field} className={css('fieldPaths')}>
                  {field}
                </span>
              ))}
            />
          </Note>
        ))}
        {isSecret ? <p className={css('quiet')}>{words.masked}</p> : null}
        {object.diff.length === 0 ? (
          object.change === 'refused' ? null : (
            <p className={css('quiet')}>{words.noLines}</p>
          )
        ) : (
          <Diff name={title} lines={object.diff} />
        )}
      </div>
    </details>
  );
}
