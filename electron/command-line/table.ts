import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** Columns that fit their widest cell, for a terminal or a file. Cells are made safe to print; the last column is not padded. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
): readonly string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => Array.from(row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - Array.from(cell).length + 2),
      )
      .join('');
  return [style.dim(line(headings)), ...cells.map(line)];
}
