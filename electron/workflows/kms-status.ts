/**
 * What API servers and etcd say of a KMS plugin's keys, judged: whether all servers use the same one, and whether an
 * older one may go. Pure.
 */
import type { ApiServer, ApiServers, StoredCount } from './kms-ports.ts';

/** One API server and this plugin. Times are Unix seconds; 0 for never. */
export interface ServerKeyState {
  readonly name: string;
  readonly address: string;
  readonly reached: boolean;
  readonly healthy: boolean;
  readonly problem: string;
  /** What Status told it last; '' where it knows nothing of this plugin. */
  readonly keyIdHash: string;
  readonly toldAt: number;
  /** Under which key it wrote to etcd last; '' where it has not written since it was started. */
  readonly wroteUnder: string;
  readonly wroteAt: number;
}

/**
 * - current: all servers use it.
 * - in-use: a server uses it, while others use another.
 * - stored: no server uses it, but objects lie under it.
 * - may-go: nothing that was seen needs it.
 * - unknown: not everything that has to be known was seen.
 */
export type KeyFate = 'current' | 'in-use' | 'stored' | 'may-go' | 'unknown';

export interface KeyState {
  readonly keyIdHash: string;
  /** In the clear where an object in etcd names it; else ''. */
  readonly keyId: string;
  /** How many API servers were told this key last. */
  readonly servers: number;
  /** Objects under it in etcd; null where they were not counted. */
  readonly objects: number | null;
  readonly fate: KeyFate;
}

export interface PluginState {
  /** As EncryptionConfiguration names it. */
  readonly provider: string;
  readonly servers: readonly ServerKeyState[];
  /** All servers were reached, are healthy and were told the same key; unknown where one was not reached. */
  readonly converged: 'yes' | 'no' | 'unknown';
  readonly keys: readonly KeyState[];
}

export interface KmsState {
  readonly plugins: readonly PluginState[];
  /** All API servers of the cluster are known, whether they answered or not. */
  readonly complete: boolean;
  /** What was counted in etcd; empty where nothing was. */
  readonly counted: readonly string[];
  /** What a plugin encrypts by the servers' own word, and was not counted. */
  readonly notCounted: readonly string[];
}

/** @param hashOf sha256 of a key id, as the metrics write it: 'sha256:…' */
export function judgeKms(
  { servers, complete }: ApiServers,
  counts: readonly StoredCount[],
  hashOf: (keyId: string) => string,
): KmsState {
  const counted = counts.map(({ resource }) => resource);
  const encrypted = encryptedResources(servers);
  const notCounted = encrypted.filter((resource) => !counted.includes(resource));
  const seen = { complete, counted, notCounted };
  return { ...seen, plugins: providersOf(servers, counts).map((provider) => judge(provider)) };

  function judge(provider: string): PluginState {
    const states = servers.map((server) => serverState(server, provider));
    const told = [...new Set(states.map(({ keyIdHash }) => keyIdHash).filter((key) => key !== ''))];
    const isWhole = complete && states.every(({ reached, keyIdHash }) => reached && keyIdHash !== '');
    const agrees = told.length === 1 && states.every(({ healthy, reached }) => healthy || !reached);
    const converged = told.length > 1 || !agrees ? 'no' : isWhole ? 'yes' : 'unknown';
    const inEtcd = new Map<string, { readonly keyId: string; readonly count: number }>();
    for (const { keyId, count } of underKeys(provider, counts))
      inEtcd.set(hashOf(keyId), { keyId, count: (inEtcd.get(hashOf(keyId))?.count ?? 0) + count });
    const used = servers.flatMap(({ uses }) => uses.filter((use) => use.provider === provider));
    const all = [...new Set([...told, ...used.map(({ keyIdHash }) => keyIdHash), ...inEtcd.keys()])];
    const countsAreWhole = counted.length > 0 && notCounted.length === 0;
    const keys = all.map((keyIdHash): KeyState => {
      const objects = counted.length === 0 ? null : (inEtcd.get(keyIdHash)?.count ?? 0);
      const users = states.filter((state) => state.keyIdHash === keyIdHash).length;
      const fate = (): KeyFate => {
        if (users > 0) return told.length === 1 ? 'current' : 'in-use';
        if (objects !== null && objects > 0) return 'stored';
        return converged === 'yes' && countsAreWhole ? 'may-go' : 'unknown';
      };
      return { keyIdHash, keyId: inEtcd.get(keyIdHash)?.keyId ?? '', servers: users, objects, fate: fate() };
    });
    const order: readonly KeyFate[] = ['current', 'in-use', 'stored', 'unknown', 'may-go'];
    keys.sort((one, other) => order.indexOf(one.fate) - order.indexOf(other.fate));
    return { provider, servers: states, converged, keys };
  }
}

/** What the servers say that their plugins encrypt. */
export function encryptedResources(servers: readonly ApiServer[]): readonly string[] {
  return [...new Set(servers.flatMap(({ resources }) => resources.map(({ resource }) => resource)))].sort();
}

const kmsPrefix = 'kms:v2:';

function providersOf(servers: readonly ApiServer[], counts: readonly StoredCount[]): readonly string[] {
  const used = servers.flatMap(({ uses }) => uses.map(({ provider }) => provider));
  const stored = counts.flatMap(({ under }) =>
    under.flatMap(({ provider }) => (provider.startsWith(kmsPrefix) ? [provider.slice(kmsPrefix.length)] : [])),
  );
  return [...new Set([...used, ...stored])].sort();
}

function underKeys(provider: string, counts: readonly StoredCount[]): readonly { keyId: string; count: number }[] {
  return counts.flatMap(({ under }) => under.filter((one) => one.provider === `${kmsPrefix}${provider}`));
}

function serverState(server: ApiServer, provider: string): ServerKeyState {
  const { name, address, reached, healthy, problem, uses } = server;
  const last = (wanted: ApiServer['uses'][number]['use']): ApiServer['uses'][number] | undefined =>
    uses
      .filter((use) => use.provider === provider && use.use === wanted)
      .reduce<ApiServer['uses'][number] | undefined>(
        (newest, use) => (newest === undefined || use.at > newest.at ? use : newest),
        undefined,
      );
  const told = last('told');
  const wrote = last('wrote');
  return {
    name,
    address,
    reached,
    healthy,
    problem,
    keyIdHash: told?.keyIdHash ?? '',
    toldAt: told?.at ?? 0,
    wroteUnder: wrote?.keyIdHash ?? '',
    wroteAt: wrote?.at ?? 0,
  };
}
