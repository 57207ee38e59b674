/**
 * What is set up inside a Vault with an administrator's token: looked at, made where it is missing, looked at again.
 * The token is held here for one run and leaves in one header only. Paths are as Vault 1.21 and OpenBao 2.6 have them.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Opener } from '../hosts/opener.ts';
import type { SealedSecret } from '../sealing/sealed.ts';
import { secretPurpose } from '../sealing/schema.ts';
import { describeStatus, notJson, parseJson, unexpectedReply } from '../vault/replies.ts';
import type { VaultTransport } from '../vault/transport.ts';
import { failure, success, type AppFailureCode, type Result, type VaultFailureCode } from '../workflows/failures.ts';
import type { VaultConnection } from '../workflows/ports.ts';
import type { FoundInVault, WantedInVault } from '../workflows/vault-setup-ports.ts';

type SetUpResult<Value> = Result<Value, VaultFailureCode | AppFailureCode>;

const callDeadline = 15_000;

interface Session {
  readonly connection: VaultConnection;
  readonly namespace: string;
  /** As node:http wants it, a string; it ends with the process. */
  readonly token: string;
}

interface Reply {
  readonly status: number;
  /** `data` of the reply, or the reply; undefined where there is none. */
  readonly data: unknown;
}

const dataSchema = z.object({ data: z.record(z.string(), z.unknown()) });

