/**
 * A validating admission webhook as a cluster's owners run one: an HTTPS server with a certificate of an authority of
 * its own, asked by the real API server (k8s.io/api, admission/v1 AdmissionReview).
 */
import { createServer } from 'node:https';
import { createClusterAuthority } from './kubernetes-certificates.ts';
import type { KubernetesServer } from './kubernetes.ts';

/** What the API server asks about. */
interface ReviewRequest {
  readonly operation: string;
  readonly dryRun?: boolean;
  readonly name: string;
  readonly namespace: string;
  readonly kind: { readonly kind: string };
  readonly object: { readonly data?: Readonly<Record<string, string>> } | null;
}

/** '' lets it in, words refuse it, undefined is no answer at all. */
type Verdict = (request: ReviewRequest) => string | undefined;

export interface AdmissionWebhook {
  readonly requests: readonly ReviewRequest[];
  judge(verdict: Verdict): void;
  /** Has the API server ask this webhook about ConfigMaps and Secrets of a namespace, and waits until it does. */
  register(name: string, namespace: string): Promise<void>;
  remove(name: string): Promise<void>;
  stop(): Promise<void>;
}

function isReview(value: unknown): value is { readonly request: ReviewRequest & { readonly uid: string } } {
  return typeof value === 'object' && value !== null && 'request' in value && typeof value.request === 'object';
}

const probeName = 'webhook-probe';

export async function startAdmissionWebhook(cluster: KubernetesServer): Promise<AdmissionWebhook> {
  const authority = await createClusterAuthority('webhook-authority');
  const { certificate, key } = await authority.signServer('admission-webhook');
  const requests: ReviewRequest[] = [];
  let verdict: Verdict = () => '';
  const server = createServer({ cert: certificate, key }, (asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => {
      const review: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      if (!isReview(review)) throw new Error('Not an AdmissionReview.');
      const { request } = review;
      requests.push(request);
      const words = request.name === probeName ? 'seen' : verdict(request);
      if (words === undefined) return;
      answer.setHeader('content-type', 'application/json');
      answer.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: {
            uid: request.uid,
            allowed: words === '',
            ...(words === '' ? {} : { status: { code: 403, message: words } }),
          },
        }),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The webhook has no port.');
  const { port } = address;
  return {
    requests,
    judge(next) {
      verdict = next;
    },
    async register(name, namespace) {
      const configuration = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name },
        webhooks: [
          {
            name: `${name}.example.test`,
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Fail',
            timeoutSeconds: 1,
            clientConfig: {
              url: `https://127.0.0.1:${port.toString()}/judge`,
              caBundle: Buffer.from(authority.certificate).toString('base64'),
            },
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
            rules: [
              {
                apiGroups: [''],
                apiVersions: ['v1'],
                operations: ['CREATE', 'UPDATE'],
                resources: ['configmaps', 'secrets'],
                scope: 'Namespaced',
              },
            ],
          },
        ],
      };
      await cluster.arrange(['create', '-f', '-'], JSON.stringify(configuration));
      // It is asked a moment after it is there.
      for (let attempt = 0; attempt < 100; attempt += 1) {
        const tried = await cluster.kubectl([
          'create',
          'configmap',
          probeName,
          `--namespace=${namespace}`,
          '--dry-run=server',
        ]);
        if (tried.stderr.includes('denied the request: seen')) return;
      }
      throw new Error('The webhook is never asked.');
    },
    async remove(name) {
      await cluster.arrange(['delete', 'validatingwebhookconfiguration', name]);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
