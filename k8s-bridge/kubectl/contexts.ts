/** What a kubeconfig's contexts are, and what using one would run or read besides. From the files alone. */
import { createHash } from 'node:crypto';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { ClusterContext, OutsidePart } from '../../electron/workflows/cluster-ports.ts';
import { findProgram } from './find-kubectl.ts';
import type { KubeconfigUser } from './kubeconfig.ts';
import type { KubeconfigFiles, LoadedKubeconfig } from './kubeconfig-files.ts';

/** What a context comes to; the view leaves out what only kubectl's arguments need. */
export interface ResolvedContext {
  readonly view: ClusterContext;
  /** '' for none. */
  readonly tlsServerName: string;
  /** A program is run for its credentials, which finds its own files by PATH and HOME. */
  readonly runsProgram: boolean;
}

const longestName = 512;
const longestServer = 2048;
const longestDetail = 4096;

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Stable for one context of one list of files, 16 hex digits. */
function idOf(context: string, kubeconfigPaths: readonly string[]): string {
  return sha256(JSON.stringify([context, kubeconfigPaths])).slice(0, 16);
}

const set = (value: string | null | undefined): value is string =>
  value !== undefined && value !== null && value !== '';

/** Strict base64 with its padding, as Go's encoding/json takes it for []byte; line breaks may stand in it. */
function decode(base64: string): Buffer | undefined {
  const compact = base64.replaceAll(/[\r\n]/gu, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/u.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

const isPem = (bytes: Uint8Array, what: string): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(`-----BEGIN ${what}`);

function authenticationOf(user: KubeconfigUser): string {
  const ways = [
    user.exec === undefined || user.exec === null ? '' : 'exec',
    user['auth-provider'] === undefined || user['auth-provider'] === null ? '' : 'auth-provider',
    set(user['client-certificate']) || set(user['client-certificate-data']) ? 'certificate' : '',
    set(user.token) || set(user.tokenFile) ? 'token' : '',
    set(user.username) || set(user.password) ? 'password' : '',
  ].filter((way) => way !== '');
  const way = ways.length === 0 ? 'none' : ways.join(', ');
  return set(user.as) ? `${way}, as ${user.as}` : way;
}

/** Arguments as a person reads them, each that could be misread in quotes; long ones end in a hash of all. */
function describeExec(exec: NonNullable<KubeconfigUser['exec']>): string {
  const words = (exec.args ?? []).map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : JSON.stringify(word)));
  const variables = exec.env ?? [];
  // Variables may hold credentials: a person sees their names, and their values count through a hash.
  const environment =
    variables.length === 0
      ? ''
      : `with ${variables.map(({ name }) => JSON.stringify(name)).join(', ')} (values ${sha256(JSON.stringify(variables)).slice(0, 16)})`;
  const whole = [words.join(' '), environment].filter((part) => part !== '').join(' ');
  return whole.length <= longestDetail ? whole : `${whole.slice(0, longestDetail - 100)}… (in all ${sha256(whole)})`;
}

export interface ContextReader {
  /** Problems with the whole are said by every context. */
  readAll(kubeconfigPaths: readonly string[]): Promise<{
    readonly contexts: readonly ResolvedContext[];
    readonly problems: readonly string[];
  }>;
  /** @returns undefined where the files have no such context */
  readOne(kubeconfigPaths: readonly string[], context: string): Promise<ResolvedContext | undefined>;
}

