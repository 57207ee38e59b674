import type { FailureView } from '../../contract/views.ts';
import type { Failure } from '../../workflows/failures.ts';

export function toFailureView(failure: Failure): FailureView {
  const { code, message, next, details } = failure;
  return details === undefined ? { code, message, next } : { code, message, next, details: { ...details } };
}

export function toOptionalFailureView(failure: Failure | undefined): FailureView | null {
  return failure === undefined ? null : toFailureView(failure);
}
