import type { z } from 'zod';
import { failure, type AppFailureCode, type ClusterFailureCode, type Result } from '../electron/workflows/failures.ts';
import type { Opener } from '../electron/hosts/opener.ts';
import type { Kubectl } from './kubectl/kubectl.ts';
import { type ClusterHostMethod, type ClusterHostReply, type ClusterHostRequest } from './protocol.ts';

/** What handlers share: the one door to kubectl, and the key that sealed values are opened with. */
export interface ClusterHostParts {
  readonly kubectl: Kubectl;
  readonly opener: Opener;
}

export type ClusterHostResult<Value> = Result<Value, ClusterFailureCode | AppFailureCode>;
export type Handler = (body: unknown) => Promise<ClusterHostResult<unknown>>;
export type Handlers<Method extends ClusterHostMethod = ClusterHostMethod> = Readonly<Record<Method, Handler>>;

/** No handler without its schemas: what arrives is parsed before it is looked at, and the reply's type is checked. */
export function handle<Method extends ClusterHostMethod>(
  schema: z.ZodType<ClusterHostRequest<Method>>,
  act: (request: ClusterHostRequest<Method>) => Promise<ClusterHostResult<ClusterHostReply<Method>>>,
): Handler {
  return async (body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return act(parsed.data);
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    return failure(
      'App_BadRequest',
      `The cluster process was asked something malformed (${fields}).`,
      'This is a fault of the app: report it.',
    );
  };
}
