import { useMemo, useRef, useState, type ReactNode } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { ClusterContextView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { SearchLine } from '../../ui/Filters.tsx';
import { LongList, type LongListRow } from '../../ui/LongList.tsx';
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

/** As rows of a list; a node's id is its name after a slash. */
export function rowsOfNames(names: readonly Name[], search: string): readonly LongListRow[] {
  const wanted = search.trim().toLowerCase();
  return names
    .map(({ namespace, name }) => ({ id: `${namespace}/${name}`, group: namespace, name }))
    .filter(({ id }) => id.includes(wanted));
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
  const shown = useMemo(() => rowsOfNames(names ?? [], search), [names, search]);
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
          <div className={css('found')}>
            <SearchLine label={words.search} value={search} onChange={setSearch} />
            <span role="status" className={css('quiet')}>
              {reading ? words.reading(names.length) : words.shown(shown.length, names.length)}
            </span>
          </div>
          {shown.length === 0 ? (
            <p className={css('quiet')}>{names.length === 0 ? words.none : words.noneFound}</p>
          ) : (
            <LongList label={words.kinds[kind]} rows={shown} />
          )}
        </>
      )}
    </Card>
  );
}
