/**
 * Entry of the cluster host: the only process that runs kubectl, and the one where a PIN for a Secret is opened. What
 * only looks is answered side by side; what changes a cluster is done one after the other.
 */
import { createOpener } from '../electron/hosts/opener.ts';
import { exitOnUncaughtErrors, keepMemoryOutOfCoreDumps, openParentPort } from '../electron/hosts/parent-port.ts';
import { failure } from '../electron/workflows/failures.ts';
import { createContextHandlers } from './context-handlers.ts';
import type { ClusterHostParts, ClusterHostResult, Handlers } from './handler.ts';
import { createKubectl } from './kubectl/create-kubectl.ts';
import {
  clusterHostArguments,
  clusterHostRequests,
  clusterRequestEnvelopeSchema,
  type ClusterHostMethod,
} from './protocol.ts';
import { createKmsHandlers } from './kms/kms-handlers.ts';
import { createPushHandlers } from './push/push-handlers.ts';
import { createReviewHandlers } from './review-handlers.ts';
import { createValueHandlers } from './value-handlers.ts';

/** Everything else may run while other requests do. */
const changing: ReadonlySet<ClusterHostMethod> = new Set([
  'push.prepare',
  'push.apply',
  'push.undo',
  'push.forget-kept',
  'values.write',
  'values.remove',
  'kms.canary',
  'kms.rewrite',
]);

function isMethod(method: string): method is ClusterHostMethod {
  return Object.hasOwn(clusterHostRequests, method);
}

function main(): void {
  exitOnUncaughtErrors();
  keepMemoryOutOfCoreDumps();
  const port = openParentPort();
  const named = process.argv.indexOf(clusterHostArguments.discoveryDirectory);
  const discoveryDirectory = process.argv[named + 1];
  if (port === undefined || named === -1 || discoveryDirectory === undefined) process.exit(64);
  const kubectl = createKubectl({ discoveryDirectory, environment: process.env });
  const parts: ClusterHostParts = { kubectl, opener: createOpener() };
  const handlers: Handlers = {
    ...createContextHandlers(parts),
    ...createValueHandlers(parts),
    ...createPushHandlers(parts),
    ...createKmsHandlers(parts),
    ...createReviewHandlers(parts),
  };
  let changes: Promise<unknown> = Promise.resolve();

  function answer(method: string, body: unknown): Promise<ClusterHostResult<unknown>> {
    if (!isMethod(method)) {
      return Promise.resolve(
        failure('App_BadRequest', 'The cluster host has no such request.', 'This is a fault of the app: report it.'),
      );
    }
    if (!changing.has(method)) return handlers[method](body);
    const changed = changes.then(() => handlers[method](body));
    changes = changed;
    return changed;
  }

  port.onMessage((message) => {
    const envelope = clusterRequestEnvelopeSchema.safeParse(message);
    if (!envelope.success) return;
    const { id, method, body } = envelope.data;
    void answer(method, body).then((result) => {
      port.postMessage(result.ok ? { id, ok: true, value: result.value } : { id, ok: false, error: result.error });
    });
  });
  port.postMessage({ signal: 'ready' });
}

main();
