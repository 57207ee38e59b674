/** What Vault's Kubernetes log-in needs of a cluster: its authority, and a service account's token that never leaves this process unsealed. */
import { z } from 'zod';
import { sealSecret } from '../electron/sealing/sealed.ts';
import { secretPurpose } from '../electron/sealing/schema.ts';
import { failure, success } from '../electron/workflows/failures.ts';
import { handle, type ClusterHostParts, type ClusterHostResult, type Handlers } from './handler.ts';
import { readJson } from './kubectl/read-json.ts';
import { describeRefusal } from './kubectl/refusals.ts';
import { clusterHostRequests, type ClusterHostReply, type ClusterHostRequest } from './protocol.ts';
import { createSecretDoor } from './secret-object.ts';

const requests = clusterHostRequests;
const deadline = 60_000;
/** Kubernetes publishes it in every namespace (root-ca-certificate-publisher). */
const authorityConfigMap = 'kube-root-ca.crt';
const authorityNamespace = 'kube-system';

const configMapSchema = z.object({ data: z.object({ 'ca.crt': z.string().max(100_000) }) });

export function createReviewHandlers({ kubectl }: ClusterHostParts): Handlers<'review.authority' | 'review.token'> {
  const secrets = createSecretDoor(kubectl);

  async function readAuthority({
    pin,
    allowed,
  }: ClusterHostRequest<'review.authority'>): Promise<ClusterHostResult<ClusterHostReply<'review.authority'>>> {
    const answered = await kubectl.run({
      pin,
      allowed,
      onlyReads: true,
      argumentList: ['get', `configmap/${authorityConfigMap}`, `--namespace=${authorityNamespace}`, '--output=json'],
      deadlineMilliseconds: deadline,
    });
    if (!answered.ok) return answered;
    const { exitCode, output, errors } = answered.value;
    if (exitCode !== 0) return { ok: false, error: describeRefusal(errors, pin) };
    const pem = readJson(configMapSchema, output)?.data['ca.crt'];
    return pem?.includes('-----BEGIN CERTIFICATE-----') === true
      ? success({ certificateAuthorityPem: pem })
      : failure(
          'Cluster_UnexpectedReply',
          `The ConfigMap ${authorityConfigMap} in namespace ${authorityNamespace} holds no certificate.`,
          'Give the cluster’s certificate authority as a file.',
          { context: pin.context },
        );
  }

  async function sealToken({
    secret,
    recipient,
    ...where
  }: ClusterHostRequest<'review.token'>): Promise<ClusterHostResult<ClusterHostReply<'review.token'>>> {
    const details = { namespace: secret.namespace, name: secret.name };
    const found = await secrets.find(where, secret);
    if (!found.ok) return found;
    if (found.value === undefined)
      return failure(
        'Cluster_NotFound',
        `There is no Secret “${secret.name}” in namespace “${secret.namespace}”.`,
        'Push the recipe first: it makes the service account and its token.',
        details,
      );
    const token = found.value.data['token'];
    if (found.value.whole['type'] !== 'kubernetes.io/service-account-token' || token === undefined || token === '')
      return failure(
        'Cluster_ValueInvalid',
        `The Secret “${secret.name}” in namespace “${secret.namespace}” has no service account’s token (yet).`,
        'Choose the Secret of the service account that may review tokens; Kubernetes fills it moments after it is made.',
        details,
      );
    return success(
      await sealSecret(recipient, new Uint8Array(Buffer.from(token, 'base64')), secretPurpose.reviewerToken),
    );
  }

  return {
    'review.authority': handle<'review.authority'>(requests['review.authority'].request, readAuthority),
    'review.token': handle<'review.token'>(requests['review.token'].request, sealToken),
  };
}
