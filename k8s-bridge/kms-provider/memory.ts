/** Keeps the process small: it runs on every control-plane node, for months. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets its young generation grow to 128 MB under calls whose garbage is gone at once, and keeps it. From here on it
 * stays as large as the start has made it. The flag is read at each growth, so that it can be set by a running program,
 * which the largest size itself cannot.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