/** @param path PATH, by which a program without a folder in its name is found */
export function createContextReader(files: KubeconfigFiles, path: string | undefined): ContextReader {
  async function fileParts(
    base: string,
    entries: readonly (readonly [
      field: string,
      value: string | null | undefined,
      inlined: string | null | undefined,
    ])[],
  ): Promise<OutsidePart[]> {
    const parts: OutsidePart[] = [];
    for (const [field, value, inlined] of entries) {
      // What stands in the kubeconfig itself goes before a file.
      if (!set(value) || set(inlined)) continue;
      const filePath = resolve(dirname(base), value);
      parts.push({ kind: 'file', path: filePath, sha256: await files.hash(filePath), detail: field });
    }
    return parts;
  }

  async function execPart(base: string, exec: NonNullable<KubeconfigUser['exec']>): Promise<OutsidePart> {
    const command = exec.command ?? '';
    // client-go: a path is relative to the kubeconfig, a bare name is looked up in PATH.
    const program = isAbsolute(command)
      ? command
      : command.includes('/')
        ? resolve(dirname(base), command)
        : command === ''
          ? undefined
          : await findProgram(command, path);
    return {
      kind: 'exec-program',
      path: program ?? command,
      sha256: program === undefined ? '' : await files.hash(program),
      detail: describeExec(exec),
    };
  }

  function providerPart(provider: NonNullable<KubeconfigUser['auth-provider']>): OutsidePart {
    const settings = Object.entries(provider.config ?? {})
      .filter(([field]) => !/token|expiry|secret/u.test(field))
      .sort(([one], [other]) => (one < other ? -1 : 1));
    return { kind: 'auth-provider', path: provider.name ?? '', sha256: sha256(JSON.stringify(settings)), detail: '' };
  }

  function problemOfUser(user: KubeconfigUser): string {
    for (const field of ['client-certificate', 'client-key'] as const) {
      const data = user[`${field}-data`];
      if (!set(data)) continue;
      if (set(user[field])) return `Its user has ${field} both as a file and in the kubeconfig.`;
      const decoded = decode(data);
      if (decoded === undefined) return `Its user’s ${field}-data is no base64.`;
      const pem = isPem(decoded, field === 'client-key' ? '' : 'CERTIFICATE');
      decoded.fill(0);
      if (!pem) return `Its user’s ${field}-data is not in PEM form.`;
    }
    const certificate = set(user['client-certificate']) || set(user['client-certificate-data']);
    const key = set(user['client-key']) || set(user['client-key-data']);
    if (certificate !== key)
      return `Its user has a client ${certificate ? 'certificate without its key' : 'key without its certificate'}.`;
    const { exec } = user;
    if (exec === undefined || exec === null) return '';
    if (!set(exec.command)) return 'Its user runs a program that has no name.';
    if (exec.interactiveMode === 'Always') return 'Its user’s program wants a terminal, which it cannot have here.';
    if (set(user.token) || set(user.tokenFile)) return 'Its user has a token and a program both.';
    return '';
  }

  function problemOfServer(server: string): string {
    if (server === '') return 'Its cluster has no server.';
    if (server.length > longestServer) return 'Its server’s address is too long.';
    if (!URL.canParse(server)) return 'Its server is no address.';
    const { protocol, username, password } = new URL(server);
    if (protocol !== 'https:' && protocol !== 'http:') return 'Its server is no address that begins with https.';
    if (username !== '' || password !== '') return 'Its server’s address has a password in it.';
    return '';
  }

  async function describe(
    { merged, problems }: LoadedKubeconfig,
    kubeconfigPaths: readonly string[],
    name: string,
  ): Promise<ResolvedContext | undefined> {
    const context = merged.contexts.get(name);
    if (context === undefined) return undefined;
    const clusterName = context.entry.cluster ?? '';
    const userName = context.entry.user ?? '';
    const cluster = merged.clusters.get(clusterName);
    const user = merged.users.get(userName);
    const found: string[] = [...problems];
    if (name.length > longestName || clusterName.length > longestName || userName.length > longestName)
      found.push('One of its names is too long.');
    if (name === '') found.push('It has no name.');
    if (`${name}${clusterName}${userName}`.includes('\0')) found.push('One of its names has a NUL character.');

    const outside: OutsidePart[] = [];
    let caSha256 = '';
    let insecure = false;
    let server = '';
    if (cluster === undefined) {
      found.push(
        clusterName === '' ? 'It names no cluster.' : `There is no cluster “${clusterName}” in the kubeconfig.`,
      );
    } else {
      const { entry, path: base } = cluster;
      server = entry.server ?? '';
      insecure = entry['insecure-skip-tls-verify'] === true || server.startsWith('http:');
      const problem = problemOfServer(server);
      if (problem !== '') found.push(problem);
      const [data, file] = [entry['certificate-authority-data'], entry['certificate-authority']];
      if (entry['insecure-skip-tls-verify'] === true && (set(data) || set(file)))
        found.push('Its cluster has a certificate authority and is told not to look at it.');
      const authority = set(data)
        ? decode(data)
        : set(file)
          ? await files.read(resolve(dirname(base), file))
          : Buffer.alloc(0);
      if (authority === undefined)
        found.push(
          set(data) ? 'Its certificate authority is no base64.' : 'Its certificate authority’s file cannot be read.',
        );
      else if (authority.length > 0 || set(data) || set(file)) {
        caSha256 = sha256(authority);
        if (!isPem(authority, 'CERTIFICATE')) found.push('Its certificate authority is no certificate in PEM form.');
      }
      const verifiedName = entry['tls-server-name'];
      // Whose certificate counts depends on the name as well.
      if (set(verifiedName)) caSha256 = sha256(`${caSha256} ${verifiedName}`);
      outside.push(...(await fileParts(base, [['certificate-authority', file, data]])));
    }
    if (userName !== '' && user === undefined) found.push(`There is no user “${userName}” in the kubeconfig.`);
    if (user !== undefined) {
      const { entry, path: base } = user;
      const problem = problemOfUser(entry);
      if (problem !== '') found.push(problem);
      if (entry.exec !== undefined && entry.exec !== null) {
        const part = await execPart(base, entry.exec);
        if (part.sha256 === '' && part.path !== '')
          found.push(`The program ${part.path}, which gives its credentials, was not found.`);
        outside.push(part);
      }
      const provider = entry['auth-provider'];
      if (provider !== undefined && provider !== null) outside.push(providerPart(provider));
      outside.push(
        ...(await fileParts(base, [
          ['client-certificate', entry['client-certificate'], entry['client-certificate-data']],
          ['client-key', entry['client-key'], entry['client-key-data']],
          ['tokenFile', entry.tokenFile, undefined],
        ])),
      );
    }
    for (const part of outside)
      if (part.kind === 'file' && part.sha256 === '')
        found.push(`The file ${part.path} (${part.detail}) cannot be read.`);

    const shorten = (words: string, length: number): string => (words.length > length ? words.slice(0, length) : words);
    return {
      view: {
        id: idOf(name, kubeconfigPaths),
        context: shorten(name, longestName),
        kubeconfigPaths: [...kubeconfigPaths],
        definedIn: context.path,
        isCurrent: merged.currentContext === name,
        clusterName: shorten(clusterName, longestName),
        server: shorten(server, longestServer),
        caSha256,
        userName: shorten(userName, longestName),
        authentication: shorten(user === undefined ? 'none' : authenticationOf(user.entry), longestName),
        namespace: shorten(context.entry.namespace ?? '', longestName),
        insecure,
        outside: outside.map((part) => ({ ...part, path: shorten(part.path, longestDetail) })),
        problem: shorten(found.join(' '), 2000),
      },
      tlsServerName: cluster?.entry['tls-server-name'] ?? '',
      runsProgram: user?.entry.exec !== undefined && user.entry.exec !== null,
    };
  }

  return {
    async readAll(kubeconfigPaths) {
      const loaded = await files.load(kubeconfigPaths);
      const contexts: ResolvedContext[] = [];
      for (const name of loaded.merged.contexts.keys()) {
        const context = await describe(loaded, kubeconfigPaths, name);
        if (context !== undefined) contexts.push(context);
      }
      return { contexts, problems: loaded.problems };
    },
    async readOne(kubeconfigPaths, context) {
      return describe(await files.load(kubeconfigPaths), kubeconfigPaths, context);
    },
  };
}
