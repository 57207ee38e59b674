/** Puts values into a text of JSON without ever making a string of them: strings can not be wiped. */
import { randomUUID } from 'node:crypto';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const padding = 0x3d;

/** RFC 4648, section 4, into bytes. The caller wipes them. */
export function toBase64Bytes(value: Uint8Array): Buffer {
  const encoded = Buffer.alloc(Math.ceil(value.length / 3) * 4, padding);
  for (let from = 0, to = 0; from < value.length; from += 3, to += 4) {
    const left = value.length - from;
    const bits = ((value[from] ?? 0) << 16) | ((value[from + 1] ?? 0) << 8) | (value[from + 2] ?? 0);
    for (let index = 0; index <= Math.min(left, 3); index += 1) {
      encoded[to + index] = alphabet[(bits >> (18 - 6 * index)) & 63] ?? padding;
    }
  }
  return encoded;
}

export interface Filling {
  /** Stands in the text where the value comes. */
  readonly marker: string;
  readonly bytes: Uint8Array;
}

export function newMarker(): string {
  return `slot-${randomUUID()}`;
}

/** @returns the text with every marker replaced by its bytes; the caller wipes it */
export function fillSlots(text: string, fillings: readonly Filling[]): Buffer {
  const template = Buffer.from(text, 'utf8');
  const places = fillings
    .map(({ marker, bytes }) => ({ at: template.indexOf(marker), length: marker.length, bytes }))
    .filter(({ at }) => at >= 0)
    .sort((left, right) => left.at - right.at);
  const grown = places.reduce((sum, place) => sum + place.bytes.length - place.length, template.length);
  const filled = Buffer.alloc(grown);
  let from = 0;
  let to = 0;
  for (const place of places) {
    to += template.copy(filled, to, from, place.at);
    filled.set(place.bytes, to);
    to += place.bytes.length;
    from = place.at + place.length;
  }
  template.copy(filled, to, from);
  return filled;
}
