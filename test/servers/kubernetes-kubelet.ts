/**
 * One node of a test cluster with the streaming endpoints of a kubelet, so that kube-apiserver has somebody to proxy
 * `kubectl exec` and `kubectl logs` to. What runs in a container is played by programs and files of this machine.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClusterAuthority } from './kubernetes-certificates.ts';
import { startServerProcess, type ServerProcess } from './kubernetes-processes.ts';
import { findKubelet } from './kubernetes-programs.ts';

const startDeadlineMilliseconds = 30_000;

/** How a container's world is played; read anew for each command. */
export interface ContainerWorld {
  /** What is on a container's PATH, and the program here. */
  readonly programs: Readonly<Record<string, string>>;
  /** Paths and addresses inside, and what stands for them here; replaced wherever they occur in an argument. */
  readonly places: Readonly<Record<string, string>>;
}

export interface Kubelet {
  /** For kube-apiserver: its client certificate, and the authority of the kubelet's. */
  readonly apiServerArguments: readonly string[];
  readonly port: number;
  setWorld(world: ContainerWorld): Promise<void>;
  /** What a container has said; `previous` is the one before its last restart. */
  setLog(
    pod: { readonly namespace: string; readonly name: string; readonly container: string },
    text: string,
    previous?: boolean,
  ): Promise<void>;
  kill(): Promise<void>;
}

export async function startKubelet(directory: string, authority: ClusterAuthority): Promise<Kubelet> {
  const own = join(directory, 'kubelet');
  const logDirectory = join(own, 'logs');
  await mkdir(logDirectory, { recursive: true });
  const store = async (name: string, text: string): Promise<string> => {
    await writeFile(join(own, name), text, { mode: 0o600 });
    return join(own, name);
  };
  const server = await authority.signServer('kubelet');
  const client = await authority.signUser('kube-apiserver-kubelet-client', ['kubeadm:cluster-admins']);
  const paths = {
    authority: await store('authority.pem', authority.certificate),
    certificate: await store('server.pem', server.certificate),
    key: await store('server-key.pem', server.key),
    client: await store('client.pem', client.certificate),
    clientKey: await store('client-key.pem', client.key),
  };
  const configurationPath = join(own, 'configuration.json');
  const setWorld = async (world: ContainerWorld): Promise<void> => {
    const { certificate, key, authority: clientAuthority } = paths;
    const whole = { certificate, key, clientAuthority, logDirectory, ...world };
    await writeFile(configurationPath, JSON.stringify(whole), { mode: 0o600 });
  };
  await setWorld({ programs: {}, places: {} });
  const process: ServerProcess = await startServerProcess(
    await findKubelet(),
    [configurationPath],
    own,
    join(own, 'kubelet.log'),
  );
  const deadline = performance.now() + startDeadlineMilliseconds;
  let port = 0;
  while (port === 0) {
    port = Number(await readFile(`${configurationPath}.port`, 'utf8').catch(() => '0'));
    if (port !== 0) break;
    if (process.hasEnded() || performance.now() > deadline)
      throw new Error(`The kubelet’s streaming part did not start: ${await process.log()}`);
    await wait(20);
  }
  return {
    apiServerArguments: [
      `--kubelet-client-certificate=${paths.client}`,
      `--kubelet-client-key=${paths.clientKey}`,
      `--kubelet-certificate-authority=${paths.authority}`,
      '--kubelet-preferred-address-types=InternalIP',
    ],
    port,
    setWorld,
    async setLog({ namespace, name, container }, text, previous = false) {
      const file = `${namespace}_${name}_${container}${previous ? '.previous' : ''}.log`;
      await writeFile(join(logDirectory, file), text);
    },
    kill: () => process.kill(),
  };
}

/** The node that a kubelet answers for, as it would register it. */
export function nodeOf(name: string, port: number): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'node-role.kubernetes.io/control-plane': '' } },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  };
}

/** What kubeadm makes of etcd: a static Pod with its certificates below /etc/kubernetes/pki/etcd. */
export function etcdPodOf(node: string): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `etcd-${node}`,
      namespace: 'kube-system',
      labels: { component: 'etcd', tier: 'control-plane' },
    },
    spec: {
      nodeName: node,
      hostNetwork: true,
      containers: [
        {
          name: 'etcd',
          image: 'registry.k8s.io/etcd:3.6.4-0',
          command: [
            'etcd',
            '--advertise-client-urls=https://192.0.2.10:2379',
            '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
            '--client-cert-auth=true',
            '--data-dir=/var/lib/etcd',
            '--key-file=/etc/kubernetes/pki/etcd/server.key',
            '--listen-client-urls=https://127.0.0.1:2379,https://192.0.2.10:2379',
            '--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
            '--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
          ],
        },
      ],
    },
  };
}
