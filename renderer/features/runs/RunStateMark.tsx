import type { ReactNode } from 'react';
import type { RunView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { StateMark } from '../../ui/StateMark.tsx';
import { conditionOf } from '../../views/glance.ts';

const marks = {
  working: ['calm', 'loader'],
  waiting: ['warn', 'dot'],
  failed: ['bad', 'stop'],
  completed: ['good', 'check'],
  abandoned: ['mute', 'none'],
} as const;

export function RunStateMark({ run }: { readonly run: RunView }): ReactNode {
  const condition = conditionOf(run);
  const [tone, shape] = marks[condition];
  return (
    <StateMark tone={tone} shape={shape}>
      {text.states.run[condition]}
    </StateMark>
  );
}
