/**
 * Where each row of a long list stands, without drawing it: letters of one width tell how many lines a text takes.
 * Pure; lengths in pixels.
 */

export interface LetterSize {
  /** Of one letter. */
  readonly width: number;
  /** Of one line. */
  readonly height: number;
}

/**
 * @param lengths of each row's text, in letters
 * @param width that a row's text has
 * @param around what a row adds above and below its text, together
 * @returns where each row begins, and at last where the list ends
 */
export function layOutRows(
  lengths: readonly number[],
  width: number,
  letter: LetterSize,
  around: number,
): Float64Array<ArrayBuffer> {
  const perLine = Math.max(1, Math.floor((width + 0.01) / letter.width));
  const tops = new Float64Array(lengths.length + 1);
  let top = 0;
  lengths.forEach((length, index) => {
    tops[index] = top;
    top += Math.max(1, Math.ceil(length / perLine)) * letter.height + around;
  });
  tops[lengths.length] = top;
  return tops;
}

/** The last row that begins at or above a height. */
export function rowAt(tops: Float64Array<ArrayBuffer>, height: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((tops[middle] ?? 0) <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * What is drawn: what is in sight and as much again above and below, so that a turn of the wheel meets no hole.
 * @returns the first row, and the one after the last
 */
export function rowsToDraw(
  tops: Float64Array<ArrayBuffer>,
  scrolled: number,
  height: number,
): { readonly from: number; readonly to: number } {
  const count = tops.length - 1;
  if (count <= 0) return { from: 0, to: 0 };
  return { from: rowAt(tops, scrolled - height), to: Math.min(count, rowAt(tops, scrolled + 2 * height) + 1) };
}

/** How far to scroll so that a row is whole in sight, moving as little as possible. */
export function scrollToRow(tops: Float64Array<ArrayBuffer>, row: number, scrolled: number, height: number): number {
  const top = tops[row] ?? 0;
  const bottom = tops[row + 1] ?? top;
  if (top < scrolled) return top;
  return bottom > scrolled + height ? Math.max(0, bottom - height) : scrolled;
}

/** Where a key leads in a list. @returns undefined for keys that do not move. */
export function rowAfterKey(
  key: string,
  row: number,
  tops: Float64Array<ArrayBuffer>,
  height: number,
): number | undefined {
  const last = Math.max(0, tops.length - 2);
  const top = tops[Math.max(0, row)] ?? 0;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, row + 1);
    case 'ArrowUp':
      return Math.max(0, row - 1);
    case 'PageDown':
      return Math.max(Math.min(last, row + 1), rowAt(tops, top + height));
    case 'PageUp':
      return Math.min(Math.max(0, row - 1), rowAt(tops, Math.max(0, top - height)));
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
