import type { Allowance, OutsidePart } from './cluster-ports.ts';

/**
 * What is remembered of a part that a person allows. A program's arguments belong to it: allowing /bin/sh for one
 * kubeconfig does not allow every line that another one gives to it.
 */
export function toAllowance({ kind, path, sha256, detail }: OutsidePart): Allowance {
  return kind === 'exec-program' ? { kind, path, sha256, detail } : { kind, path, sha256 };
}

/** Parts that no person has allowed as they are now. What is not there cannot be allowed. */
export function partsNotAllowed(
  parts: readonly OutsidePart[],
  allowances: readonly Allowance[],
): readonly OutsidePart[] {
  return parts.filter(
    (part) =>
      part.sha256 === '' ||
      !allowances.some(
        (allowance) =>
          allowance.kind === part.kind &&
          allowance.path === part.path &&
          allowance.sha256 === part.sha256 &&
          (part.kind !== 'exec-program' || allowance.detail === part.detail),
      ),
  );
}
