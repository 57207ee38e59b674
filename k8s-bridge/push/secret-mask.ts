/** What of a Secret may be shown: how long a value is, and whether two are the same. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Json, Manifest } from '../../electron/workflows/cluster-ports.ts';
import { isSecret, mapAt } from './objects.ts';

/** Stands for a value that is typed at the push; longer than any value of a Secret, so none can be it. */
export interface SecretMask {
  (value: Json): string;
}

/**
 * A mask with a key of its own, so that what it shows can be compared within one preview and nowhere else, nor
 * guessed at.
 */
export function createSecretMask(): SecretMask {
  const key = randomBytes(32);
  return (value) => {
    if (typeof value !== 'string') return '(hidden)';
    const bytes = Buffer.from(value, 'base64');
    const tag = createHmac('sha256', key).update(bytes).digest('hex').slice(0, 8);
    const text = `(hidden: ${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}, ${tag})`;
    bytes.fill(0);
    return text;
  };
}

/** A Secret without its values; anything else as it is. */
export function maskSecret(manifest: Manifest, mask: SecretMask): Manifest {
  if (!isSecret(manifest)) return manifest;
  const masked: Record<string, Json> = { ...manifest };
  for (const field of ['data', 'stringData']) {
    if (masked[field] === undefined) continue;
    masked[field] = Object.fromEntries(
      Object.entries(mapAt(manifest, field)).map(([key, value]) => [key, mask(value)]),
    );
  }
  return masked;
}

/** Takes the values of Secrets out of what a server said, should it have repeated one. */
export function hideValues(words: string, secrets: readonly Manifest[]): string {
  let hidden = words;
  for (const manifest of secrets) {
    if (!isSecret(manifest)) continue;
    const values = [...Object.values(mapAt(manifest, 'data')), ...Object.values(mapAt(manifest, 'stringData'))];
    for (const value of values) {
      if (typeof value !== 'string' || value.length < 4) continue;
      const decoded = Buffer.from(value, 'base64').toString('utf8');
      for (const form of [value, decoded]) {
        if (form.length >= 3) hidden = hidden.replaceAll(form, '(hidden)');
      }
    }
  }
  return hidden;
}
