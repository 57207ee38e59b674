/** Keeps the process small: it runs on every control-plane node, for months. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets its young generation grow to 128 MB under calls whose garbage is gone at once, and keeps it; its old one is
 * collected seldom. From here on the young one stays as large as the start has made it, and the old one is collected
 * sooner. Both flags are read again and again, so that a running program can set them; the largest size itself is not.
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=10');
}
