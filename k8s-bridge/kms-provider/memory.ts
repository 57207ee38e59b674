/** Keeps the process small: it runs on every control-plane node, for months. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets its young generation grow to 128 MB under calls whose garbage is gone at once, and keeps it; its old one is
 * collected seldom. From here on each is kept small. The flags are read again and again, so that a running program can
 * set them; to be set after the start, whose built-in code V8 would otherwise compile anew. Beside them the deployments
 * set malloc to one arena that is given back (`MALLOC_ARENA_MAX`, `MALLOC_TRIM_THRESHOLD_`), which a running program
 * cannot. `npm run bench:kms` holds both. (Without its middle compiler, maglev, V8 would need 5 MB less and every call
 * a quarter of a millisecond more.)
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=10');
}
