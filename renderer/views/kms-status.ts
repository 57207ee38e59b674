/** How KMS plugins stand, in words and marks. Pure. */
import type { ChannelReply } from '../../electron/contract/channels.ts';
import { text } from '../text/en.ts';
import type { Shape, Tone } from '../ui/StateMark.tsx';
import { formatTime } from './times.ts';

const words = text.kmsStatus;

export type KmsStatus = ChannelReply<'kms.status'>;
export type KmsPluginState = KmsStatus['plugins'][number];
type Server = KmsPluginState['servers'][number];
type Key = KmsPluginState['keys'][number];

export interface Mark {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly words: string;
}

export function markOfServer({ reached, healthy }: Server): Mark {
  if (!reached) return { tone: 'warn', shape: 'unplug', words: words.away };
  return healthy
    ? { tone: 'good', shape: 'check', words: words.healthy }
    : { tone: 'bad', shape: 'stop', words: words.unhealthy };
}

const convergenceMarks = {
  yes: { tone: 'good', shape: 'check' },
  no: { tone: 'bad', shape: 'stop' },
  unknown: { tone: 'warn', shape: 'alert' },
} as const;

export function markOfPlugin({ converged }: KmsPluginState): Mark {
  return { ...convergenceMarks[converged], words: words.converged[converged] };
}

/** 'sha256:' and the first digits, enough to tell keys apart; '' stays ''. */
export function shortHash(hash: string): string {
  return hash.slice(0, 'sha256:'.length + 12);
}

export function nameOfKey({ keyId, keyIdHash }: Key): string {
  return keyId === '' ? shortHash(keyIdHash) : keyId;
}

/** The key that a server was told, by its own name where an object names it. */
export function toldKey(plugin: KmsPluginState, server: Server): string {
  const key = plugin.keys.find(({ keyIdHash }) => keyIdHash === server.keyIdHash);
  return key === undefined ? words.never : nameOfKey(key);
}

export function toldAt({ toldAt: seconds }: Server): string {
  return seconds === 0 ? words.never : formatTime(new Date(seconds * 1000).toISOString());
}

export function wroteUnder({ wroteUnder: wrote, keyIdHash }: Server): string {
  if (wrote === '') return words.notWritten;
  return wrote === keyIdHash ? words.same : words.other;
}

export function keysThatMayGo({ keys }: KmsPluginState): number {
  return keys.filter(({ fate }) => fate === 'may-go').length;
}

/** What limits the answer, a sentence each. */
export function limitsOf({ complete, counted, notCounted }: KmsStatus): readonly string[] {
  return [
    ...(complete ? [] : [words.incomplete]),
    counted.length === 0 ? words.nothingCounted : words.counted(counted.join(', ')),
    ...(counted.length > 0 && notCounted.length > 0 ? [words.countMissing(notCounted.join(', '))] : []),
  ];
}
