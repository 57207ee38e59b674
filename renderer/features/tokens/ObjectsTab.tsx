import { useMemo, useState, type ReactNode } from 'react';
import { ChevronLeft, ChevronRight, FileKey, Plus } from 'lucide-react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { SearchLine, Segments } from '../../ui/Filters.tsx';
import { Actions, EmptyState } from '../../ui/Pieces.tsx';
import { filterRows, objectRows, pageOf, type ObjectKind } from '../../views/token-objects.ts';
import { ObjectItem } from './ObjectItem.tsx';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.objects;
const rowsOnPage = 40;

/** Everything on the token, a page at a time: hundreds of objects stay quick, and screen readers hear where they are. */
export function ObjectsTab({ token }: { readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [sought, setSought] = useState('');
  const [kind, setKind] = useState<ObjectKind>('all');
  const [page, setPage] = useState(0);
  const rows = useMemo(() => objectRows(token.objects), [token.objects]);
  const found = useMemo(() => filterRows(rows, kind, sought), [rows, kind, sought]);
  const shown = pageOf(found, page, rowsOnPage);
  const store = token.writeProtected ? undefined : (
    <Button
      icon={<Plus size={18} aria-hidden />}
      onPress={() => {
        go(paths.tokenAct('certificate-store', token));
      }}
    >
      {words.storeCertificate}
    </Button>
  );
  if (!token.inspected) return <p role="status">{text.token.reading}</p>;
  if (rows.length === 0) {
    return (
      <EmptyState icon={<FileKey size={28} />} title={words.none} action={store}>
        {words.noneHelp}
      </EmptyState>
    );
  }
  return (
    <>
      <h2 className={css('heard')}>{words.title}</h2>
      <div className={css('tools')}>
        <SearchLine
          label={words.filter}
          value={sought}
          onChange={(value) => {
            setSought(value);
            setPage(0);
          }}
        />
        <Segments
          label={words.kind}
          value={kind}
          onChange={(chosen) => {
            setKind(chosen);
            setPage(0);
          }}
          choices={(['all', 'keys', 'certificates', 'data'] as const).map((value) => ({
            value,
            title: words.kinds[value],
          }))}
        />
      </div>
      <div className={css('line')}>
        <p role="status" className={css('quiet', 'grow')}>
          {words.countOf(found.length, rows.length)}
          {token.loggedIn ? '' : `. ${words.noneHelp}`}
        </p>
        {store}
        {shown.pages < 2 ? null : <Pager shown={shown} all={found.length} onTurn={setPage} />}
      </div>
      {found.length === 0 ? (
        <div className={css('act')}>
          <p>{words.noneFound}</p>
          <Actions>
            <Button
              onPress={() => {
                setSought('');
                setKind('all');
              }}
            >
              {words.clear}
            </Button>
          </Actions>
        </div>
      ) : (
        <ul className={css('objects')} aria-label={words.list}>
          {shown.rows.map((row) => (
            <ObjectItem key={row.key} row={row} token={token} />
          ))}
        </ul>
      )}
      {shown.pages < 2 ? null : <Pager shown={shown} all={found.length} onTurn={setPage} />}
    </>
  );
}

function Pager(props: {
  readonly shown: ReturnType<typeof pageOf>;
  readonly all: number;
  readonly onTurn: (page: number) => void;
}): ReactNode {
  const { shown } = props;
  return (
    <div className={css('pager')}>
      <Button
        iconOnly
        name={words.earlier}
        disabled={shown.page === 0}
        icon={<ChevronLeft size={18} aria-hidden />}
        onPress={() => {
          props.onTurn(shown.page - 1);
        }}
      >
        {words.earlier}
      </Button>
      <span>{words.page(shown.from, shown.to, props.all)}</span>
      <Button
        iconOnly
        name={words.later}
        disabled={shown.page >= shown.pages - 1}
        icon={<ChevronRight size={18} aria-hidden />}
        onPress={() => {
          props.onTurn(shown.page + 1);
        }}
      >
        {words.later}
      </Button>
    </div>
  );
}
