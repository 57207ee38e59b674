import { failure, type Failure } from '../workflows/failures.ts';
import type { EtcdPlace } from '../workflows/kms-ports.ts';

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

/** etcd is read with files that a person chose in main's dialogs: no path comes from a window alone. */
export function checkEtcdFiles(
  etcd: EtcdPlace,
  chosenFiles: Pick<ChosenFiles, 'has'>,
): Failure<'Custody_PlanInvalid'> | undefined {
  // Inside its Pod, etcd is read with files of the Pod.
  if ('pod' in etcd) return undefined;
  const { caPath, certificatePath, keyPath } = etcd;
  if ([caPath, certificatePath, keyPath].every((path) => chosenFiles.has(path))) return undefined;
  return failure(
    'Custody_PlanInvalid',
    'A file of this plan was not chosen in this app since it was started.',
    'Choose the certificates of etcd again.',
  ).error;
}