const transitKeySchema = z.object({
  type: z.string(),
  exportable: z.boolean(),
  deletion_allowed: z.boolean(),
  allow_plaintext_backup: z.boolean(),
  latest_version: z.number().int(),
});
const policySchema = z.object({ policy: z.string() });
const mountSchema = z.object({ type: z.string() });
const kubernetesConfigSchema = z.object({
  kubernetes_host: z.string(),
  kubernetes_ca_cert: z.string(),
  token_reviewer_jwt_set: z.boolean().default(false),
  disable_local_ca_jwt: z.boolean().default(false),
});
const roleSchema = z.object({
  bound_service_account_names: z.array(z.string()),
  bound_service_account_namespaces: z.array(z.string()),
  audience: z.string().nullish(),
  token_policies: z.array(z.string()),
  token_ttl: z.number(),
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((entry) => other.includes(entry));

const missing: FoundInVault = { state: 'missing', differs: [], facts: {} };

function found(differs: readonly (string | false)[], facts: FoundInVault['facts']): FoundInVault {
  const names = differs.filter((name) => name !== false);
  return { state: names.length === 0 ? 'same' : 'different', differs: names, facts };
}

/** Where each thing is read and written. */
function pathOf(wanted: WantedInVault): string {
  switch (wanted.kind) {
    case 'transit-engine':
      return `sys/mounts/${wanted.mount}`;
    case 'transit-key':
      return `${wanted.mount}/keys/${wanted.name}`;
    case 'policy':
      return `sys/policies/acl/${wanted.name}`;
    case 'kubernetes-auth':
      return `sys/auth/${wanted.mount}`;
    case 'kubernetes-config':
      return `auth/${wanted.mount}/config`;
    case 'kubernetes-role':
      return `auth/${wanted.mount}/role/${wanted.name}`;
  }
}

/** Compares what Vault says with what is wanted; undefined for a reply of another form. */
function compare(wanted: WantedInVault, data: unknown): FoundInVault | undefined {
  switch (wanted.kind) {
    case 'transit-engine':
    case 'kubernetes-auth': {
      const reply = mountSchema.safeParse(data);
      const type = wanted.kind === 'transit-engine' ? 'transit' : 'kubernetes';
      return reply.success ? found([reply.data.type !== type && 'type'], { mount: wanted.mount }) : undefined;
    }
    case 'transit-key': {
      const reply = transitKeySchema.safeParse(data);
      if (!reply.success) return undefined;
      const key = reply.data;
      return found(
        [
          key.type !== 'aes256-gcm96' && 'type',
          key.exportable && 'exportable',
          key.deletion_allowed && 'deletion_allowed',
          key.allow_plaintext_backup && 'allow_plaintext_backup',
        ],
        {
          keyType: key.type,
          keyVersion: key.latest_version,
          exportable: key.exportable,
          deletable: key.deletion_allowed,
        },
      );
    }
    case 'policy': {
      const reply = policySchema.safeParse(data);
      if (!reply.success) return undefined;
      const same = reply.data.policy.trim() === wanted.text.trim();
      return found([!same && 'policy'], { policySha256: sha256(reply.data.policy) });
    }
    case 'kubernetes-config': {
      const reply = kubernetesConfigSchema.safeParse(data);
      if (!reply.success) return undefined;
      const config = reply.data;
      return found(
        [
          config.kubernetes_host !== wanted.host && 'kubernetes_host',
          config.kubernetes_ca_cert.trim() !== wanted.certificateAuthorityPem.trim() && 'kubernetes_ca_cert',
          !config.disable_local_ca_jwt && 'disable_local_ca_jwt',
          config.token_reviewer_jwt_set !== (wanted.reviewer.kind === 'service-account') && 'token_reviewer_jwt',
        ],
        { host: config.kubernetes_host, caSha256: sha256(config.kubernetes_ca_cert.trim()) },
      );
    }
    case 'kubernetes-role': {
      const reply = roleSchema.safeParse(data);
      if (!reply.success) return undefined;
      const role = reply.data;
      return found(
        [
          !sameSet(role.bound_service_account_names, wanted.serviceAccounts) && 'bound_service_account_names',
          !sameSet(role.bound_service_account_namespaces, wanted.namespaces) && 'bound_service_account_namespaces',
          (role.audience ?? '') !== wanted.audience && 'audience',
          !sameSet(role.token_policies, wanted.policies) && 'token_policies',
          role.token_ttl !== wanted.timeToLive && 'token_ttl',
        ],
        {
          serviceAccounts: role.bound_service_account_names.join(', '),
          namespaces: role.bound_service_account_namespaces.join(', '),
          audience: role.audience ?? '',
          policies: role.token_policies.join(', '),
        },
      );
    }
  }
}

/** What is written to make it, at the path where it is read. */
function bodyOf(wanted: WantedInVault, reviewerToken: string): Record<string, unknown> {
  switch (wanted.kind) {
    case 'transit-engine':
      return { type: 'transit' };
    case 'kubernetes-auth':
      return { type: 'kubernetes' };
    case 'transit-key':
      return { type: 'aes256-gcm96', exportable: false, allow_plaintext_backup: false };
    case 'policy':
      return { policy: wanted.text };
    case 'kubernetes-config':
      return {
        kubernetes_host: wanted.host,
        kubernetes_ca_cert: wanted.certificateAuthorityPem,
        disable_local_ca_jwt: true,
        // Without one the Pod's own token asks the cluster about itself: no lasting token of the cluster in Vault.
        token_reviewer_jwt: reviewerToken,
      };
    case 'kubernetes-role':
      return {
        bound_service_account_names: wanted.serviceAccounts,
        bound_service_account_namespaces: wanted.namespaces,
        ...(wanted.audience === '' ? {} : { audience: wanted.audience }),
        token_policies: wanted.policies,
        token_ttl: wanted.timeToLive,
      };
  }
}

/** A mount of another type, or a key that is not what a key for keys should be, is nobody's to replace. */
const mayBeReplaced: ReadonlySet<WantedInVault['kind']> = new Set(['policy', 'kubernetes-config', 'kubernetes-role']);

const lookupSchema = z.object({ display_name: z.string(), policies: z.array(z.string()), ttl: z.number() });
const createdSchema = z.object({ auth: z.object({ client_token: z.string() }) });
const encryptedSchema = z.object({ ciphertext: z.string().regex(/^vault:v[0-9]+:/u) });
const decryptedSchema = z.object({ plaintext: z.string() });

const testValue = Buffer.from('key-custodian policy test').toString('base64');

export interface VaultSetUp {
  holdToken(request: {
    readonly runId: string;
    readonly connection: VaultConnection;
    readonly namespace: string;
    readonly token: SealedSecret;
  }): Promise<SetUpResult<{ displayName: string; policies: string[]; secondsLeft: number }>>;
  holdsToken(runId: string): boolean;
  look(runId: string, wanted: WantedInVault): Promise<SetUpResult<FoundInVault>>;
  /** @param reviewerToken null where none is needed */
  make(
    runId: string,
    wanted: WantedInVault,
    replace: boolean,
    reviewerToken: SealedSecret | null,
  ): Promise<SetUpResult<FoundInVault & { made: boolean }>>;
  tryPolicy(
    runId: string,
    tried: { readonly policy: string; readonly mount: string; readonly key: string },
  ): Promise<SetUpResult<{ keyVersion: number }>>;
  forgetToken(runId: string): void;
}

/** @param opener what the administrator's token was sealed to */
export function createVaultSetUp(transport: VaultTransport, opener: Opener): VaultSetUp {
  const sessions = new Map<string, Session>();

  async function call(
    { connection, namespace, token }: Session,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: Record<string, unknown>,
  ): Promise<SetUpResult<Reply>> {
    const { address } = connection;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body), 'utf8');
    const exchange = await transport
      .exchange(connection, {
        method,
        path: `/v1/${path.split('/').map(encodeURIComponent).join('/')}`,
        headers: { 'x-vault-token': token, ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }) },
        ...(bytes === undefined ? {} : { body: bytes }),
        deadline: callDeadline,
      })
      .finally(() => bytes?.fill(0));
    if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
    const { status, body: text } = exchange;
    if (status === 204) return success({ status, data: undefined });
    if (status === 200) {
      const json = parseJson(text);
      text.fill(0);
      if (json === undefined) return { ok: false, error: notJson(address) };
      const wrapped = dataSchema.safeParse(json);
      return success({ status, data: wrapped.success ? wrapped.data.data : json });
    }
    // Vault says 404 for a key, policy or role that is not there, 400 for a mount.
    if (method === 'GET' && (status === 404 || status === 400)) return success({ status, data: undefined });
    return { ok: false, error: describeStatus(status, text, address) };
  }

  function sessionOf(runId: string): SetUpResult<Session> {
    const session = sessions.get(runId);
    return session === undefined
      ? failure(
          'Vault_TokenNeeded',
          'The share host holds no Vault token for this run: it was started anew since, or the app was locked.',
          'Give the token again.',
        )
      : success(session);
  }

  /** '' where none is wanted. A string, as JSON.stringify takes it; it ends with the process. */
  function openReviewerToken(wanted: WantedInVault, sealed: SealedSecret | null): SetUpResult<string> {
    if (wanted.kind !== 'kubernetes-config' || wanted.reviewer.kind === 'client') return success('');
    const opened = sealed === null ? undefined : opener.open(sealed, secretPurpose.reviewerToken);
    if (opened === undefined)
      return failure(
        'App_BadRequest',
        'The reviewer’s token was not meant for this process or was changed on its way.',
        'Begin the step again.',
      );
    const token = opened.toString('latin1').trim();
    opened.fill(0);
    return success(token);
  }

  async function look(runId: string, wanted: WantedInVault): Promise<SetUpResult<FoundInVault>> {
    const session = sessionOf(runId);
    if (!session.ok) return session;
    const reply = await call(session.value, 'GET', pathOf(wanted));
    if (!reply.ok) return reply;
    if (reply.value.data === undefined) return success(missing);
    const compared = compare(wanted, reply.value.data);
    return compared === undefined
      ? { ok: false, error: unexpectedReply(session.value.connection.address, reply.value.status) }
      : success(compared);
  }

  return {
    async holdToken({ runId, connection, namespace, token }) {
      const opened = opener.open(token, secretPurpose.vaultToken);
      if (opened === undefined)
        return failure(
          'App_BadRequest',
          'The token was not meant for this process or was changed on its way.',
          'Enter it again.',
        );
      const header = Buffer.from(opened.buffer, opened.byteOffset, opened.length).toString('latin1').trim();
      opened.fill(0);
      if (!/^[!-~]{1,8192}$/u.test(header))
        return failure(
          'Vault_PermissionDenied',
          'This is not the form of a Vault token. Nothing was sent.',
          'Check where it comes from and give it again.',
          { address: connection.address },
        );
      const session = { connection, namespace, token: header };
      const reply = await call(session, 'GET', 'auth/token/lookup-self');
      if (!reply.ok) return reply;
      const itself = lookupSchema.safeParse(reply.value.data);
      if (!itself.success) return { ok: false, error: unexpectedReply(connection.address, reply.value.status) };
      sessions.set(runId, session);
      return success({
        displayName: itself.data.display_name,
        policies: itself.data.policies,
        secondsLeft: itself.data.ttl,
      });
    },
    holdsToken: (runId) => sessions.has(runId),
    look,
    async make(runId, wanted, replace, reviewerToken) {
      const session = sessionOf(runId);
      if (!session.ok) return session;
      const before = await look(runId, wanted);
      if (!before.ok) return before;
      if (before.value.state === 'same') return success({ ...before.value, made: false });
      const { address } = session.value.connection;
      if (before.value.state === 'different' && !(replace && mayBeReplaced.has(wanted.kind)))
        return failure(
          'Vault_SetUpDiffers',
          `${pathOf(wanted)} is there already and differs in ${before.value.differs.join(', ')}. It was left as it is.`,
          mayBeReplaced.has(wanted.kind)
            ? 'See who uses it. Plan the run again with what differs put right, or with another name.'
            : 'Choose another name: a mount or key that others may use is not changed.',
          { address, path: pathOf(wanted), differs: before.value.differs.join(', ') },
        );
      const reviewer = openReviewerToken(wanted, reviewerToken);
      if (!reviewer.ok) return reviewer;
      const written = await call(session.value, 'POST', pathOf(wanted), bodyOf(wanted, reviewer.value));
      if (!written.ok) return written;
      const after = await look(runId, wanted);
      if (!after.ok) return after;
      return after.value.state === 'same'
        ? success({ ...after.value, made: true })
        : failure(
            'Vault_SetUpDiffers',
            `${pathOf(wanted)} was written and reads back different in ${after.value.differs.join(', ')}.`,
            'See whether somebody else changes it at the same time, then begin the step again.',
            { address, path: pathOf(wanted) },
          );
    },
    async tryPolicy(runId, { policy, mount, key }) {
      const session = sessionOf(runId);
      if (!session.ok) return session;
      const { connection, namespace } = session.value;
      const { address } = connection;
      const refuse = (what: string): SetUpResult<never> =>
        failure(
          'Vault_PolicyUnsuitable',
          `A token with the policy “${policy}” alone ${what}.`,
          'Put the policy right; the run shows its text.',
          { address, policy },
        );
      const created = await call(session.value, 'POST', 'auth/token/create', {
        policies: [policy],
        no_default_policy: true,
        renewable: false,
        ttl: '60s',
        display_name: 'key-custodian-policy-test',
      });
      if (!created.ok) return created;
      const child = createdSchema.safeParse(created.value.data);
      if (!child.success) return { ok: false, error: unexpectedReply(address, created.value.status) };
      const asChild: Session = { connection, namespace, token: child.data.auth.client_token };
      const tried = await (async (): Promise<SetUpResult<{ keyVersion: number }>> => {
        const encrypted = await call(asChild, 'POST', `${mount}/encrypt/${key}`, { plaintext: testValue });
        if (!encrypted.ok)
          return encrypted.error.code === 'Vault_PermissionDenied' ? refuse('may not encrypt') : encrypted;
        const text = encryptedSchema.safeParse(encrypted.value.data);
        if (!text.success) return { ok: false, error: unexpectedReply(address, encrypted.value.status) };
        const { ciphertext } = text.data;
        const decrypted = await call(asChild, 'POST', `${mount}/decrypt/${key}`, { ciphertext });
        if (!decrypted.ok)
          return decrypted.error.code === 'Vault_PermissionDenied' ? refuse('may not decrypt') : decrypted;
        const back = decryptedSchema.safeParse(decrypted.value.data);
        if (!back.success || back.data.plaintext !== testValue) return refuse('did not get back what it encrypted');
        const forbidden = [`${mount}/keys/${key}/rotate`, `${mount}/keys/${key}/config`, `sys/policies/acl/${policy}`];
        const asked = await call(session.value, 'POST', 'sys/capabilities', {
          token: asChild.token,
          paths: [...forbidden, `${mount}/keys/${key}`, 'auth/token/lookup-self', 'auth/token/renew-self'],
        });
        if (!asked.ok) return asked;
        const capabilities = z.record(z.string(), z.unknown()).parse(asked.value.data);
        const of = (path: string): readonly string[] => z.array(z.string()).catch([]).parse(capabilities[path]);
        const tooMuch = forbidden.find((path) => of(path).some((capability) => capability !== 'deny'));
        if (tooMuch !== undefined) return refuse(`may also ${of(tooMuch).join(', ')} ${tooMuch}`);
        if (!of(`${mount}/keys/${key}`).includes('read')) return refuse('may not read the key’s versions');
        if (!of('auth/token/renew-self').includes('update')) return refuse('may not renew its log-in');
        return success({ keyVersion: Number(/^vault:v([0-9]+):/u.exec(ciphertext)?.[1]) });
      })();
      const revoked = await call(session.value, 'POST', 'auth/token/revoke', { token: asChild.token });
      // It would end by itself within the minute; that it did not end now is still worth knowing.
      return tried.ok && !revoked.ok ? revoked : tried;
    },
    forgetToken(runId) {
      sessions.delete(runId);
    },
  };
}
