import { z } from 'zod';
import type { AccessAnswer, AccessNeed, Allowance, ClusterPin } from '../electron/workflows/cluster-ports.ts';
import { failure, success } from '../electron/workflows/failures.ts';
import type { Kubectl, KubectlResult } from './kubectl/kubectl.ts';
import { readJsonSequence } from './kubectl/read-json.ts';
import { describeRefusal } from './kubectl/refusals.ts';

const deadline = 60_000;

const answerSchema = z.object({
  kind: z.literal('SelfSubjectAccessReview'),
  status: z.object({ allowed: z.boolean(), denied: z.boolean().optional(), reason: z.string().optional() }),
});

function toReview(need: AccessNeed): object {
  const attributes = Object.fromEntries(Object.entries(need).filter(([, value]) => value !== ''));
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: attributes },
  };
}

/**
 * Asks the server what one may do: all questions in one run of kubectl (SelfSubjectAccessReview, which changes nothing).
 * @returns an answer for each need, in order. Failures: those of `Kubectl.run` and of a server that does not answer.
 */
export async function checkRights(
  kubectl: Kubectl,
  pin: ClusterPin,
  allowed: readonly Allowance[],
  needs: readonly AccessNeed[],
): Promise<KubectlResult<readonly AccessAnswer[]>> {
  if (needs.length === 0) return success([]);
  const answered = await kubectl.run({
    pin,
    allowed,
    onlyReads: true,
    argumentList: ['create', '--filename=-', '--output=json', '--validate=false'],
    input: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: needs.map(toReview) })),
    deadlineMilliseconds: deadline,
  });
  if (!answered.ok) return answered;
  const { exitCode, output, errors } = answered.value;
  if (exitCode !== 0) return { ok: false, error: describeRefusal(errors, pin) };
  const answers = readJsonSequence(answerSchema, output);
  if (answers?.length !== needs.length)
    return failure(
      'Cluster_UnexpectedReply',
      'The cluster did not answer what you may do there.',
      'Show this to whoever looks after the cluster.',
      { context: pin.context },
    );
  return success(
    needs.flatMap((need, index) => {
      const status = answers[index]?.status;
      return status === undefined
        ? []
        : [{ need, allowed: status.allowed && status.denied !== true, reason: (status.reason ?? '').slice(0, 512) }];
    }),
  );
}
