/** Counts and durations of calls, in Prometheus' text format (prometheus.io, "Exposition formats"). */

/** Upper bounds in seconds: a token answers within the first, a server within the middle, a card within the last. */
const bounds = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export type MethodName = 'status' | 'encrypt' | 'decrypt';

interface Series {
  readonly buckets: number[];
  sum: number;
  count: number;
}

export interface Metrics {
  /** @param status of gRPC */
  count(method: MethodName, status: number, seconds: number): void;
  setHealth(healthy: boolean, keyId: string): void;
  /** @param nowSeconds Unix time */
  text(nowSeconds: number): string;
}

const quoted = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}`;
}

export function createMetrics(startedAtSeconds: number): Metrics {
  const calls = new Map<string, number>();
  const durations = new Map<MethodName, Series>();
  let isHealthy = false;
  let currentKeyId = '';
  let keyChanges = 0;
  const durationLines = ([method, { buckets, sum, count }]: readonly [MethodName, Series]): string[] => {
    let below = 0;
    const name = 'key_custodian_kms_call_duration_seconds';
    return [
      ...bounds.map((bound, index) => {
        below += buckets[index] ?? 0;
        return `${name}_bucket{method="${method}",le="${bound}"} ${below}`;
      }),
      `${name}_bucket{method="${method}",le="+Inf"} ${count}`,
      `${name}_sum{method="${method}"} ${sum}`,
      `${name}_count{method="${method}"} ${count}`,
    ];
  };
  return {
    count: (method, status, seconds) => {
      const name = `method="${method}",code="${status}"`;
      calls.set(name, (calls.get(name) ?? 0) + 1);
      const series = durations.get(method) ?? { buckets: bounds.map(() => 0), sum: 0, count: 0 };
      durations.set(method, series);
      const index = bounds.findIndex((bound) => seconds <= bound);
      if (index >= 0) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
      series.sum += seconds;
      series.count += 1;
    },
    setHealth: (healthy, keyId) => {
      isHealthy = healthy;
      if (currentKeyId !== '' && keyId !== currentKeyId) keyChanges += 1;
      currentKeyId = keyId;
    },
    text: (nowSeconds) =>
      [
        head('key_custodian_kms_healthy', 'gauge', 'Whether the key could be used at the last check.'),
        `key_custodian_kms_healthy ${isHealthy ? 1 : 0}`,
        head('key_custodian_kms_key_info', 'gauge', 'The key that writes; its id is no secret.'),
        ...(currentKeyId === '' ? [] : [`key_custodian_kms_key_info{key_id=${quoted(currentKeyId)}} 1`]),
        head('key_custodian_kms_key_changes_total', 'counter', 'How often another key began to write.'),
        `key_custodian_kms_key_changes_total ${keyChanges}`,
        head('key_custodian_kms_calls_total', 'counter', 'Calls by method and gRPC status code.'),
        ...[...calls].map(([labels, count]) => `key_custodian_kms_calls_total{${labels}} ${count}`),
        head('key_custodian_kms_call_duration_seconds', 'histogram', 'How long calls took, the key included.'),
        ...[...durations].flatMap(durationLines),
        head('process_resident_memory_bytes', 'gauge', 'Resident memory.'),
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
        head('process_start_time_seconds', 'gauge', 'When the provider started, in Unix time.'),
        `process_start_time_seconds ${startedAtSeconds}`,
        head('key_custodian_kms_uptime_seconds', 'gauge', 'How long it has run.'),
        `key_custodian_kms_uptime_seconds ${Math.max(0, nowSeconds - startedAtSeconds)}`,
        '',
      ].join('\n'),
  };
}
