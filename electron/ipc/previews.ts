/** What was previewed, kept in main: a push is planned from this, never from what a window says. */
import { randomUUID } from 'node:crypto';
import type { ClusterPin, PushContent, PushPreview } from '../workflows/cluster-ports.ts';
import type { RecipeInput } from '../workflows/recipes/recipes.ts';

export interface KeptPreview {
  readonly pin: ClusterPin;
  readonly recipe: RecipeInput;
  readonly content: PushContent;
  readonly preview: PushPreview;
}

export interface Previews {
  /** @returns the id under which it is found again */
  keep(preview: KeptPreview): string;
  find(id: string): KeptPreview | undefined;
}

/** A person looks at one and perhaps goes back to the one before. */
const keptAtMost = 8;

export function createPreviews(): Previews {
  const kept = new Map<string, KeptPreview>();
  return {
    keep(preview) {
      const id = `preview-${randomUUID()}`;
      kept.set(id, preview);
      for (const oldest of kept.keys()) {
        if (kept.size <= keptAtMost) break;
        kept.delete(oldest);
      }
      return id;
    },
    find: (id) => kept.get(id),
  };
}
