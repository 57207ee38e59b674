import { z } from 'zod';
import {
  appFailureCodes,
  clusterFailureCodes,
  type AppFailureCode,
  type ClusterFailureCode,
  type Failure,
} from '../workflows/failures.ts';

/** A failure as the cluster host says it. */
export const clusterHostFailureSchema: z.ZodType<Failure<ClusterFailureCode | AppFailureCode>> = z.strictObject({
  code: z.enum([...clusterFailureCodes, ...appFailureCodes]),
  message: z.string().max(8000),
  next: z.string().max(4000),
  details: z.exactOptional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
});
