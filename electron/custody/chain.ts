/**
 * One journal record and its place in the hash chain. A line is the canonical JSON of the record
 * (RFC 8785's ordering of members; numbers and strings as JSON.stringify writes them, which for the
 * values used here is the same), so that a change of a single byte anywhere is a change of the record.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

export interface ChainRecord {
  /** Counted from 1. */
  readonly sequence: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  /** `hash` of the record before, 64 zeros for the first. */
  readonly previous: string;
  readonly event: unknown;
  /** SHA-256 over the canonical JSON of the other four members, hex. */
  readonly hash: string;
}

export const chainStart = '0'.repeat(64);

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/u);

export const chainRecordSchema = z.strictObject({
  sequence: z.number().int().positive(),
  at: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u),
  previous: hashSchema,
  event: z.record(z.string(), z.json()),
  hash: hashSchema,
});

/** JSON with the members of every object sorted by UTF-16 code units and no blanks. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** SHA-256 over the canonical JSON of a record without its hash, hex. */
export function hashOfRecord(record: Omit<ChainRecord, 'hash'>): string {
  const { sequence, at, previous, event } = record;
  return createHash('sha256').update(canonicalJson({ sequence, at, previous, event }), 'utf8').digest('hex');
}

/** The next record of a chain. */
export function chainedRecord(sequence: number, at: string, previous: string, event: unknown): ChainRecord {
  return { sequence, at, previous, event, hash: hashOfRecord({ sequence, at, previous, event }) };
}

/** A record as it stands in the file, newline included. */
export function lineOf(record: ChainRecord): string {
  return `${canonicalJson(record)}\n`;
}
