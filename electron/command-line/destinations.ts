import { readFile, stat } from 'node:fs/promises';
import type { Core } from '../core/core.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { RootTokenDestination, ShareDestination } from '../workflows/ports.ts';
import type { UnsealPlan } from '../workflows/plans.ts';
import type { ChosenToken } from './chosen-token.ts';
import type { Read } from './outcome.ts';

/** Where one share goes or comes from, as it was written. */
export type Written =
  | { readonly kind: 'token' }
  | { readonly kind: 'secret' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'pgp'; readonly path: string; readonly custodian: string }
  | { readonly kind: 'shown' | 'typed'; readonly custodian: string };

/** The largest key, message or share file that is read, in bytes. */
const largestFile = 100_000;

function bad(
  option: string,
  forms: string,
): { readonly ok: false; readonly error: ReturnType<typeof failure<'App_BadRequest'>>['error'] } {
  return failure(
    'App_BadRequest',
    `--${option} is not one of ${forms}.`,
    'Names of custodians come after the last colon.',
  );
}

/**
 * Reads `pgp:FILE:NAME`. The name comes after the last colon, so that a path may hold colons.
 * @param nameNeeded false: `pgp:FILE` will do, and the name is ''
 */
function readPgp(text: string, nameNeeded: boolean): { readonly path: string; readonly custodian: string } | undefined {
  const rest = text.slice('pgp:'.length);
  const colon = rest.lastIndexOf(':');
  if (colon === -1) return nameNeeded || rest === '' ? undefined : { path: rest, custodian: '' };
  const custodian = rest.slice(colon + 1).trim();
  const path = rest.slice(0, colon);
  return path === '' || custodian === '' || custodian.length > 80 ? undefined : { path, custodian };
}

/** `token`, `secret`, `pgp:FILE:NAME` or `shown:NAME`. */
export function readShareTo(text: string): Read<Written> {
  const forms = 'token, secret, pgp:FILE:NAME, shown:NAME';
  if (text === 'token' || text === 'secret') return success({ kind: text });
  if (text.startsWith('pgp:')) {
    const pgp = readPgp(text, true);
    return pgp === undefined ? bad('share-to', forms) : success({ kind: 'pgp', ...pgp });
  }
  const custodian = text.startsWith('shown:') ? text.slice('shown:'.length).trim() : '';
  return custodian === '' || custodian.length > 80 ? bad('share-to', forms) : success({ kind: 'shown', custodian });
}

/** `token`, `secret`, `revoked` or `pgp:FILE:NAME`. */
export function readRootToken(text: string): Read<Written> {
  if (text === 'token' || text === 'secret' || text === 'revoked') return success({ kind: text });
  const pgp = text.startsWith('pgp:') ? readPgp(text, true) : undefined;
  return pgp === undefined
    ? bad('root-token', 'token, secret, revoked, pgp:FILE:NAME')
    : success({ kind: 'pgp', ...pgp });
}

/** `token`, `pgp:FILE`, `pgp:FILE:NAME`, `typed` or `typed:NAME`. */
export function readFrom(text: string): Read<Written> {
  if (text === 'token') return success({ kind: 'token' });
  if (text === 'typed') return success({ kind: 'typed', custodian: '' });
  if (text.startsWith('pgp:')) {
    const pgp = readPgp(text, false);
    if (pgp !== undefined) return success({ kind: 'pgp', ...pgp });
  }
  const custodian = text.startsWith('typed:') ? text.slice('typed:'.length).trim() : '';
  return custodian === '' || custodian.length > 80
    ? bad('from', 'token, pgp:FILE:NAME, typed:NAME')
    : success({ kind: 'typed', custodian });
}

/** Every `--from` of a command, in its order; the first that is wrong is told. */
export function readEveryFrom(texts: readonly string[]): Read<readonly Written[]> {
  const sources: Written[] = [];
  for (const text of texts) {
    const read = readFrom(text);
    if (!read.ok) return read;
    sources.push(read.value);
  }
  return success(sources);
}

/** A file of a size that a key, message or share can have. */
export async function readSmallFile(path: string): Promise<Read<Buffer>> {
  try {
    const { size } = await stat(path);
    if (size > largestFile)
      return failure('App_BadRequest', `${path} is too large to be a key, message or share.`, 'Name the right file.');
    return success(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    return failure(
      'App_BadRequest',
      `${path} cannot be read (${code}).`,
      'Name a file that is there and that you may read.',
      { code },
    );
  }
}

async function pgpDestination(
  core: Core,
  written: { readonly path: string; readonly custodian: string },
): Promise<Result<Extract<ShareDestination, { kind: 'pgp' }>>> {
  const key = await readSmallFile(written.path);
  if (!key.ok) return key;
  const described = await core.shares.describePgpKey(key.value);
  if (!described.ok) return described;
  const { publicKeyArmored, fingerprint } = described.value;
  return success({ kind: 'pgp', custodian: written.custodian, publicKeyArmored, fingerprint });
}

/** Where each share goes, with every PGP key read and found fit. */
export async function shareDestinations(core: Core, written: readonly Written[]): Promise<Result<ShareDestination[]>> {
  const destinations: ShareDestination[] = [];
  for (const one of written) {
    if (one.kind === 'pgp') {
      const destination = await pgpDestination(core, one);
      if (!destination.ok) return destination;
      destinations.push(destination.value);
    } else if (one.kind === 'shown') destinations.push({ kind: 'shown', custodian: one.custodian });
    else destinations.push({ kind: one.kind === 'secret' ? 'secret' : 'token' });
  }
  return success(destinations);
}

export async function rootTokenDestination(core: Core, written: Written): Promise<Result<RootTokenDestination>> {
  if (written.kind === 'pgp') return pgpDestination(core, written);
  return success({ kind: written.kind === 'revoked' || written.kind === 'secret' ? written.kind : 'token' });
}

/** Where shares come from for an unseal. `token` is asked for only where it is needed. */
export async function unsealSources(
  written: readonly Written[],
  by: string,
  token: () => Promise<Result<ChosenToken & { readonly keyLabel: string }>>,
): Promise<Result<UnsealPlan['sources']>> {
  const sources: UnsealPlan['sources'] = [];
  for (const one of written) {
    if (one.kind === 'pgp') {
      let file = await readSmallFile(one.path);
      // A path with a colon and no name behind it.
      if (!file.ok && one.custodian !== '') {
        const whole = await readSmallFile(`${one.path}:${one.custodian}`);
        if (whole.ok) file = whole;
      }
      if (!file.ok) return file;
      sources.push({
        kind: 'pgp',
        custodian: one.custodian === '' ? by : one.custodian,
        messageBase64: file.value.toString('base64'),
      });
    } else if (one.kind === 'typed')
      sources.push({ kind: 'typed', custodian: one.custodian === '' ? by : one.custodian });
    else {
      const chosen = await token();
      if (!chosen.ok) return chosen;
      sources.push({
        kind: 'token',
        token: { storeId: chosen.value.store.id, serial: chosen.value.token.serial, label: chosen.value.token.label },
        keyLabel: chosen.value.keyLabel,
      });
    }
  }
  return success(sources);
}
