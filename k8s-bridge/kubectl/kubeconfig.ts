/**
 * A kubeconfig file, read as client-go reads it (k8s.io/client-go/tools/clientcmd): lists of named entries, each name
 * once. Text in, entries or a problem in words out; nothing is opened, run or contacted.
 */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

/** Only what decides where requests go and what is run or read for them. Other fields are kubectl's own affair. */
const text = z.string();
const clusterSchema = z.object({
  server: text.nullish(),
  'tls-server-name': text.nullish(),
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'certificate-authority': text.nullish(),
  'certificate-authority-data': text.nullish(),
  'proxy-url': text.nullish(),
});

const execSchema = z.object({
  command: text.nullish(),
  args: z.array(text).nullish(),
  env: z.array(z.object({ name: text, value: text.nullish() })).nullish(),
  apiVersion: text.nullish(),
  interactiveMode: text.nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const userSchema = z.object({
  'client-certificate': text.nullish(),
  'client-certificate-data': text.nullish(),
  'client-key': text.nullish(),
  'client-key-data': text.nullish(),
  token: text.nullish(),
  tokenFile: text.nullish(),
  as: text.nullish(),
  username: text.nullish(),
  password: text.nullish(),
  'auth-provider': z.object({ name: text.nullish(), config: z.record(text, text.nullish()).nullish() }).nullish(),
  exec: execSchema.nullish(),
});

const contextSchema = z.object({ cluster: text.nullish(), user: text.nullish(), namespace: text.nullish() });

const name = text.nullish();

const fileSchema = z.object({
  'current-context': text.nullish(),
  clusters: z.array(z.object({ name, cluster: clusterSchema.nullish() })).nullish(),
  contexts: z.array(z.object({ name, context: contextSchema.nullish() })).nullish(),
  users: z.array(z.object({ name, user: userSchema.nullish() })).nullish(),
});

type Cluster = z.infer<typeof clusterSchema>;
export type KubeconfigUser = z.infer<typeof userSchema>;
type Context = z.infer<typeof contextSchema>;

/** What one file says; the path is where its relative paths count from. */
export interface KubeconfigFile {
  readonly path: string;
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly contexts: ReadonlyMap<string, Context>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
}

/** An entry, and the file that it stands in. */
export interface Placed<Entry> {
  readonly path: string;
  readonly entry: Entry;
}

export interface Kubeconfig {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Placed<Cluster>>;
  readonly contexts: ReadonlyMap<string, Placed<Context>>;
  readonly users: ReadonlyMap<string, Placed<KubeconfigUser>>;
}

export type ParsedKubeconfig =
  | { readonly ok: true; readonly file: KubeconfigFile }
  /** A sentence without a value from the file: those may be credentials. */
  | { readonly ok: false; readonly problem: string };

/**
 * Reads the text of one kubeconfig. Never throws; a problem names a line or a field and never a value.
 * @param path of the file, for the entries
 */
export function parseKubeconfig(path: string, content: string): ParsedKubeconfig {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    return { ok: false, problem: `It is not valid YAML (line ${lines.linePos(error.pos[0]).line.toString()}).` };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    // Aliases that name nothing, or that unfold without end.
    if (cause instanceof ReferenceError || cause instanceof RangeError || cause instanceof TypeError) {
      return { ok: false, problem: 'Its YAML refers to itself in a way that cannot be read.' };
    }
    throw cause;
  }
  const parsed = fileSchema.safeParse(value ?? {});
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))].slice(0, 5).join(', ');
    return {
      ok: false,
      problem: fields === '' ? 'It is not a kubeconfig.' : `These fields are not what a kubeconfig has: ${fields}.`,
    };
  }
  const { clusters, contexts, users, 'current-context': currentContext } = parsed.data;
  const byName = {
    clusters: collect(clusters, (entry) => entry.cluster, {}),
    contexts: collect(contexts, (entry) => entry.context, {}),
    users: collect(users, (entry) => entry.user, {}),
  };
  for (const [kind, entries] of Object.entries(byName)) {
    if (entries === undefined) return { ok: false, problem: `Two entries under “${kind}” have the same name.` };
  }
  return {
    ok: true,
    file: {
      path,
      currentContext: currentContext ?? '',
      clusters: byName.clusters ?? new Map<string, Cluster>(),
      contexts: byName.contexts ?? new Map<string, Context>(),
      users: byName.users ?? new Map<string, KubeconfigUser>(),
    },
  };
}

/** @returns undefined where two have one name, which client-go refuses */
function collect<Item extends { readonly name?: string | null | undefined }, Entry extends object>(
  items: readonly Item[] | null | undefined,
  entryOf: (item: Item) => Entry | null | undefined,
  empty: Entry,
): ReadonlyMap<string, Entry> | undefined {
  const entries = new Map<string, Entry>();
  for (const item of items ?? []) {
    const itemName = item.name ?? '';
    if (entries.has(itemName)) return undefined;
    entries.set(itemName, entryOf(item) ?? empty);
  }
  return entries;
}

/**
 * Several files as one, the way client-go merges them: the first file that has a name has the whole entry, and the
 * first that names a current context decides.
 */
export function mergeKubeconfigs(files: readonly KubeconfigFile[]): Kubeconfig {
  const merge = <Entry>(
    entriesOf: (file: KubeconfigFile) => ReadonlyMap<string, Entry>,
  ): Map<string, Placed<Entry>> => {
    const merged = new Map<string, Placed<Entry>>();
    for (const file of files) {
      for (const [entryName, entry] of entriesOf(file)) {
        if (!merged.has(entryName)) merged.set(entryName, { path: file.path, entry });
      }
    }
    return merged;
  };
  return {
    currentContext: files.find(({ currentContext }) => currentContext !== '')?.currentContext ?? '',
    clusters: merge((file) => file.clusters),
    contexts: merge((file) => file.contexts),
    users: merge((file) => file.users),
  };
}
