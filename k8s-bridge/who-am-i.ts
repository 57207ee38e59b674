import { z } from 'zod';
import type { Allowance, ClusterPin } from '../electron/workflows/cluster-ports.ts';
import { success } from '../electron/workflows/failures.ts';
import type { Kubectl, KubectlResult } from './kubectl/kubectl.ts';
import { describeRefusal } from './kubectl/refusals.ts';
import { readJson } from './kubectl/read-json.ts';

const deadline = 15_000;
const reviewSchema = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

/**
 * Who the server says we are (SelfSubjectReview, Kubernetes 1.28 and later). '' where it does not say.
 * Failures: those of `Kubectl.run`, and Cluster_Unauthorized.
 */
export async function askWhoIAm(
  kubectl: Kubectl,
  pin: ClusterPin,
  allowed: readonly Allowance[],
): Promise<KubectlResult<string>> {
  const answered = await kubectl.runUnchecked({
    pin,
    allowed,
    argumentList: ['auth', 'whoami', '--output=json'],
    deadlineMilliseconds: deadline,
  });
  if (!answered.ok) return answered;
  const { exitCode, output, errors } = answered.value;
  if (exitCode !== 0) {
    const refusal = describeRefusal(errors, pin);
    return refusal.code === 'Cluster_Unauthorized' ? { ok: false, error: refusal } : success('');
  }
  return success((readJson(reviewSchema, output)?.status.userInfo.username ?? '').slice(0, 512));
}
