/**
 * A real Vault for tests: the rehearsal's own server code with a temporary directory around it.
 * Nodes of one cluster share one CA; each has its own port and data.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServerCertificates } from '../../electron/rehearsal/certificates.ts';
import { findVaultBinary } from '../../electron/rehearsal/vault-binary.ts';
import { startVaultNode, type VaultServer } from '../../electron/rehearsal/vault-server.ts';

export { findVaultBinary };

export interface TestVault {
  /** One per node; the first is the one to initialise. */
  readonly addresses: readonly string[];
  readonly address: string;
  /** '' without TLS. */
  readonly caPath: string;
  /** SHA-256 of the server certificate's DER, hex; '' without TLS. */
  readonly certificateSha256: string;
  readonly dataDirectory: string;
  /** Ends every node and removes every file. */
  stop(): Promise<void>;
  /** SIGKILL to one node (or all); files stay. */
  kill(node?: number): Promise<void>;
  /**
   * Ends what still runs and starts all nodes again on the same ports and data: they come up sealed.
   * @param furtherConfiguration from now on, where it is given
   */
  restart(furtherConfiguration?: string): Promise<void>;
  /** As `restart`, one node alone. */
  restartNode(node: number, furtherConfiguration: string): Promise<void>;
}

export interface TestVaultOptions {
  /** Default true. */
  readonly tls?: boolean;
  /** Default raft. */
  readonly storage?: 'raft' | 'inmem';
  /** Default 1; more than one needs raft. Nodes 2… join once the first is initialised and unsealed. */
  readonly nodes?: number;
  /** HCL at the end of the configuration. */
  readonly furtherConfiguration?: string;
}

export async function startVaultServer(options: TestVaultOptions = {}): Promise<TestVault> {
  const binary = await findVaultBinary();
  if (binary === undefined)
    throw new Error('No Vault was found: set VAULT_BIN, put vault on PATH or build it into the cache.');
  const dataDirectory = await mkdtemp(join(tmpdir(), 'key-custodian-vault-'));
  const withTls = options.tls ?? true;
  const caPath = withTls ? join(dataDirectory, 'ca.pem') : '';
  let tls: { certificatePath: string; keyPath: string; caPath: string } | undefined;
  let certificateSha256 = '';
  if (withTls) {
    const made = await createServerCertificates();
    tls = {
      certificatePath: join(dataDirectory, 'server.pem'),
      keyPath: join(dataDirectory, 'server-key.pem'),
      caPath,
    };
    await writeFile(caPath, made.caCertificate);
    await writeFile(tls.certificatePath, made.serverCertificate);
    await writeFile(tls.keyPath, made.serverKey, { mode: 0o600 });
    certificateSha256 = made.serverCertificateSha256;
  }
  const furtherConfigurations = Array.from({ length: options.nodes ?? 1 }, () => options.furtherConfiguration);
  const servers: VaultServer[] = [];
  /** Their ports are kept. */
  const startedFirst: VaultServer[] = [];
  const startNode = async (index: number): Promise<void> => {
    const first = servers[0];
    const before = startedFirst[index];
    const furtherConfiguration = furtherConfigurations[index];
    const started = await startVaultNode({
      binary,
      directory: join(dataDirectory, `node-${index + 1}`),
      storage: options.storage ?? 'raft',
      nodeId: `node-${index + 1}`,
      tls,
      ...(furtherConfiguration === undefined ? {} : { furtherConfiguration }),
      ...(before === undefined
        ? {}
        : { preferredPort: before.port, preferredClusterPort: before.clusterPort, portJustLeft: true }),
      ...(first === undefined || index === 0 ? {} : { joinAddress: first.address }),
    });
    if (!started.ok) {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(dataDirectory, { recursive: true, force: true });
      throw new Error(`${started.error.message} ${JSON.stringify(started.error.details)}`);
    }
    servers[index] = started.value;
    startedFirst[index] ??= started.value;
  };
  const startAll = async (): Promise<void> => {
    servers.length = 0;
    for (const index of furtherConfigurations.keys()) await startNode(index);
  };
  await startAll();
  const addresses = servers.map((server) => server.address);
  return {
    addresses,
    address: addresses[0] ?? '',
    caPath,
    certificateSha256,
    dataDirectory,
    async stop() {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
    },
    async kill(node) {
      await Promise.all(
        servers.filter((_, index) => node === undefined || index === node).map((server) => server.kill()),
      );
    },
    async restart(changed) {
      if (changed !== undefined) furtherConfigurations.fill(changed);
      await Promise.all(servers.map((server) => server.stop()));
      await startAll();
    },
    async restartNode(node, changed) {
      furtherConfigurations[node] = changed;
      await servers[node]?.stop();
      await startNode(node);
    },
  };
}
