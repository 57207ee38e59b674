import {
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
} from 'react';
import { Check } from 'lucide-react';
import { layOutRows, rowAfterKey, rowsToDraw, scrollToRow, type LetterSize } from '../views/long-list.ts';
import { classesOf } from './classes.ts';
import styles from './long-list.module.css';

const css = classesOf(styles);

export interface LongListRow {
  readonly id: string;
  /** What it belongs to, before its name; '' for nothing. */
  readonly group: string;
  readonly name: string;
}

interface Room {
  /** That the text of a row has. */
  readonly width: number;
  readonly height: number;
  readonly letter: LetterSize;
}

const probeLetters = 50;
/** Padding and line of a row: what long-list.module.css gives it. */
const aroundText = 15;

/** The size of the list and of its letters, anew when the window, the zoom or the font changes. */
function useRoom(): {
  readonly list: RefObject<HTMLDivElement | null>;
  readonly probe: RefObject<HTMLSpanElement | null>;
  readonly room: Room | undefined;
} {
  const list = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const [room, setRoom] = useState<Room>();
  useLayoutEffect(() => {
    const observed = list.current;
    const letters = probe.current;
    if (observed === null || letters === null) return undefined;
    const observer = new ResizeObserver(() => {
      const { width, height } = letters.getBoundingClientRect();
      const text = letters.parentElement?.clientWidth ?? 0;
      setRoom({ width: text, height: observed.clientHeight, letter: { width: width / probeLetters, height } });
    });
    observer.observe(observed);
    observer.observe(letters);
    return () => {
      observer.disconnect();
    };
  }, []);
  return { list, probe, room };
}

/**
 * Thousands of names: those in sight are drawn, and nothing is made for the others, so that reading, scrolling and
 * searching never wait. Arrow keys, Page Up and Down, Home and End move; where names can be chosen, Space chooses.
 */
export function LongList(props: {
  readonly label: string;
  readonly rows: readonly LongListRow[];
  readonly chosen?: ReadonlySet<string>;
  readonly onChoose?: (chosen: ReadonlySet<string>) => void;
}): ReactNode {
  const { rows, chosen, onChoose } = props;
  const base = useId();
  const { list, probe, room } = useRoom();
  const [scrolled, setScrolled] = useState(0);
  const [activeId, setActiveId] = useState<string>();
  const tops = useMemo(
    () =>
      room === undefined
        ? new Float64Array(1)
        : layOutRows(
            rows.map(({ group, name }) => (group === '' ? 0 : group.length + 1) + name.length),
            room.width,
            room.letter,
            aroundText,
          ),
    [rows, room],
  );
  const height = room?.height ?? 0;
  const drawn = room === undefined ? { from: 0, to: 0 } : rowsToDraw(tops, scrolled, height);
  const active = activeId === undefined ? -1 : rows.findIndex(({ id }) => id === activeId);
  const isOutOfSight = active !== -1 && (active < drawn.from || active >= drawn.to);
  const indices = Array.from({ length: drawn.to - drawn.from }, (_, at) => drawn.from + at);
  const elementId = (index: number): string => `${base}-${String(index)}`;

  const moveTo = (index: number): void => {
    setActiveId(rows[index]?.id);
    const target = scrollToRow(tops, index, scrolled, height);
    setScrolled(target);
    list.current?.scrollTo({ top: target });
  };
  const toggle = (id: string | undefined): void => {
    if (id === undefined || onChoose === undefined) return;
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };
  const press = (event: KeyboardEvent): void => {
    if (rows.length === 0 || event.altKey || event.metaKey) return;
    const next = event.ctrlKey ? undefined : rowAfterKey(event.key, active, tops, height);
    if (next !== undefined) moveTo(next);
    else if (event.key === ' ' && !event.ctrlKey) toggle(rows[active]?.id);
    else if (event.key === 'a' && event.ctrlKey && onChoose !== undefined)
      onChoose(new Set([...(chosen ?? []), ...rows.map(({ id }) => id)]));
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={list}
      className={css('list', onChoose !== undefined && 'choosing')}
      role="listbox"
      aria-label={props.label}
      aria-multiselectable={onChoose === undefined ? undefined : true}
      aria-activedescendant={active === -1 ? undefined : elementId(active)}
      tabIndex={0}
      onScroll={(event) => {
        setScrolled(event.currentTarget.scrollTop);
      }}
      onFocus={() => {
        if (active === -1) setActiveId(rows[drawn.from]?.id);
      }}
      onKeyDown={press}
    >
      <div className={css('whole')} role="presentation" style={{ height: `${String(tops.at(-1) ?? 0)}px` }}>
        <span className={css('ruler')} aria-hidden>
          <span ref={probe}>{'0'.repeat(probeLetters)}</span>
        </span>
        {(isOutOfSight ? [...indices, active] : indices).map((index) => {
          const row = rows[index];
          if (row === undefined) return null;
          const top = tops[index] ?? 0;
          const isChosen = chosen?.has(row.id) === true;
          return (
            <div
              key={row.id}
              id={elementId(index)}
              className={css('row', index === active && 'active', isChosen && 'chosen')}
              role="option"
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              aria-selected={onChoose === undefined ? undefined : isChosen}
              style={{ top: `${String(top)}px`, height: `${String((tops[index + 1] ?? top) - top)}px` }}
              onClick={() => {
                setActiveId(row.id);
                toggle(row.id);
              }}
            >
              {onChoose === undefined ? null : (
                <span className={css('tick')} aria-hidden>
                  {isChosen ? <Check size={14} /> : null}
                </span>
              )}
              {row.group === '' ? null : <span className={css('group')}>{`${row.group}/`}</span>}
              {row.name}
            </div>
          );
        })}
      </div>
    </div>
  );
}
