/** Values that are typed at the push: where they go, and what stands for them until then. */
import type { Json, Manifest, SecretValueSlot } from '../../electron/workflows/cluster-ports.ts';
import { findReference, isSecret, mapAt, referenceKey } from './objects.ts';

/** The slots of one Secret. */
export function slotsOf(manifest: Manifest, slots: readonly SecretValueSlot[]): readonly SecretValueSlot[] {
  const reference = findReference(manifest);
  if (reference === undefined || !isSecret(manifest)) return [];
  const key = referenceKey(reference);
  return slots.filter((slot) => referenceKey(slot.reference) === key);
}

/** The Secret with something in every slot. */
export function withSlots(
  manifest: Manifest,
  slots: readonly SecretValueSlot[],
  valueOf: (slot: SecretValueSlot) => string,
): Manifest {
  const own = slotsOf(manifest, slots);
  if (own.length === 0) return manifest;
  const data: Record<string, Json> = { ...mapAt(manifest, 'data') };
  for (const slot of own) data[slot.key] = valueOf(slot);
  return { ...manifest, data };
}

/** For the server, which wants base64, in a dry run. */
export function trialValue(): string {
  return Buffer.from('typed at the push').toString('base64');
}

/** For a person. */
export const slotText = '(typed at the push)';
