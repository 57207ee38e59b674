/** The provider put together: configuration, key, socket and health endpoints, from its start to a signal. */
import { failure, success, type Failure, type Result } from '../../electron/workflows/failures.ts';
import type { Backend } from './backend.ts';
import type { KmsConfiguration } from './configuration.ts';
import { createUnaryServer } from './grpc/server.ts';
import { addressText, startHealthServer } from './health-server.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { keepMemorySmall } from './memory.ts';
import { createPinSource } from './pin-source.ts';
import { createTokenBackend } from './pkcs11/token-backend.ts';
import { readConfiguration, type ConfigurationWish } from './read-configuration.ts';
import { createKmsService, limits } from './service.ts';
import { listenOnSocket } from './socket.ts';
import { createTransitBackend } from './transit/transit-backend.ts';

export interface ServeOptions extends ConfigurationWish {
  readonly withDebug: boolean;
  readonly version: string;
  readonly writeLog: (line: string) => void;
}

/** kleidi's, too. */
const longestCallMilliseconds = 10_000;
/** The largest request that keeps to every limit, and room for names. */
const largestRequest = limits.annotations * 2;
/** Between two looks at the key that nobody asked for: /readyz says what the last one found. */
const checkPause = { healthy: 5000, unhealthy: 2000 } as const;
const patienceMilliseconds = 3000;

export interface RunningProvider {
  stop(): Promise<void>;
}

function createBackend(configuration: KmsConfiguration, log: Log): Backend {
  if (configuration.kind === 'transit') return createTransitBackend(configuration, log);
  const pin = createPinSource(configuration, process.env['CREDENTIALS_DIRECTORY']);
  return createTokenBackend(configuration, pin, log);
}

/** Certificates are read at once: without them there is nothing to wait for. */
function openBackend(
  configuration: KmsConfiguration,
  path: string,
  log: Log,
): Result<Backend, 'Kms_ConfigurationInvalid'> {
  try {
    return success(createBackend(configuration, log));
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    return failure(
      'Kms_ConfigurationInvalid',
      `A certificate or key that the configuration names cannot be used (${String(cause.code)}).`,
      'Check the files, and who may read them.',
      { path, ...('path' in cause ? { file: String(cause.path) } : {}) },
    );
  }
}

/** Looks at the key again and again; each look begins after the last one has ended. */
function keepChecking(check: () => Promise<boolean>): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = new AbortController();
  const next = (healthy: boolean): void => {
    if (stop.signal.aborted) return;
    timer = setTimeout(() => void check().then(next), healthy ? checkPause.healthy : checkPause.unhealthy);
  };
  void check().then(next);
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

/**
 * Starts to serve. A token that is away is no failure: Status says so until it is back.
 * Failures: Kms_ConfigurationInvalid, Kms_SocketInUse, Kms_SocketUnusable, Kms_HealthUnavailable.
 */
export async function startProvider(options: ServeOptions): Promise<Result<RunningProvider>> {
  const log = createLog(options.writeLog, options.withDebug);
  const read = readConfiguration(options, process.env);
  if (!read.ok) return read;
  const { configuration, path, warnings } = read.value;
  for (const warning of warnings) log('warning', warning);
  const metrics = createMetrics(Date.now() / 1000);
  const made = openBackend(configuration, path, log);
  if (!made.ok) return made;
  const backend = made.value;
  const service = createKmsService(backend, metrics, log);
  const grpc = createUnaryServer({
    methods: service.methods,
    largestRequest,
    longestCallMilliseconds,
    onProtocolError: (reason) => log('warning', 'A connection broke the protocol.', { reason }),
  });
  const ended = async <Code extends string>(
    error: Failure<Code>,
  ): Promise<{ readonly ok: false; readonly error: Failure<Code> }> => {
    await backend.close();
    return { ok: false, error };
  };
  const socket = await listenOnSocket(grpc.server, {
    path: configuration.listen,
    owner: configuration.socketOwner,
    group: configuration.socketGroup,
  });
  if (!socket.ok) return ended(socket.error);
  const health =
    configuration.health === null
      ? undefined
      : await startHealthServer(configuration.health, { health: () => service.health, metrics });
  if (health?.ok === false) {
    await grpc.close(0);
    socket.value.release();
    return ended(health.error);
  }
  keepMemorySmall();
  const stopChecking = keepChecking(async () => (await service.check()).healthy);
  log('info', 'Serving KMS v2.', {
    socket: configuration.listen,
    ...(health === undefined ? {} : { health: addressText(health.value) }),
    configuration: path,
    version: options.version,
  });
  return success({
    stop: async () => {
      stopChecking();
      health?.value.close();
      await grpc.close(patienceMilliseconds);
      socket.value.release();
      await backend.close();
      log('info', 'Ended.');
    },
  });
}
