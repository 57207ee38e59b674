/**
 * Reads keys of a cluster's etcd through its JSON gateway (etcd, "Why gRPC gateway": /v3/kv/range), with a client
 * certificate. Nothing is ever written.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { z } from 'zod';
import { failure, success, type ClusterFailureCode, type Result } from '../../electron/workflows/failures.ts';
import type { EtcdAccess } from '../../electron/workflows/kms-ports.ts';

type EtcdResult<Value> = Result<Value, ClusterFailureCode>;

const deadlineMilliseconds = 30_000;
/** 200 values of a Secret's largest size, in base64, would be more; a page is then made smaller. */
const replyLimitBytes = 64 * 1024 * 1024;

const rangeReplySchema = z.object({
  kvs: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
  more: z.boolean().default(false),
});

export interface EtcdReader {
  /** Keys from `from` on below `prefix`, with their values, at most `limit`. */
  range(
    from: string,
    prefix: string,
    limit: number,
  ): Promise<
    EtcdResult<{
      readonly entries: readonly { readonly key: string; readonly value: Buffer }[];
      readonly more: boolean;
    }>
  >;
  /** undefined where there is no such key. */
  find(key: string): Promise<EtcdResult<Buffer | undefined>>;
  close(): void;
}

/** The first key that does not begin with the prefix (etcd's range_end). Prefixes here end in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function unreachable(address: string, reason: string): EtcdResult<never> {
  return failure(
    'Cluster_Unreachable',
    `etcd at ${address} could not be read.`,
    'Check its address and that the certificates are those of an etcd client; on kubeadm they lie below /etc/kubernetes/pki/etcd.',
    { address, reason },
  );
}

/** @returns Cluster_Unreachable, with the file where one cannot be read */
export async function openEtcd(access: EtcdAccess): Promise<EtcdResult<EtcdReader>> {
  const files: Buffer[] = [];
  for (const path of [access.caPath, access.certificatePath, access.keyPath]) {
    try {
      files.push(await readFile(path));
    } catch (cause) {
      return unreachable(
        access.address,
        `${path}: ${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'}`,
      );
    }
  }
  const [ca, cert, key] = files;
  let agent: Agent;
  try {
    agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: 2 });
  } catch {
    return unreachable(access.address, 'The certificate and its key do not go together.');
  }

  function ask(body: Record<string, unknown>): Promise<EtcdResult<z.infer<typeof rangeReplySchema>>> {
    return new Promise((resolve) => {
      const url = new URL('/v3/kv/range', access.address);
      const chunks: Buffer[] = [];
      const fail = (reason: string): void => {
        clearTimeout(timer);
        resolve(unreachable(access.address, reason));
      };
      let asked: ReturnType<typeof request>;
      const timer = setTimeout(() => {
        fail('no answer in time');
        asked.destroy();
      }, deadlineMilliseconds);
      try {
        asked = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (response) => {
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            chunks.push(chunk);
            if (length > replyLimitBytes) asked.destroy(new Error('reply too long'));
          });
          response.on('end', () => {
            clearTimeout(timer);
            if (response.statusCode !== 200) {
              resolve(unreachable(access.address, `status ${String(response.statusCode)}`));
              return;
            }
            const text = Buffer.concat(chunks);
            try {
              const parsed = rangeReplySchema.safeParse(JSON.parse(text.toString('utf8')));
              resolve(parsed.success ? success(parsed.data) : unreachable(access.address, 'not etcd’s answer'));
            } catch {
              resolve(unreachable(access.address, 'not JSON'));
            } finally {
              text.fill(0);
            }
          });
        });
      } catch {
        // A key that is none is met when the first connection is made.
        fail('The certificate or its key cannot be used.');
        return;
      }
      asked.on('error', (cause) => {
        fail('code' in cause ? String(cause.code) : 'the connection broke');
      });
      asked.end(JSON.stringify(body));
    });
  }

  return success({
    async range(from, prefix, limit) {
      const reply = await ask({ key: encode(from), range_end: encode(endOf(prefix)), limit });
      if (!reply.ok) return reply;
      const entries = reply.value.kvs.map(({ key: name, value }) => ({
        key: Buffer.from(name, 'base64').toString('utf8'),
        value: Buffer.from(value, 'base64'),
      }));
      return success({ entries, more: reply.value.more });
    },
    async find(name) {
      const reply = await ask({ key: encode(name) });
      if (!reply.ok) return reply;
      const [entry] = reply.value.kvs;
      return success(entry === undefined ? undefined : Buffer.from(entry.value, 'base64'));
    },
    close() {
      agent.destroy();
    },
  });
}
