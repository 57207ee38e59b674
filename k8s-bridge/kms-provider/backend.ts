/** What keeps the key: a PKCS#11 token or a Transit engine. The service around it knows no more of either. */
import type { Annotations, Sealed } from './grpc/messages.ts';
import type { Outcome, Soon } from './grpc/outcome.ts';

export type Health =
  | { readonly healthy: true; readonly keyId: string }
  | {
      readonly healthy: false;
      /** The last one that was known; '' before there was any. */
      readonly keyId: string;
      /** What is wrong and what to do, in one line. */
      readonly reason: string;
    };

export interface Backend {
  /** Looks at the key itself, brings back what was lost, and finds a newer key. Never fails: it says what is wrong. */
  check(deadline: number): Soon<Health>;
  /** With the key that `check` told last. */
  encrypt(plaintext: Buffer, deadline: number): Soon<Outcome<Sealed>>;
  /** With whichever key the id names. */
  decrypt(sealed: Sealed, deadline: number): Soon<Outcome<Buffer>>;
  close(): Soon<void>;
}

export const noAnnotations: Annotations = new Map();
