/**
 * What kubectl says on stderr, as a failure with a next step. The sentences are those of kubectl 1.30 to 1.35 and of
 * client-go and apimachinery behind it; in what it matches, this table is all that the program knows of them.
 */
import { failure, type ClusterFailureCode, type Failure } from '../../electron/workflows/failures.ts';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';

/** The server's own words, on one line, nothing invisible in them, at most this many characters. */
const longestQuote = 600;

interface Refusal {
  readonly pattern: RegExp;
  readonly code: ClusterFailureCode;
  readonly message: (context: { readonly where: string; readonly match: RegExpExecArray }) => string;
  readonly next: string;
}

const tellAdministrator = 'Show this to whoever looks after the cluster.';

/** In this order: an admission refusal says “Forbidden” as well, a certificate that fails says “Unable to connect”. */
const refusals: readonly Refusal[] = [
  {
    pattern: /tls: failed to verify certificate|x509: |certificate is not trusted|certificate has expired/u,
    code: 'Cluster_CertificateInvalid',
    message: ({ where }) =>
      `The certificate of ${where} could not be verified with the certificate authority in the kubeconfig. Nothing was sent.`,
    next: 'Make sure that it is the right cluster, then get a new kubeconfig from whoever looks after it.',
  },
  {
    pattern:
      /unable to (load root certificates|read (certificate-authority|client-(cert|key)))|tls: (failed to find any PEM data|private key does not match public key|failed to parse)|could not load (PEM|client)/u,
    code: 'Cluster_KubeconfigInvalid',
    message: ({ where }) => `A certificate or key in the kubeconfig for ${where} cannot be used.`,
    next: 'Get a new kubeconfig from whoever looks after the cluster.',
  },
  {
    pattern: /getting credentials: |exec plugin|exec: executable .* (not found|failed)|fork\/exec /u,
    code: 'Cluster_Unauthorized',
    message: ({ where }) => `The program that the kubeconfig names gave no credentials for ${where}.`,
    next: 'Log in with that program in a terminal, then try again.',
  },
  {
    pattern:
      /\(Unauthorized\)|You must be logged in to the server|has asked for the client to provide credentials|remote error: tls: (bad certificate|certificate required|unknown certificate|expired certificate)/u,
    code: 'Cluster_Unauthorized',
    message: ({ where }) => `${where} does not accept the credentials in the kubeconfig.`,
    next: 'They may have expired: log in to the cluster again or get a new kubeconfig.',
  },
  {
    pattern:
      /admission webhook "([^"]{1,200})" denied|failed calling webhook "([^"]{1,200})"|denied request|violates PodSecurity|exceeded quota|denied by (?:the )?(?:[A-Za-z]+Policy|polic)/iu,
    code: 'Cluster_AdmissionRefused',
    message: ({ match }) => {
      const webhook = match[1] ?? match[2];
      return webhook === undefined
        ? 'A rule of the cluster refuses this object.'
        : `The cluster’s admission webhook “${webhook}” refuses this object.`;
    },
    next: 'Change what it refuses, or ask whoever looks after the cluster for an exception.',
  },
  {
    pattern: /cannot ([a-z]+) (?:resource|path) "([^"]{1,300})"/u,
    code: 'Cluster_RightsMissing',
    message: ({ where, match }) =>
      `You may not ${match[1] ?? 'do this to'} ${match[2] ?? 'these objects'} in ${where}.`,
    next: 'Ask whoever looks after the cluster for this right.',
  },
  {
    pattern:
      /no matches for kind "([^"]{1,200})"|doesn't have a resource type "([^"]{1,200})"|resource mapping not found|could not find the requested resource/u,
    code: 'Cluster_KindMissing',
    message: ({ where, match }) => {
      const kind = match[1] ?? match[2];
      return kind === undefined
        ? `${where} does not know this kind of object.`
        : `${where} does not know the kind of object “${kind}”.`;
    },
    next: 'Install what brings it (its custom resource definition) first.',
  },
  {
    pattern:
      /request is too large|RequestEntityTooLarge|Request entity too large|Too long: (may not be more than|must have at most) [0-9]+ bytes|trying to send message larger than max/iu,
    code: 'Cluster_ObjectTooLarge',
    message: () => 'The object is larger than the cluster takes (a Secret: 1 MiB).',
    next: 'Make it smaller, or split it.',
  },
  {
    pattern: /\(Conflict\)|Apply failed with [0-9]+ conflict|the object has been modified|\(AlreadyExists\)/u,
    code: 'Cluster_Conflict',
    message: () => 'Somebody else changed this object meanwhile, or fields of it belong to somebody else.',
    next: 'Look at the preview again.',
  },
  {
    pattern: /\(NotFound\)|namespaces "([^"]{1,253})" not found/u,
    code: 'Cluster_NotFound',
    message: ({ where }) => `${where} does not have what was asked for.`,
    next: 'Check the namespace and the name. A namespace has to be there before anything is put into it.',
  },
  {
    pattern:
      /strict decoding error|unknown field|is invalid: |The [A-Za-z.]+ ".*" is invalid|ValidationError|error validating|\(BadRequest\)|\(Invalid\)|error parsing|error converting YAML/u,
    code: 'Cluster_ObjectInvalid',
    message: () => 'The cluster does not take the object as it is.',
    next: 'Read what it says and change the recipe.',
  },
  {
    pattern:
      /i\/o timeout|TLS handshake timeout|deadline exceeded|Client\.Timeout|\(Timeout\)|timed out waiting|\(ServerTimeout\)/u,
    code: 'Cluster_TimedOut',
    message: ({ where }) => `${where} did not answer in time.`,
    next: 'Check the network or VPN, then try again.',
  },
  {
    pattern:
      /context "[^"]*" does not exist|no context exists|cluster "[^"]*" does not exist|no server found for cluster/u,
    code: 'Cluster_ContextInvalid',
    message: () => 'kubectl does not find the context in the kubeconfig.',
    next: 'Look at the list of clusters again.',
  },
  {
    pattern: /error loading config file|invalid configuration|couldn't get version\/kind; json parse error/u,
    code: 'Cluster_KubeconfigInvalid',
    message: () => 'kubectl cannot read the kubeconfig.',
    next: 'Repair it, or get a new one from whoever looks after the cluster.',
  },
  {
    pattern: /no such host|server misbehaving|Temporary failure in name resolution/u,
    code: 'Cluster_Unreachable',
    message: ({ where }) => `The name of ${where} is not known to the network.`,
    next: 'Check the network or VPN, and the server’s name in the kubeconfig.',
  },
  {
    pattern: /gave HTTP response to HTTPS client|malformed HTTP|first record does not look like a TLS handshake/u,
    code: 'Cluster_Unreachable',
    message: ({ where }) => `What answers at ${where} is no Kubernetes server.`,
    next: 'Check the server’s address in the kubeconfig, and the proxy.',
  },
  {
    pattern:
      /connection refused|was refused|network is unreachable|no route to host|connection reset|host is down|unexpected EOF|: EOF|proxyconnect|Unable to connect to the server|\(ServiceUnavailable\)|\(InternalError\)|\(TooManyRequests\)|currently unable to handle the request|broken pipe|http2: /u,
    code: 'Cluster_Unreachable',
    message: ({ where }) => `${where} cannot be reached or cannot answer now.`,
    next: 'Check that the cluster runs, and the network or VPN, then try again.',
  },
];

