/** Files that a person chose in main's dialogs: a plan of a window may name these and no others. */
export interface ChosenFiles {
  remember(path: string): void;
  has(path: string): boolean;
}

/** A person chooses a handful; a window that asks for thousands of dialogs is not served by a list that grows. */
const keptAtMost = 64;

export function createChosenFiles(): ChosenFiles {
  const paths = new Set<string>();
  return {
    remember(path) {
      paths.delete(path);
      paths.add(path);
      for (const oldest of paths) {
        if (paths.size <= keptAtMost) break;
        paths.delete(oldest);
      }
    },
    has: (path) => paths.has(path),
  };
}
