/**
 * A real Kubernetes API server on a real etcd, for tests: RBAC on, every client with a certificate of the cluster's
 * own CA, free ports, everything in one temporary directory. No controllers, and of a kubelet no more than
 * `exec` and `logs` where they are asked for: a test plays those by patching status. Three seconds to start, 270 MB: one per test file.
 */
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findFreePort } from '../../electron/rehearsal/vault-server.ts';
import { createClusterAuthority, createTokenKeys, type SignedCertificate } from './kubernetes-certificates.ts';
import { etcdPodOf, nodeOf, startKubelet, type Kubelet } from './kubernetes-kubelet.ts';
import { runProgram, startServerProcess, type ProgramOutput, type ServerProcess } from './kubernetes-processes.ts';
import { findKubernetesPrograms } from './kubernetes-programs.ts';
import { custodianRights, limitedRights } from './kubernetes-rights.ts';

const readyDeadlineMilliseconds = 60_000;
const mebibyte = 1_048_576;
const nodeName = 'control-plane-1';

export interface KubernetesOptions {
  /** Paths of manifests with CustomResourceDefinitions: applied, and waited for. */
  readonly crds?: readonly string[];
  /** For kube-apiserver, such as --encryption-provider-config=… */
  readonly extraArguments?: readonly string[];
  /** With a node whose kubelet answers `exec` and `logs`, and an etcd Pod on it as kubeadm makes one. */
  readonly kubelet?: boolean;
}

export interface KubeconfigOptions {
  /** Another way to the same server, such as a proxy's. */
  readonly server?: string;
  /** Default: the user's name. */
  readonly context?: string;
  /** Default: test-cluster. */
  readonly cluster?: string;
  /** Default: none, which kubectl takes for `default`. */
  readonly namespace?: string;
}

export interface KubernetesServer {
  /** https://127.0.0.1:port */
  readonly address: string;
  readonly port: number;
  readonly certificateAuthorityPath: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** Of a user in system:masters. For arranging; the app gets kubeconfigFor's. */
  readonly adminKubeconfig: string;
  /** Gone after stop. */
  readonly directory: string;
  /** The kubectl of the tests, within the skew of the server. */
  readonly kubectlPath: string;
  /** How etcd is reached by one who has its client certificate. */
  readonly etcd: {
    readonly address: string;
    readonly caPath: string;
    readonly certificatePath: string;
    readonly keyPath: string;
  };
  /** Where it was asked for: the node's name and what plays its containers. */
  readonly node: { readonly name: string; readonly kubelet: Kubelet } | undefined;
  /** Writes a kubeconfig with the user's certificate embedded, mode 0600, and answers its path. No rights come with it. */
  kubeconfigFor(user: string, groups?: readonly string[], options?: KubeconfigOptions): Promise<string>;
  /** The kubeconfig of the user `custodian`, who has just the rights that docs/clusters.md lists. */
  custodianKubeconfig(options?: KubeconfigOptions): Promise<string>;
  /** The kubeconfig of the user `limited`, who may look at most things, at no Secret, and change nothing. */
  limitedKubeconfig(options?: KubeconfigOptions): Promise<string>;
  /** As admin unless told otherwise. Never throws for an exit code. */
  kubectl(
    argumentList: readonly string[],
    options?: { readonly input?: string | Uint8Array; readonly kubeconfig?: string },
  ): Promise<ProgramOutput>;
  /** kubectl as admin; throws with its words where it fails. Answers what it printed. */
  arrange(argumentList: readonly string[], input?: string | Uint8Array): Promise<string>;
  /** Removes a namespace, as its controller would: there is none here. */
  removeNamespace(name: string): Promise<void>;
  /** The raw value under a key, such as /registry/secrets/default/x; empty where there is none. */
  etcdGet(key: string): Promise<Buffer>;
  /** Puts a raw value there, behind the API server's back. */
  etcdPut(key: string, value: Uint8Array): Promise<void>;
  /** SIGKILL to the API server: the cluster is away. Data stays. */
  kill(): Promise<void>;
  /** Starts the API server again on the same port and data, with other arguments if any are given. */
  restart(extraArguments?: readonly string[]): Promise<void>;
  /** The same without waiting: the API server may not get ready. */
  begin(extraArguments?: readonly string[]): Promise<void>;
  /**
   * Another API server on the same etcd, as on another node; one at a time, and it ends with the rest.
   * @param hostName what its lease tells: it gets a host name of its own (uts_namespaces(7))
   * @param host where it listens; Kubernetes knows no endpoint with a loopback address
   * @returns its port
   */
  startOnAnotherNode(hostName: string, host: string, extraArguments: readonly string[]): Promise<number>;
  /** That one is gone, and so is its lease. */
  removeOtherNode(hostName: string): Promise<void>;
  /** Ends all and removes every file. */
  stop(): Promise<void>;
}