/** Printable, on one line, of a length that can be shown. */
export function quote(errors: string): string {
  const line = errors
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/gu, ' ')
    .trim();
  // Not in the middle of a pair of surrogates.
  return line.length > longestQuote ? `${line.slice(0, longestQuote - 1).replace(/[\uD800-\uDBFF]$/u, '')}…` : line;
}

/** How a cluster is named in a sentence. */
export function nameOf(pin: Pick<ClusterPin, 'context' | 'server'>): string {
  return `the cluster of context “${pin.context}” (${pin.server})`;
}

/**
 * The failure that kubectl's words stand for. What it says is kept in `details.serverSaid`, so a caller that sends
 * secret values must not pass on words that could repeat them.
 * @param errors kubectl's stderr
 */
export function describeRefusal(
  errors: string,
  pin: Pick<ClusterPin, 'context' | 'server'>,
): Failure<ClusterFailureCode> {
  const said = quote(errors);
  const where = nameOf(pin);
  const details = { context: pin.context, server: pin.server, serverSaid: said };
  for (const { pattern, code, message, next } of refusals) {
    const match = pattern.exec(errors);
    if (match === null) continue;
    const text = message({ where, match });
    return failure(code, `${text.charAt(0).toUpperCase()}${text.slice(1)}`, next, details).error;
  }
  return failure(
    'Cluster_UnexpectedReply',
    said === '' ? 'kubectl failed without a word.' : `kubectl failed: ${said}`,
    tellAdministrator,
    details,
  ).error;
}
