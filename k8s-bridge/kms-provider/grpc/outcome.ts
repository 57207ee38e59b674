/** How a call ends: a value, or a gRPC status with words for whoever reads kube-apiserver's log. */

/** gRPC status codes (grpc.io, "Status codes and their use in gRPC"), those that this provider answers or meets. */
export const grpcStatus = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export interface Refused {
  readonly ok: false;
  readonly status: number;
  /** No plaintext, no PIN, no token. */
  readonly words: string;
}
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refused;

export function answered<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function refused(status: Exclude<keyof typeof grpcStatus, 'ok'>, words: string): Refused {
  return { ok: false, status: grpcStatus[status], words };
}

/** What a token answers comes at once; what a server answers does not. */
export type Soon<Value> = Value | Promise<Value>;
