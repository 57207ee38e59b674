/** The provider's token in Vault: logged in by the configured method, renewed before it expires. */
import { z } from 'zod';
import type { TransitConfiguration } from '../configuration.ts';
import { answered, refused, type Outcome } from '../grpc/outcome.ts';
import type { Log } from '../log.ts';
import { readSecretFile, type SecretFileRules } from '../secret-file.ts';
import { refusalOf, type VaultHttp, type VaultReply } from './vault-http.ts';

interface HeldToken {
  readonly token: string;
  readonly isRenewable: boolean;
  /** Milliseconds of performance.now(); infinite for one that does not expire. */
  readonly expiresAt: number;
  readonly renewAt: number;
}

export interface VaultLogin {
  /** A token that is good for now. */
  token(deadline: number): Promise<Outcome<string>>;
  /** Vault did not take it any more. */
  forget(token: string): void;
}

const authSchema = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number(), renewable: z.boolean() }),
});
const lookUpSchema = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean().default(false) }) });

/** How much of a token's life passes before it is renewed. */
const renewalPart = 2 / 3;
/** After a log-in that failed, in milliseconds. */
const attemptPause = 1000;

function held(token: string, seconds: number, isRenewable: boolean): HeldToken {
  const now = performance.now();
  if (seconds === 0) return { token, isRenewable, expiresAt: Infinity, renewAt: Infinity };
  return { token, isRenewable, expiresAt: now + seconds * 1000, renewAt: now + seconds * 1000 * renewalPart };
}

/** Bytes: more than any signed token that a header or Vault takes. */
const longestSecret = 64 * 1024;

/** @param otherReaders the kubelet gives a projected token mode 0644 or 0600, by the Pod's user */
function readSecret(path: string, otherReaders: SecretFileRules['otherReaders']): Outcome<string> {
  const read = readSecretFile(path, { longest: longestSecret, otherReaders, otherOwners: 'anyone' });
  if (!read.ok) return refused('failedPrecondition', `${read.error.message} ${read.error.next}`);
  const text = read.value.toString('utf8').trim();
  read.value.fill(0);
  return text === '' ? refused('failedPrecondition', `${path} is empty.`) : answered(text);
}

function logInBody(configuration: TransitConfiguration): Outcome<object> {
  const { authMethod, role, tokenFile, roleIdFile, secretIdFile } = configuration;
  if (authMethod === 'cert') return answered(role === '' ? {} : { name: role });
  if (authMethod === 'approle') {
    const roleId = readSecret(roleIdFile ?? '', 'anyone');
    const secretId = readSecret(secretIdFile ?? '', 'nobody');
    if (!roleId.ok) return roleId;
    return secretId.ok ? answered({ role_id: roleId.value, secret_id: secretId.value }) : secretId;
  }
  const jwt = readSecret(tokenFile ?? '', 'anyone');
  return jwt.ok ? answered({ role, jwt: jwt.value }) : jwt;
}

export function createVaultLogin(configuration: TransitConfiguration, http: VaultHttp, log: Log): VaultLogin {
  let current: HeldToken | undefined;
  let underWay: Promise<Outcome<HeldToken>> | undefined;
  let lastFailure: { readonly at: number; readonly outcome: Outcome<never> } | undefined;

  const readAuth = (reply: VaultReply, what: string): Outcome<HeldToken> => {
    const auth = authSchema.safeParse(reply.body);
    if (reply.status !== 200 || !auth.success) return refusalOf(reply, what);
    const { client_token: token, lease_duration: seconds, renewable } = auth.data.auth;
    return answered(held(token, seconds, renewable));
  };
  const fromFile = async (deadline: number): Promise<Outcome<HeldToken>> => {
    const token = readSecret(configuration.tokenFile ?? '', 'nobody');
    if (!token.ok) return token;
    const reply = await http.call({ method: 'GET', path: 'auth/token/lookup-self', token: token.value, deadline });
    if (!reply.ok) return reply;
    const found = lookUpSchema.safeParse(reply.value.body);
    if (reply.value.status !== 200 || !found.success) return refusalOf(reply.value, 'look up the token of the file');
    return answered(held(token.value, found.data.data.ttl, found.data.data.renewable));
  };
  const logIn = async (deadline: number): Promise<Outcome<HeldToken>> => {
    if (configuration.authMethod === 'token') return fromFile(deadline);
    const body = logInBody(configuration);
    if (!body.ok) return body;
    const path = `auth/${configuration.authMount}/login`;
    const reply = await http.call({ method: 'POST', path, body: body.value, deadline });
    return reply.ok ? readAuth(reply.value, 'log in') : reply;
  };
  const renew = async ({ token }: HeldToken, deadline: number): Promise<Outcome<HeldToken>> => {
    const reply = await http.call({ method: 'POST', path: 'auth/token/renew-self', body: {}, token, deadline });
    return reply.ok ? readAuth(reply.value, 'renew the token') : reply;
  };
  const obtain = async (deadline: number): Promise<Outcome<HeldToken>> => {
    if (current?.isRenewable === true && performance.now() < current.expiresAt) {
      const renewed = await renew(current, deadline);
      // A token near its longest life is renewed for ever shorter times: then it is time for another.
      if (renewed.ok && renewed.value.expiresAt > current.expiresAt) return renewed;
    }
    const made = await logIn(deadline);
    if (made.ok) log('info', 'Logged in to Vault.', { method: configuration.authMethod });
    return made;
  };
  const obtainOnce = async (deadline: number): Promise<Outcome<HeldToken>> => {
    if (lastFailure !== undefined && performance.now() - lastFailure.at < attemptPause) return lastFailure.outcome;
    underWay ??= obtain(deadline).finally(() => {
      underWay = undefined;
    });
    const obtained = await underWay;
    lastFailure = obtained.ok ? undefined : { at: performance.now(), outcome: obtained };
    if (obtained.ok) current = obtained.value;
    return obtained;
  };
  return {
    token: async (deadline) => {
      const now = performance.now();
      if (current !== undefined && now < current.renewAt) return answered(current.token);
      const obtained = await obtainOnce(deadline);
      if (obtained.ok) return answered(obtained.value.token);
      // It still has a third of its life: whoever waits is served, and the next call tries again.
      return current !== undefined && now < current.expiresAt ? answered(current.token) : obtained;
    },
    forget: (token) => {
      if (current?.token === token) current = undefined;
    },
  };
}
