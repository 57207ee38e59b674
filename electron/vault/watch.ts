import type { VaultWatch, WatchedNode } from '../core/core.ts';
import type { VaultConnection, VaultPort } from '../workflows/ports.ts';

export interface VaultWatchOptions {
  /** Read anew each round, so servers added and removed are seen. */
  readonly vaults: () => readonly { readonly id: string; readonly connections: readonly VaultConnection[] }[];
  readonly vault: VaultPort;
  /** Milliseconds; 5 s. */
  readonly interval?: number;
}

/**
 * Follows seal status. Nodes are asked in parallel; a round never overlaps the one before; listeners are
 * told only when something is other than before, so an idle watch wakes nobody.
 */
export function createVaultWatch(options: VaultWatchOptions): VaultWatch {
  const nodes = new Map<string, readonly WatchedNode[]>();
  /** Clusters seen unsealed since they were last seen sealed. */
  const seenUnsealed = new Set<string>();
  const listeners = new Set<(change: { readonly newlySealed: readonly string[] }) => void>();
  const interval = options.interval ?? 5_000;
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  const underWay = new Map<string, Promise<void>>();

  function sameAnswer(left: WatchedNode, right: WatchedNode): boolean {
    return left.address === right.address && JSON.stringify(left.result) === JSON.stringify(right.result);
  }

  /** One more sealed node is worth a word, so each node is remembered by itself. */
  function noteSealed(id: string, seen: readonly WatchedNode[]): boolean {
    let newlySealed = false;
    for (const node of seen) {
      if (node.result?.ok !== true || !node.result.value.initialized) continue;
      const key = `${id} ${node.address}`;
      if (!node.result.value.sealed) seenUnsealed.add(key);
      else if (seenUnsealed.delete(key)) newlySealed = true;
    }
    return newlySealed;
  }

  function tell(newlySealed: readonly string[]): void {
    for (const listener of listeners) listener({ newlySealed });
  }

  async function look(id: string, connections: readonly VaultConnection[]): Promise<void> {
    const seen = await Promise.all(
      connections.map(async (connection): Promise<WatchedNode> => {
        const result = await options.vault.sealStatus(connection);
        return { address: connection.address, lastSeen: new Date().toISOString(), result };
      }),
    );
    // Removed while it was being asked.
    if (!options.vaults().some((vault) => vault.id === id)) return;
    const before = nodes.get(id);
    nodes.set(id, seen);
    const newlySealed = noteSealed(id, seen);
    const changed =
      before?.length !== seen.length ||
      seen.some((node, index) => {
        const earlier = before[index];
        return earlier === undefined || !sameAnswer(earlier, node);
      });
    if (changed || newlySealed) tell(newlySealed ? [id] : []);
  }

  async function lookOnce(id: string, connections: readonly VaultConnection[]): Promise<void> {
    const already = underWay.get(id);
    if (already !== undefined) return already;
    const looking = look(id, connections).finally(() => underWay.delete(id));
    underWay.set(id, looking);
    return looking;
  }

  async function round(): Promise<void> {
    const vaults = options.vaults();
    const known = new Set(vaults.map((vault) => vault.id));
    const gone = [...nodes.keys()].filter((id) => !known.has(id));
    for (const id of gone) nodes.delete(id);
    if (gone.length > 0) tell([]);
    await Promise.all(vaults.map((vault) => lookOnce(vault.id, vault.connections)));
  }

  function next(): void {
    void round().finally(() => {
      if (!running) return;
      timer = setTimeout(next, interval);
      timer.unref();
    });
  }

  return {
    nodes,
    async refresh(vaultId) {
      // One that is under way began before whatever the caller did; its answer may be stale.
      await underWay.get(vaultId);
      const vault = options.vaults().find((candidate) => candidate.id === vaultId);
      if (vault !== undefined) await lookOnce(vault.id, vault.connections);
    },
    start() {
      if (running) return;
      running = true;
      next();
    },
    stop() {
      running = false;
      clearTimeout(timer);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
