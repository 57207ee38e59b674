/** The KMS v2 provider against a minimal Go plugin on the same SoftHSM key: 32-byte seeds, unix sockets, one Go client. */
import { randomBytes } from 'node:crypto';
import { createKmsPlace, createKmsToken } from '../fixtures/kms-provider.ts';
import { buildGoPrograms, measureCalls, memoryRow, startBundledProvider, startGoPlugin } from './kms-plugins.ts';
import type { MeasurementRow } from './measurement-row.ts';

const rounds = 3;
/** Before the first round: a provider runs for months, and its first second is not what a call costs. */
const warmUpCalls = 1000;
const callsPerRound = 3000;

const at = (sorted: readonly number[], part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
const text = (milliseconds: number): string => `${milliseconds.toFixed(3)} ms`;

function row(what: string, measured: number, rival: number, factor: number): MeasurementRow {
  return {
    what,
    measured: text(measured),
    byHand: `${text(rival)} (Go)`,
    target: `${factor} times`,
    met: measured <= rival * factor,
  };
}

export default async function measureKms(): Promise<readonly MeasurementRow[]> {
  const programs = await buildGoPrograms();
  const token = await createKmsToken();
  token.addKey('kms-key', 1, randomBytes(32));
  const place = await createKmsPlace(token);
  const go = await startGoPlugin(programs, token, place);
  const ours = await startBundledProvider(token, place);
  const rows: MeasurementRow[] = [];
  const atRest = ours.residentMemory();
  try {
    for (const what of ['encrypt', 'decrypt'] as const) {
      for (const inFlight of [1, 16]) {
        const mine: number[] = [];
        const rival: number[] = [];
        for (const plugin of [go, ours]) await measureCalls(programs, plugin, what, inFlight, warmUpCalls);
        // In turns, so that whatever else the machine does falls on both.
        for (let round = 0; round < rounds; round += 1) {
          rival.push(...(await measureCalls(programs, go, what, inFlight, callsPerRound)));
          mine.push(...(await measureCalls(programs, ours, what, inFlight, callsPerRound)));
        }
        for (const sorted of [mine, rival]) sorted.sort((one, other) => one - other);
        const name = `KMS ${what}, ${inFlight} in flight`;
        rows.push(row(`${name}, p50`, at(mine, 0.5), at(rival, 0.5), 1.5));
        rows.push(row(`${name}, p99`, at(mine, 0.99), at(rival, 0.99), 2));
      }
    }
    const status = at(await measureCalls(programs, ours, 'status', 1, callsPerRound), 0.5);
    rows.push({ what: 'KMS Status, p50', measured: text(status), target: '1 ms', met: status < 1 });
    rows.push(memoryRow('KMS provider, resident at rest', atRest));
    rows.push(memoryRow('KMS provider, resident after the calls above', ours.residentMemory()));
  } finally {
    ours.end();
    go.end();
    await place.remove();
    await token.dispose();
  }
  return rows;
}
