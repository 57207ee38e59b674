import { z } from 'zod';
import { failureCodes } from '../workflows/failures.ts';

export const failureViewSchema = z.strictObject({
  code: z.enum(failureCodes),
  message: z.string(),
  next: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

export type FailureView = z.infer<typeof failureViewSchema>;
