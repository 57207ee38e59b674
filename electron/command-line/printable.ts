/**
 * Text from a token, a server or a file as it may be written to a terminal: control characters, which
 * could move the cursor or fake lines (ECMA-48), and bidirectional overrides are shown as U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
