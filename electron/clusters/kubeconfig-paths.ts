import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** More files than that are no list that a person keeps. */
const mostPaths = 64;

/**
 * The kubeconfigs in use, in the order in which kubectl reads them: KUBECONFIG's list, else ~/.kube/config.
 * @returns absolute paths, each once; whether the files are there is for whoever reads them
 */
export function kubeconfigPathsIn(environment: NodeJS.ProcessEnv): readonly string[] {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const home = environment['HOME'] ?? '';
  const paths =
    listed.length > 0 ? listed.map((path) => resolve(path)) : [join(home === '' ? homedir() : home, '.kube', 'config')];
  return [...new Set(paths)].slice(0, mostPaths);
}
