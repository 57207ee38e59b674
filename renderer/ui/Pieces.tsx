import { Fragment, useEffect, useRef, type ReactNode } from 'react';
import { ProgressBar } from 'react-aria-components';
import { text, type GlossaryTerm } from '../text/en.ts';
import { inGroups } from '../views/groups.ts';
import { classesOf } from './classes.ts';
import { ShapeIcon, type Shape, type Tone } from './StateMark.tsx';
import { Term } from './Term.tsx';
import { Trail, type TrailStep } from './Trail.tsx';
import styles from './pieces.module.css';

const css = classesOf(styles);

/** A page: its heading takes the focus when the page is opened, so that screen readers begin there. */
export function Page(props: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly marks?: ReactNode;
  readonly actions?: ReactNode;
  /** Where this page hangs, outermost first; none for a page of the navigation. */
  readonly trail?: readonly TrailStep[] | undefined;
  /** Less room between the parts, for a page that has to be seen at once. */
  readonly dense?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  useEffect(() => {
    document.title = `${props.title}: ${text.app.name}`;
  }, [props.title]);
  return (
    <div className={css('page', props.dense === true && 'pageDense')}>
      <header className={css('header')}>
        <div className={css('headerText')}>
          {props.trail === undefined ? null : <Trail label={text.common.trail} steps={props.trail} />}
          <div className={css('titleRow')}>
            <h1 ref={heading} tabIndex={-1}>
              {props.title}
            </h1>
            {props.marks}
          </div>
          {props.lead === undefined ? null : <div className={css('lead')}>{props.lead}</div>}
        </div>
        {props.actions === undefined ? null : <div className={css('actions')}>{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

export function Card(props: {
  readonly title?: string;
  readonly level?: 2 | 3;
  readonly mark?: ReactNode;
  readonly look?: 'plain' | 'danger' | 'accent';
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}): ReactNode {
  const Heading = props.level === 3 ? 'h3' : 'h2';
  return (
    <section
      className={css('card', props.look === 'danger' && 'cardDanger', props.look === 'accent' && 'cardAccent')}
      {...(props.title === undefined ? {} : { 'aria-label': props.title })}
    >
      {props.title === undefined ? null : (
        <div className={css('cardHead')}>
          <Heading>{props.title}</Heading>
          {props.mark}
        </div>
      )}
      {props.children}
      {props.actions === undefined ? null : <div className={css('actions')}>{props.actions}</div>}
    </section>
  );
}

export function Actions({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={css('actions')}>{children}</div>;
}

export function Facts({ children, narrow }: { readonly children: ReactNode; readonly narrow?: boolean }): ReactNode {
  return <dl className={css('facts', narrow === true && 'factsNarrow')}>{children}</dl>;
}

export function Fact(props: {
  readonly name: string;
  readonly term?: GlossaryTerm;
  readonly wide?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={css('fact', props.wide === true && 'wide')}>
      <dt>
        {props.name}
        {props.term === undefined ? null : <Term of={props.term} />}
      </dt>
      <dd>{props.children}</dd>
    </div>
  );
}

export function Mono({ children }: { readonly children: ReactNode }): ReactNode {
  return <span className={css('mono')}>{children}</span>;
}

/** A file's path, broken after its slashes where it has to be broken. */
export function PathText({ path }: { readonly path: string }): ReactNode {
  const parts = path.split(/(?<=[/\\])/u);
  return (
    <span className={css('mono')}>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </span>
  );
}

/** Long hex in groups of eight, so that eyes keep their place; copied and read as one value. */
export function Hash({ value }: { readonly value: string }): ReactNode {
  const groups = value.match(/.{1,8}/gu) ?? [];
  return (
    <span className={css('hash')}>
      {groups.map((group, index) => (
        <span key={index}>{group}</span>
      ))}
    </span>
  );
}

/** A key check value in groups of four, as two people compare it aloud. */
export function CheckValue({ value }: { readonly value: string }): ReactNode {
  return <span className={css('mono', 'checkValue')}>{inGroups(value)}</span>;
}

/** PGP words, four to a row; every other row is set in bold so that readers keep their line. */
export function Words({
  words,
  label,
  narrow,
}: {
  readonly words: readonly string[];
  readonly label: string;
  readonly narrow?: boolean;
}): ReactNode {
  return (
    <ol className={css('words', narrow === true && 'wordsNarrow')} aria-label={label}>
      {words.map((word, index) => (
        <li key={index}>{word}</li>
      ))}
    </ol>
  );
}

export function EmptyState(props: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children: string;
  readonly action?: ReactNode;
}): ReactNode {
  return (
    <div className={css('empty')}>
      <span className={css('emptyIcon')} aria-hidden>
        {props.icon}
      </span>
      <h2>{props.title}</h2>
      <p>{props.children}</p>
      {props.action}
    </div>
  );
}

export function Note({
  tone,
  shape,
  title,
  children,
}: {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly title?: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={css('note', tone)}>
      <ShapeIcon shape={shape} size={18} />
      <div className={css('list')}>
        {title === undefined ? null : <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

export function Items({
  items,
  marks,
  label,
}: {
  readonly items: readonly ReactNode[];
  readonly marks?: 'bullets' | 'numbers';
  readonly label?: string;
}): ReactNode {
  const Element = marks === 'numbers' ? 'ol' : 'ul';
  return (
    <Element
      className={css('list', marks === 'bullets' && 'bulleted', marks === 'numbers' && 'numbered')}
      {...(label === undefined ? {} : { 'aria-label': label })}
    >
      {items.map((item, index) => (
        <li key={index}>{item}</li>
      ))}
    </Element>
  );
}

/** @param fraction 0 to 1; below 0 where it cannot be known */
export function Progress({ label, fraction }: { readonly label: string; readonly fraction: number }): ReactNode {
  const known = fraction >= 0;
  const percent = Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return (
    <ProgressBar className={css('progress')} aria-label={label} value={percent} isIndeterminate={!known}>
      <span className={css('progressText')}>
        <span>{label}</span>
        {known ? <span>{`${String(percent)} %`}</span> : null}
      </span>
      <span className={css('track')} aria-hidden>
        <span
          className={css('fill', !known && 'endless')}
          style={known ? { width: `${String(percent)}%`, display: 'block' } : { display: 'block' }}
        />
      </span>
    </ProgressBar>
  );
}

/** Shares presented of those needed, drawn: one arc piece per share. */
export function Gauge({ progress, threshold }: { readonly progress: number; readonly threshold: number }): ReactNode {
  const pieces = Math.min(threshold, 24);
  const gap = pieces > 1 ? 0.12 : 0;
  const point = (turn: number): string => {
    const angle = Math.PI * (1 + turn);
    return `${(60 + 48 * Math.cos(angle)).toFixed(2)} ${(62 + 48 * Math.sin(angle)).toFixed(2)}`;
  };
  const filled = Math.round((Math.min(progress, threshold) / threshold) * pieces);
  return (
    <div
      className={css('gauge')}
      role="meter"
      aria-label={text.runs.gaugeLabel}
      aria-valuemin={0}
      aria-valuemax={threshold}
      aria-valuenow={Math.min(progress, threshold)}
      aria-valuetext={text.runs.gauge(progress, threshold)}
    >
      <svg viewBox="0 0 120 72" aria-hidden fill="none" strokeWidth="11">
        {Array.from({ length: pieces }, (_, index) => {
          const from = (index + gap / 2) / pieces;
          const to = (index + 1 - gap / 2) / pieces;
          return (
            <path
              key={index}
              className={css(index < filled ? 'gaugeFill' : 'gaugeTrack')}
              d={`M ${point(from)} A 48 48 0 0 1 ${point(to)}`}
            />
          );
        })}
        <text className={css('gaugeNumber')} x="60" y="60" textAnchor="middle" fontSize="22" stroke="none">
          {`${String(progress)} / ${String(threshold)}`}
        </text>
      </svg>
      <span>{text.runs.gauge(progress, threshold)}</span>
    </div>
  );
}
