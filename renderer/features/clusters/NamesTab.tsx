import { useRef, useState, type ReactNode } from 'react';
import { ListBox, ListBoxItem, ListLayout, Virtualizer } from 'react-aria-components';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { ClusterContextView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { SearchLine } from '../../ui/Filters.tsx';
import { Card } from '../../ui/Pieces.tsx';
import { canAsk } from '../../views/clusters.ts';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.clusters.list;
const kinds = ['nodes', 'namespaces', 'secrets', 'configmaps'] as const;

type Kind = (typeof kinds)[number];
type Name = ChannelReply<'clusters.list-names'>['names'][number];

/** Reads every page, telling each as it comes. @param isWanted asked before each page */
export async function readAllNames(
  contextId: string,
  kind: Kind,
  onPage: (names: readonly Name[]) => void,
  isWanted: () => boolean,
): Promise<void> {
  const all: Name[] = [];
  let continueFrom = '';
  do {
    const page = await act('clusters.list-names', { contextId, kind, namespace: '', continueFrom });
    if (page === undefined || !isWanted()) return;
    all.push(...page.names);
    onPage([...all]);
    continueFrom = page.continueFrom;
  } while (continueFrom !== '');
}

/** Thousands of names without a pause: only those in sight are drawn. */
export function NameList(props: {
  readonly label: string;
  readonly names: readonly Name[];
  readonly onChoose?: (names: readonly string[]) => void;
  readonly chosen?: readonly string[];
}): ReactNode {
  const items = props.names.map((each) => ({ ...each, id: `${each.namespace}/${each.name}` }));
  return (
    <Virtualizer layout={ListLayout} layoutOptions={{ estimatedRowSize: 36 }}>
      <ListBox
        aria-label={props.label}
        className={css('names')}
        items={items}
        selectionMode={props.onChoose === undefined ? 'none' : 'multiple'}
        selectedKeys={props.chosen ?? []}
        onSelectionChange={(keys) => {
          if (keys !== 'all') props.onChoose?.([...keys].map(String));
          else props.onChoose?.(items.map((item) => item.id));
        }}
      >
        {(item) => (
          <ListBoxItem id={item.id} textValue={item.name} className={css('name')}>
            <span className={css('nameText')}>{item.name}</span>
            {item.namespace === '' ? null : <span className={css('quiet')}>{item.namespace}</span>}
          </ListBoxItem>
        )}
      </ListBox>
    </Virtualizer>
  );
}

export function NamesTab({ context }: { readonly context: ClusterContextView }): ReactNode {
  const [kind, setKind] = useState<Kind>('nodes');
  const [names, setNames] = useState<readonly Name[]>();
  const [reading, setReading] = useState(false);
  const [search, setSearch] = useState('');
  const asked = useRef<Kind>('nodes');
  const read = async (wanted: Kind): Promise<void> => {
    asked.current = wanted;
    setNames(undefined);
    setReading(true);
    await readAllNames(context.id, wanted, setNames, () => asked.current === wanted);
    if (asked.current === wanted) setReading(false);
  };
  const shown = (names ?? []).filter((each) => `${each.namespace}/${each.name}`.includes(search));
  return (
    <Card>
      <p className={css('quiet')}>{words.lead}</p>
      <div className={css('ask')}>
        <Picker
          label={words.kind}
          value={kind}
          onChange={(chosen) => {
            setKind(chosen);
            void read(chosen);
          }}
          choices={kinds.map((each) => ({ value: each, title: words.kinds[each] }))}
        />
        <Button disabled={!canAsk(context)} pending={reading} onPress={() => void read(kind)}>
          {words.read}
        </Button>
      </div>
      {names === undefined ? null : (
        <>
          <div className={css('ask')}>
            <SearchLine label={words.search} value={search} onChange={setSearch} />
            <span role="status" className={css('quiet')}>
              {reading ? words.reading(names.length) : words.shown(shown.length, names.length)}
            </span>
          </div>
          {shown.length === 0 ? (
            <p className={css('quiet')}>{names.length === 0 ? words.none : words.noneFound}</p>
          ) : (
            <NameList label={words.kinds[kind]} names={shown} />
          )}
        </>
      )}
    </Card>
  );
}
