/** What kubectl says, as a code and plain words. The sentences are kubectl 1.35’s and a 1.34 server’s. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeRefusal, quote } from '../../k8s-bridge/kubectl/refusals.ts';

const pin = { context: 'production', server: 'https://10.0.0.1:6443' };

test.each([
  [
    'Cluster_Unreachable',
    'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?',
  ],
  [
    'Cluster_Unreachable',
    'Unable to connect to the server: dial tcp: lookup gone.example on 10.0.0.2:53: no such host',
  ],
  ['Cluster_Unreachable', 'Unable to connect to the server: http: server gave HTTP response to HTTPS client'],
  [
    'Cluster_Unreachable',
    'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
  ],
  ['Cluster_Unreachable', 'Unable to connect to the server: EOF'],
  ['Cluster_TimedOut', 'Unable to connect to the server: net/http: TLS handshake timeout'],
  ['Cluster_TimedOut', 'Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout'],
  [
    'Cluster_TimedOut',
    'Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  ],
  [
    'Cluster_CertificateInvalid',
    'Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  [
    'Cluster_CertificateInvalid',
    'Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-22T13:00:00Z is after 2025-01-01T00:00:00Z',
  ],
  ['Cluster_KubeconfigInvalid', 'error: tls: private key does not match public key'],
  ['Cluster_KubeconfigInvalid', 'error: unable to load root certificates: unable to parse bytes as PEM block'],
  ['Cluster_Unauthorized', 'error: You must be logged in to the server (Unauthorized)'],
  [
    'Cluster_Unauthorized',
    'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
  ],
  [
    'Cluster_Unauthorized',
    'Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255',
  ],
  [
    'Cluster_RightsMissing',
    'Error from server (Forbidden): secrets "x" is forbidden: User "limited" cannot get resource "secrets" in API group "" in the namespace "default"',
  ],
  [
    'Cluster_RightsMissing',
    'Error from server (Forbidden): forbidden: User "system:anonymous" cannot get path "/version"',
  ],
  [
    'Cluster_AdmissionRefused',
    'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged',
  ],
  [
    'Cluster_AdmissionRefused',
    'Error from server (Forbidden): error when creating "STDIN": secrets "x" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=1, limited: secrets=1',
  ],
  [
    'Cluster_AdmissionRefused',
    'Error from server: error when creating "STDIN": admission webhook "policy.example" denied the request: no',
  ],
  [
    'Cluster_AdmissionRefused',
    'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "policy.example": failed to call webhook: Post "https://policy.default.svc:443/": dial tcp 10.0.0.9:443: connect: connection refused',
  ],
  [
    'Cluster_AdmissionRefused',
    "The configmaps \"x\" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: false",
  ],
  [
    'Cluster_KindMissing',
    'error: resource mapping not found for name: "vault" namespace: "default" from "STDIN": no matches for kind "Vault" in version "vault.banzaicloud.com/v1alpha1"\nensure CRDs are installed first',
  ],
  ['Cluster_KindMissing', 'error: the server doesn\'t have a resource type "vaults"'],
  ['Cluster_NotFound', 'Error from server (NotFound): error when creating "STDIN": namespaces "gone" not found'],
  [
    'Cluster_Conflict',
    'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on secrets "x": the object has been modified; please apply your changes to the latest version and try again',
  ],
  ['Cluster_Conflict', 'error: Apply failed with 1 conflict: conflict with "helm" using apps/v1: .spec.replicas'],
  ['Cluster_ObjectTooLarge', 'The Secret "x" is invalid: data: Too long: may not be more than 1048576 bytes'],
  [
    'Cluster_ObjectTooLarge',
    'Error from server (RequestEntityTooLarge): error when creating "STDIN": Request entity too large: limit is 3145728',
  ],
  [
    'Cluster_ObjectInvalid',
    'Error from server (BadRequest): error when creating "STDIN": Vault in version "v1alpha1" cannot be handled as a Vault: strict decoding error: unknown field "spec.x"',
  ],
  [
    'Cluster_ObjectInvalid',
    'The ConfigMap "X" is invalid: metadata.name: Invalid value: "X": a lowercase RFC 1123 subdomain must consist of lower case',
  ],
  ['Cluster_ContextInvalid', 'error: context "gone" does not exist'],
  [
    'Cluster_KubeconfigInvalid',
    'error: error loading config file "/x": yaml: line 1: did not find expected node content',
  ],
  ['Cluster_UnexpectedReply', 'error: something that nobody has seen before'],
  ['Cluster_UnexpectedReply', ''],
])('%s: %s', (code, errors) => {
  const failure = describeRefusal(errors, pin);
  expect(failure.code).toBe(code);
  expect(failure.message).toMatch(/^\S.*[.\w]$/u);
  expect(failure.next).toMatch(/\.$/u);
  expect(failure.details).toMatchObject({ context: 'production', server: pin.server, serverSaid: quote(errors) });
});

describe('the words', () => {
  test('name what is missing', () => {
    const forbidden =
      'Error from server (Forbidden): secrets "x" is forbidden: User "a" cannot patch resource "secrets"';
    expect(describeRefusal(forbidden, pin).message).toContain('You may not patch secrets in the cluster of context');
    expect(describeRefusal('admission webhook "policy.example" denied the request: no', pin).message).toContain(
      'policy.example',
    );
    expect(describeRefusal('no matches for kind "Vault" in version "v1"', pin).message).toContain('“Vault”');
  });

  test('of a server are shown on one line, of a length that can be shown, with nothing invisible in them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1500 }), (errors) => {
        const failure = describeRefusal(errors, pin);
        const said = String(failure.details?.['serverSaid']);
        expect(said.length).toBeLessThanOrEqual(600);
        expect(said).not.toMatch(/[\p{Cc}\u202E\u2028]/u);
        expect(failure.message).not.toMatch(/[\p{Cc}\u202E\u2028]/u);
      }),
      { numRuns: 40 },
    );
  });
});
