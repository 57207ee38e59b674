import type { ReactNode } from 'react';
import {
  Check,
  CircleAlert,
  CircleDashed,
  CircleDot,
  CircleSlash,
  FlaskConical,
  LoaderCircle,
  Lock,
  LockOpen,
  OctagonAlert,
  TriangleAlert,
  Unplug,
} from 'lucide-react';
import { text } from '../text/en.ts';
import { classesOf } from './classes.ts';
import styles from './pieces.module.css';

const css = classesOf(styles);

const shapes = {
  check: Check,
  alert: TriangleAlert,
  stop: OctagonAlert,
  dot: CircleDot,
  dashed: CircleDashed,
  none: CircleSlash,
  loader: LoaderCircle,
  lock: Lock,
  open: LockOpen,
  unplug: Unplug,
  notice: CircleAlert,
  flask: FlaskConical,
} as const;

export type Shape = keyof typeof shapes;
export type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'mute' | 'practice';

/** A state in words, with a shape and a colour: never the colour alone. */
export function StateMark({
  tone,
  shape,
  children,
}: {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly children: ReactNode;
}): ReactNode {
  const Icon = shapes[shape];
  return (
    <span className={css('state', tone)}>
      <Icon size={14} strokeWidth={2.5} aria-hidden />
      {children}
    </span>
  );
}

export function ShapeIcon({ shape, size }: { readonly shape: Shape; readonly size: number }): ReactNode {
  const Icon = shapes[shape];
  return <Icon size={size} aria-hidden />;
}

export function RehearsalMark(): ReactNode {
  return (
    <StateMark tone="practice" shape="flask">
      {text.common.rehearsal}
    </StateMark>
  );
}

const vaultMarks = {
  looking: ['mute', 'loader'],
  unreachable: ['bad', 'unplug'],
  uninitialized: ['calm', 'dashed'],
  sealed: ['warn', 'lock'],
  unsealed: ['good', 'open'],
} as const;

export function VaultStateMark({ state }: { readonly state: keyof typeof vaultMarks }): ReactNode {
  const [tone, shape] = vaultMarks[state];
  return (
    <StateMark tone={tone} shape={shape}>
      {text.states.vault[state]}
    </StateMark>
  );
}
