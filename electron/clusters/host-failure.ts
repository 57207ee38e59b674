import { z } from 'zod';
import {
  appFailureCodes,
  clusterFailureCodes,
  failure,
  type AppFailureCode,
  type ClusterFailureCode,
  type Failure,
} from '../workflows/failures.ts';

const schema = z.strictObject({
  code: z.enum([...clusterFailureCodes, ...appFailureCodes]),
  message: z.string().max(8000),
  next: z.string().max(4000),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

/** A failure as the cluster host says it; undefined where what came is none. */
export function readFailure(error: unknown): Failure<ClusterFailureCode | AppFailureCode> | undefined {
  const parsed = schema.safeParse(error);
  if (!parsed.success) return undefined;
  const { code, message, next, details } = parsed.data;
  return failure(code, message, next, details).error;
}
