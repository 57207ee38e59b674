/** Where the measurements in the app leave their figures for the table. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export const figuresFileName = 'desktop-figures.jsonl';

export interface Figure {
  readonly name:
    | 'tray-milliseconds'
    | 'stall-milliseconds'
    | 'idle-percent'
    | 'idle-renderers'
    | 'device-stall-milliseconds'
    | 'device-frame-milliseconds'
    | 'device-shown-milliseconds'
    | 'device-after-reader-milliseconds'
    | 'device-recovered-milliseconds'
    | 'device-wakeups'
    | 'window-wakeups'
    | 'nodes-listed-milliseconds'
    | 'nodes-stall-milliseconds'
    | 'nodes-frame-milliseconds'
    | 'secrets-listed-milliseconds'
    | 'secrets-stall-milliseconds'
    | 'secrets-frame-milliseconds';
  readonly value: number;
  /** The same by hand or with the rival, in the same unit. */
  readonly byHand?: number;
}

export function keepFigure(figure: Figure): void {
  const directory = process.env['KEY_CUSTODIAN_TEST_OUT'];
  if (directory === undefined) throw new Error('Run this by "npm run bench".');
  mkdirSync(directory, { recursive: true });
  appendFileSync(join(directory, figuresFileName), `${JSON.stringify(figure)}\n`);
}