/** etcd waits for the disk at each write: memory has no such wait. Its log is made 64 MB at a time. */
async function dataDirectoryFor(directory: string): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  if (memory === undefined || memory.bavail * memory.bsize < 1024 * mebibyte) return join(directory, 'etcd');
  return mkdtemp('/dev/shm/key-custodian-etcd-');
}

function kubeconfigText(
  certificateAuthority: string,
  user: string,
  signed: SignedCertificate,
  options: Required<KubeconfigOptions>,
): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  // JSON is YAML, and kubectl reads it.
  const whole = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': options.context,
    clusters: [
      {
        name: options.cluster,
        cluster: { server: options.server, 'certificate-authority-data': encode(certificateAuthority) },
      },
    ],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': encode(signed.certificate), 'client-key-data': encode(signed.key) },
      },
    ],
    contexts: [
      {
        name: options.context,
        context: {
          cluster: options.cluster,
          user,
          ...(options.namespace === '' ? {} : { namespace: options.namespace }),
        },
      },
    ],
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

async function isReady(
  host: string,
  port: number,
  certificateAuthority: string,
  client: SignedCertificate,
): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host,
        port,
        servername: 'localhost',
        path: '/readyz',
        ca: certificateAuthority,
        cert: client.certificate,
        key: client.key,
        agent: false,
        timeout: 2000,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

