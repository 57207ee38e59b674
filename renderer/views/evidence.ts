/** How facts that steps leave behind are shown. Pure. */
import type { RunView, StepView } from '../../electron/contract/views.ts';
import { evidenceNames } from '../../electron/workflows/evidence-names.ts';
import { text } from '../text/en.ts';

export interface EvidenceLine {
  readonly name: string;
  readonly value: string;
  /** check-value: short hex that is read aloud in groups of four. path: broken anywhere, never in the middle of a glance. */
  readonly kind: 'plain' | 'hash' | 'words' | 'check-value' | 'path';
}

/** The name that transcripts have too, or the field's own made readable: 'trialObject' is 'Trial object'. */
export function evidenceName(field: string): string {
  const known = evidenceNames[field];
  if (known !== undefined) return known;
  const words = field
    .replace(/[-_.]+/gu, ' ')
    .replace(/([a-z0-9])([A-Z])/gu, '$1 $2')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function evidenceLines(step: Pick<StepView, 'evidence'>): readonly EvidenceLine[] {
  return (
    Object.entries(step.evidence)
      // Counts by key have a table of their own.
      .filter(([field, value]) => value !== '' && field !== 'byKey')
      .map(([field, value]) => {
        const shown = typeof value === 'boolean' ? (value ? text.common.yes : text.common.no) : String(value);
        return { name: evidenceName(field), value: shown, kind: kindOf(field, shown) };
      })
  );
}

function kindOf(field: string, shown: string): EvidenceLine['kind'] {
  if (/words$/iu.test(field) && shown.includes(' ')) return 'words';
  if (/checkvalue/iu.test(field) && /^[0-9a-f]{6,32}$/iu.test(shown)) return 'check-value';
  if (/^[0-9a-f]{32,}$/iu.test(shown)) return 'hash';
  return /^(?:file|path|outbox|folder)|(?:File|Path|Folder)$/u.test(field) ? 'path' : 'plain';
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
