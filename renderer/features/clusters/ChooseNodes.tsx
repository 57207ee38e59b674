import { useMemo, useState, type ReactNode } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { Sheet } from '../../ui/Dialogs.tsx';
import { SearchLine } from '../../ui/Filters.tsx';
import { LongList } from '../../ui/LongList.tsx';
import { readAllNames, rowsOfNames } from './NamesTab.tsx';

const words = text.recipes;
const list = text.clusters.list;

type Name = ChannelReply<'clusters.list-names'>['names'][number];

/** Takes nodes' names from the cluster. */
export function ChooseNodes(props: {
  readonly contextId: string;
  readonly chosen: readonly string[];
  readonly onChoose: (names: readonly string[]) => void;
}): ReactNode {
  const [open, setOpen] = useState(false);
  const [names, setNames] = useState<readonly Name[]>([]);
  const [reading, setReading] = useState(false);
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const show = async (): Promise<void> => {
    setChosen(new Set(props.chosen.filter((name) => name !== '').map((name) => `/${name}`)));
    setSearch('');
    setNames([]);
    setOpen(true);
    setReading(true);
    await readAllNames(props.contextId, 'nodes', setNames, () => true);
    setReading(false);
  };
  const shown = useMemo(() => rowsOfNames(names, search), [names, search]);
  // What was typed before and is no node of this cluster cannot be seen in the list, nor be left out there.
  const taken = names.filter(({ name }) => chosen.has(`/${name}`)).map(({ name }) => name);
  const close = (): void => {
    setOpen(false);
  };
  return (
    <>
      <Button look="quiet" onPress={() => void show()}>
        {words.chooseNodes}
      </Button>
      <Sheet
        title={words.fields.nodes}
        open={open}
        onClose={close}
        actions={
          <>
            <Button onPress={close}>{text.common.cancel}</Button>
            <Button
              look="primary"
              disabled={reading || taken.length === 0}
              onPress={() => {
                props.onChoose(taken);
                close();
              }}
            >
              {words.choose}
            </Button>
          </>
        }
      >
        <SearchLine label={list.search} value={search} onChange={setSearch} />
        <span role="status">{reading ? list.reading(names.length) : list.shown(shown.length, names.length)}</span>
        {shown.length === 0 ? null : (
          <LongList label={list.kinds.nodes} rows={shown} chosen={chosen} onChoose={setChosen} />
        )}
      </Sheet>
    </>
  );
}
