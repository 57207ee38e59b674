/** How facts that steps leave behind are shown. Pure. */
import type { RunView, StepView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';

export interface EvidenceLine {
  readonly name: string;
  readonly value: string;
  readonly kind: 'plain' | 'hash' | 'words';
}

const names: Readonly<Record<string, string>> = text.evidence;

/** A name from the catalogue, or the field's own made readable: 'trialObject' is 'Trial object'. */
export function evidenceName(field: string): string {
  const known = names[field];
  if (known !== undefined) return known;
  const words = field
    .replace(/[-_.]+/gu, ' ')
    .replace(/([a-z0-9])([A-Z])/gu, '$1 $2')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function evidenceLines(step: Pick<StepView, 'evidence'>): readonly EvidenceLine[] {
  return Object.entries(step.evidence)
    .filter(([, value]) => value !== '')
    .map(([field, value]) => {
      const shown = typeof value === 'boolean' ? (value ? text.common.yes : text.common.no) : String(value);
      const kind =
        /words$/iu.test(field) && shown.includes(' ') ? 'words' : /^[0-9a-f]{32,}$/iu.test(shown) ? 'hash' : 'plain';
      return { name: evidenceName(field), value: shown, kind };
    });
}

/** How many shares of how many were presented, as the latest step says; undefined where none does. */
export function shareProgress(run: RunView): { readonly progress: number; readonly threshold: number } | undefined {
  if (run.workflow !== 'unseal') return undefined;
  let progress: number | undefined;
  let threshold: number | undefined;
  for (const step of run.steps) {
    const { progress: noted, threshold: needed } = step.evidence;
    if (typeof noted === 'number') progress = noted;
    if (typeof needed === 'number' && needed > 0) threshold = needed;
  }
  if (threshold === undefined) return undefined;
  // Vault sets its counter back to 0 when it opens; the run being complete says that all were presented.
  return { progress: run.status === 'completed' ? threshold : (progress ?? 0), threshold };
}
