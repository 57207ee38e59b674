import type { ReactNode } from 'react';
import { ChevronLeft } from 'lucide-react';
import { Link } from 'react-aria-components';
import { useNavigation } from '../stores/navigation-store.ts';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);

export interface TrailStep {
  readonly title: string;
  readonly path: string;
}

/** The way back, above a page's heading: where this page hangs, outermost first. */
export function Trail({ label, steps }: { readonly label: string; readonly steps: readonly TrailStep[] }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <nav aria-label={label} className={css('trail')}>
      <ChevronLeft size={16} aria-hidden />
      <ol>
        {steps.map((step) => (
          <li key={step.path}>
            <Link
              className={css('trailLink')}
              onPress={() => {
                go(step.path);
              }}
            >
              {step.title}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}