/** Throws with the end of the server's log where it does not come up. */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<KubernetesServer> {
  const programs = await findKubernetesPrograms();
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-kubernetes-'));
  const dataDirectory = await dataDirectoryFor(directory);
  const authority = await createClusterAuthority('test-cluster');
  const inDirectory = (name: string): string => join(directory, name);
  const store = async (name: string, text: string): Promise<string> => {
    await writeFile(inDirectory(name), text, { mode: 0o600 });
    return inDirectory(name);
  };
  let etcdProcess: ServerProcess | undefined;
  let apiProcess: ServerProcess | undefined;
  let otherApiProcess: ServerProcess | undefined;
  let kubelet: Kubelet | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all([apiProcess?.kill(), otherApiProcess?.kill(), etcdProcess?.kill(), kubelet?.kill()]);
    for (const path of [dataDirectory, directory])
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const serverCertificate = await authority.signServer('kube-apiserver');
    const etcdCertificate = await authority.signServer('etcd');
    const admin = await authority.signUser('admin', ['system:masters']);
    const tokenKeys = await createTokenKeys();
    const paths = {
      ca: await store('ca.pem', authority.certificate),
      server: await store('server.pem', serverCertificate.certificate),
      serverKey: await store('server-key.pem', serverCertificate.key),
      etcd: await store('etcd.pem', etcdCertificate.certificate),
      etcdKey: await store('etcd-key.pem', etcdCertificate.key),
      tokenKey: await store('token-key.pem', tokenKeys.private),
      tokenPublicKey: await store('token-public-key.pem', tokenKeys.public),
    };
    const port = await findFreePort();
    const etcdAddress = `https://127.0.0.1:${await findFreePort()}`;
    const peerAddress = `http://127.0.0.1:${await findFreePort()}`;
    const etcdArguments = [
      '--name=test',
      `--data-dir=${dataDirectory}`,
      `--listen-client-urls=${etcdAddress}`,
      `--advertise-client-urls=${etcdAddress}`,
      `--listen-peer-urls=${peerAddress}`,
      `--initial-advertise-peer-urls=${peerAddress}`,
      `--initial-cluster=test=${peerAddress}`,
      `--cert-file=${paths.etcd}`,
      `--key-file=${paths.etcdKey}`,
      `--trusted-ca-file=${paths.ca}`,
      '--client-cert-auth=true',
      '--log-level=warn',
    ];
    etcdProcess = await startServerProcess(programs.etcd, etcdArguments, directory, inDirectory('etcd.log'));
    if (options.kubelet === true) kubelet = await startKubelet(directory, authority);
    const address = `https://127.0.0.1:${port}`;
    const listenOn = (host: string, on: number): readonly string[] => [`--bind-address=${host}`, `--secure-port=${on}`];
    const apiArguments = [
      `--etcd-servers=${etcdAddress}`,
      `--etcd-cafile=${paths.ca}`,
      `--etcd-certfile=${paths.etcd}`,
      `--etcd-keyfile=${paths.etcdKey}`,
      // Nobody is told of this address (RFC 5737); without one it looks for a network that may not be there.
      '--advertise-address=192.0.2.1',
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.96.0.0/24',
      `--tls-cert-file=${paths.server}`,
      `--tls-private-key-file=${paths.serverKey}`,
      `--client-ca-file=${paths.ca}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${paths.tokenPublicKey}`,
      `--service-account-signing-key-file=${paths.tokenKey}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      // Would refuse every Pod until a controller had made its namespace's ServiceAccount.
      '--disable-admission-plugins=ServiceAccount',
      '--profiling=false',
      ...(kubelet?.apiServerArguments ?? []),
    ];
    const beginApiServer = async (extraArguments: readonly string[]): Promise<ServerProcess> => {
      apiProcess = await startServerProcess(
        programs.apiServer,
        [...apiArguments, ...listenOn('127.0.0.1', port), ...extraArguments],
        directory,
        inDirectory('kube-apiserver.log'),
      );
      return apiProcess;
    };
    const untilReady = async (started: ServerProcess, host: string, on: number): Promise<void> => {
      const deadline = performance.now() + readyDeadlineMilliseconds;
      while (!(await isReady(host, on, authority.certificate, admin))) {
        if (etcdProcess?.hasEnded() === true) throw new Error(`etcd ended: ${await etcdProcess.log()}`);
        if (started.hasEnded()) throw new Error(`kube-apiserver ended: ${await started.log()}`);
        if (performance.now() > deadline) throw new Error(`kube-apiserver is not ready: ${await started.log()}`);
        await wait(100);
      }
    };
    const startApiServer = async (extraArguments: readonly string[]): Promise<void> => {
      await untilReady(await beginApiServer(extraArguments), '127.0.0.1', port);
    };
    await startApiServer(options.extraArguments ?? []);

    let written = 0;
    const kubeconfigFor: KubernetesServer['kubeconfigFor'] = async (user, groups = [], chosen = {}) => {
      written += 1;
      const signed = groups.includes('system:masters') ? admin : await authority.signUser(user, groups);
      const whole = {
        server: chosen.server ?? address,
        context: chosen.context ?? user,
        cluster: chosen.cluster ?? 'test-cluster',
        namespace: chosen.namespace ?? '',
      };
      return store(`kubeconfig-${written}`, kubeconfigText(authority.certificate, user, signed, whole));
    };
    const adminKubeconfig = await kubeconfigFor('admin', ['system:masters']);
    const home = inDirectory('home');
    await mkdir(home);
    const environment = { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };
    const kubectl: KubernetesServer['kubectl'] = async (argumentList, chosen = {}) => {
      const kubeconfig = chosen.kubeconfig ?? adminKubeconfig;
      const { exitCode, stdout, stderr } = await runProgram(
        programs.kubectl,
        [`--kubeconfig=${kubeconfig}`, ...argumentList],
        { environment, ...(chosen.input === undefined ? {} : { input: chosen.input }) },
      );
      return { exitCode, stdout, stderr };
    };
    const arrange: KubernetesServer['arrange'] = async (argumentList, input) => {
      const done = await kubectl(argumentList, input === undefined ? {} : { input });
      if (done.exitCode !== 0) throw new Error(`kubectl ${argumentList.join(' ')}: ${done.stderr}`);
      return done.stdout;
    };
    const etcdctl = async (argumentList: readonly string[], input?: Uint8Array): Promise<Buffer> => {
      const connection = [`--cacert=${paths.ca}`, `--cert=${paths.etcd}`, `--key=${paths.etcdKey}`];
      const done = await runProgram(programs.etcdctl, [`--endpoints=${etcdAddress}`, ...connection, ...argumentList], {
        environment: { ...environment, ETCDCTL_API: '3' },
        ...(input === undefined ? {} : { input }),
      });
      if (done.exitCode !== 0) throw new Error(`etcdctl: ${done.stderr}`);
      return done.bytes;
    };
    for (const path of options.crds ?? []) {
      await arrange(['apply', '--server-side', '-f', path]);
      await arrange(['wait', '--for=condition=Established', '--timeout=30s', '-f', path]);
    }
    const withRights = (user: string, rights: () => Promise<string>): KubernetesServer['custodianKubeconfig'] => {
      let given: Promise<string> | undefined;
      return async (chosen) => {
        given ??= rights().then((text) => arrange(['apply', '--server-side', '-f', '-'], text));
        await given;
        return kubeconfigFor(user, [], chosen);
      };
    };
    if (kubelet !== undefined) {
      await arrange(['create', '-f', '-'], JSON.stringify(nodeOf(nodeName, kubelet.port)));
      await arrange(['create', '-f', '-'], JSON.stringify(etcdPodOf(nodeName)));
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await arrange(
        ['patch', 'pod', `etcd-${nodeName}`, '-n', 'kube-system', '--subresource=status', '--type=merge', '-p'].concat(
          JSON.stringify({ status }),
        ),
      );
      await kubelet.setWorld({
        programs: { etcdctl: programs.etcdctl },
        places: {
          'https://127.0.0.1:2379': etcdAddress,
          '/etc/kubernetes/pki/etcd/server.crt': paths.etcd,
          '/etc/kubernetes/pki/etcd/server.key': paths.etcdKey,
          '/etc/kubernetes/pki/etcd/ca.crt': paths.ca,
        },
      });
    }
    await chmod(directory, 0o711);
    return {
      node: kubelet === undefined ? undefined : { name: nodeName, kubelet },
      address,
      port,
      certificateAuthorityPath: paths.ca,
      certificateAuthority: authority.certificate,
      adminKubeconfig,
      directory,
      kubectlPath: programs.kubectl,
      etcd: { address: etcdAddress, caPath: paths.ca, certificatePath: paths.etcd, keyPath: paths.etcdKey },
      kubeconfigFor,
      custodianKubeconfig: withRights('custodian', custodianRights),
      limitedKubeconfig: withRights('limited', limitedRights),
      kubectl,
      arrange,
      removeNamespace: async (name) => {
        await arrange(['delete', 'namespace', name, '--wait=false']);
        const path = `/api/v1/namespaces/${name}/finalize`;
        const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } };
        await arrange(['replace', '--raw', path, '-f', '-'], JSON.stringify(body));
      },
      etcdGet: async (key) => {
        const bytes = await etcdctl(['get', key, '--print-value-only']);
        // etcdctl ends what it prints with a newline of its own.
        return bytes.subarray(0, Math.max(0, bytes.length - 1));
      },
      etcdPut: async (key, value) => {
        // Without a value among its arguments it takes one from its input.
        await etcdctl(['put', key], value);
      },
      kill: async () => {
        await apiProcess?.kill();
      },
      restart: async (extraArguments) => {
        await apiProcess?.kill();
        await startApiServer(extraArguments ?? options.extraArguments ?? []);
      },
      begin: async (extraArguments) => {
        await apiProcess?.kill();
        await beginApiServer(extraArguments ?? options.extraArguments ?? []);
      },
      startOnAnotherNode: async (hostName, host, extraArguments) => {
        const otherPort = await findFreePort();
        const namespaces = process.getuid?.() === 0 ? ['--uts'] : ['--user', '--map-root-user', '--uts'];
        const named = [...namespaces, 'sh', '-c', 'hostname "$0" && exec "$@"', hostName, programs.apiServer];
        otherApiProcess = await startServerProcess(
          '/usr/bin/unshare',
          [...named, ...apiArguments, ...listenOn(host, otherPort), ...extraArguments],
          directory,
          inDirectory('other-kube-apiserver.log'),
        );
        await untilReady(otherApiProcess, host, otherPort);
        return otherPort;
      },
      removeOtherNode: async (hostName) => {
        await otherApiProcess?.kill();
        await arrange(['delete', 'leases', '--namespace=kube-system', `--selector=kubernetes.io/hostname=${hostName}`]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
