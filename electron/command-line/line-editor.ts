/** What came of one byte. */
export type LineState = 'open' | 'entered' | 'cancelled';

/**
 * One line being typed on a terminal in raw mode, in bytes that can be wiped. Backspace takes back a
 * whole UTF-8 character, Ctrl-U the line; Ctrl-C cancels, as does Ctrl-D on an empty line. Escape
 * sequences (arrow keys, bracketed paste marks) are passed over.
 */
export interface LineEditor {
  /** Takes one byte and says how the line stands. */
  feed(byte: number): LineState;
  /** Length in bytes. */
  readonly length: number;
  /** More was typed than a secret can be long; the line is of no use. */
  readonly overflowed: boolean;
  /** The line in memory of its own; the caller wipes it. The editor's memory is wiped here. */
  take(): Uint8Array<ArrayBuffer>;
  wipe(): void;
}

const enter = new Set([0x0a, 0x0d]);
const erase = new Set([0x08, 0x7f]);
const interrupt = 0x03;
const endOfTransmission = 0x04;
const killLine = 0x15;
const escape = 0x1b;

/** @param capacity bytes that a line may have */
export function createLineEditor(capacity: number): LineEditor {
  const bytes = new Uint8Array(capacity);
  let length = 0;
  let overflowed = false;
  let sequence: 'none' | 'escape' | 'control' = 'none';

  function passOver(byte: number): boolean {
    if (sequence === 'escape') {
      // CSI (ESC [) and SS3 (ESC O) go on; anything else ends with this byte.
      sequence = byte === 0x5b || byte === 0x4f ? 'control' : 'none';
      return true;
    }
    if (sequence === 'control') {
      if (byte >= 0x40 && byte <= 0x7e) sequence = 'none';
      return true;
    }
    return false;
  }

  function eraseCharacter(): void {
    while (length > 0) {
      length -= 1;
      const byte = bytes[length] ?? 0;
      bytes[length] = 0;
      // Continuation bytes are 10xxxxxx (RFC 3629).
      if ((byte & 0xc0) !== 0x80) return;
    }
  }

  const editor: LineEditor = {
    feed: (byte) => {
      if (byte === interrupt) return 'cancelled';
      if (passOver(byte)) return 'open';
      if (enter.has(byte)) return 'entered';
      if (byte === endOfTransmission) return length === 0 ? 'cancelled' : 'open';
      if (byte === escape) sequence = 'escape';
      else if (erase.has(byte)) eraseCharacter();
      else if (byte === killLine) {
        bytes.fill(0);
        length = 0;
        overflowed = false;
      } else if (byte >= 0x20) {
        if (length < capacity) {
          bytes[length] = byte;
          length += 1;
        } else overflowed = true;
      }
      return 'open';
    },
    get length() {
      return length;
    },
    get overflowed() {
      return overflowed;
    },
    take: () => {
      const line = bytes.slice(0, length);
      editor.wipe();
      return line;
    },
    wipe: () => {
      bytes.fill(0);
      length = 0;
      overflowed = false;
      sequence = 'none';
    },
  };
  return editor;
}
