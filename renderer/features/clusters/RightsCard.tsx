import { useState, type ReactNode } from 'react';
import { Check, Minus, X } from 'lucide-react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { ClusterContextView } from '../../../electron/contract/views.ts';
import type { RecipeName } from '../../../electron/workflows/recipes/recipes.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { Card, Note } from '../../ui/Pieces.tsx';
import { canAsk } from '../../views/clusters.ts';
import { recipeOrder } from './recipe-fields.ts';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.clusters.rights;
const verbs = ['get', 'create', 'patch', 'delete'] as const;

type Answer = ChannelReply<'clusters.rights'>['rights'][number];

interface Row {
  readonly id: string;
  readonly object: string;
  readonly where: string;
  readonly answers: ReadonlyMap<string, Answer>;
}

/** One row for each kind and namespace, one column for each verb. */
function rowsOf(answers: readonly Answer[]): readonly Row[] {
  const rows = new Map<string, { id: string; object: string; where: string; answers: Map<string, Answer> }>();
  for (const answer of answers) {
    const { group, resource, subresource, namespace, verb } = answer.need;
    const object = `${resource}${subresource === '' ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
    const id = `${object} ${namespace}`;
    const row = rows.get(id) ?? {
      id,
      object,
      where: namespace === '' ? words.everywhere : namespace,
      answers: new Map<string, Answer>(),
    };
    row.answers.set(verb, answer);
    rows.set(id, row);
  }
  return [...rows.values()];
}

export function RightsCard({ context }: { readonly context: ClusterContextView }): ReactNode {
  const [recipe, setRecipe] = useState<RecipeName>('bank-vaults');
  const [asking, setAsking] = useState(false);
  const [answered, setAnswered] = useState<readonly Answer[]>();
  const ask = async (): Promise<void> => {
    setAsking(true);
    const reply = await act('clusters.rights', { contextId: context.id, recipe });
    setAnswered(reply?.rights);
    setAsking(false);
  };
  const missing = answered?.filter((answer) => !answer.allowed).length ?? 0;
  return (
    <Card title={words.title}>
      <p className={css('quiet')}>{words.lead}</p>
      <div className={css('ask')}>
        <Picker
          label={words.recipe}
          value={recipe}
          onChange={(chosen) => {
            setRecipe(chosen);
            setAnswered(undefined);
          }}
          choices={recipeOrder.map((name) => ({ value: name, title: text.recipes.names[name] }))}
        />
        <Button disabled={!canAsk(context)} pending={asking} onPress={() => void ask()}>
          {words.check}
        </Button>
      </div>
      <div role="status">
        {answered === undefined ? null : missing === 0 ? (
          <Note tone="good" shape="check">
            <p>{words.all}</p>
          </Note>
        ) : (
          <Note tone="warn" shape="alert">
            <p>{words.some(missing)}</p>
          </Note>
        )}
      </div>
      {answered === undefined || answered.length === 0 ? null : (
        <table className={css('table')} aria-label={words.table}>
          <thead>
            <tr>
              <th scope="col">{words.object}</th>
              <th scope="col">{words.where}</th>
              {verbs.map((verb) => (
                <th key={verb} scope="col" className={css('verb')}>
                  {words.verbs[verb]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rowsOf(answered).map((row) => (
              <tr key={row.id}>
                <th scope="row">{row.object}</th>
                <td>{row.where}</td>
                {verbs.map((verb) => (
                  <td key={verb} className={css('verb')}>
                    <Right answer={row.answers.get(verb)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function Right({ answer }: { readonly answer: Answer | undefined }): ReactNode {
  if (answer === undefined) {
    return (
      <span className={css('rightNone')} role="img" aria-label={words.notNeeded}>
        <Minus size={16} aria-hidden />
      </span>
    );
  }
  return (
    <span
      className={css(answer.allowed ? 'rightYes' : 'rightNo')}
      role="img"
      aria-label={answer.allowed ? words.yes : words.no}
    >
      {answer.allowed ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
    </span>
  );
}
