import { basename } from 'node:path';
import type { DkekProtection, DkekSharePlan } from '../workflows/device-plans.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { readSmallFile } from './destinations.ts';
import type { Read } from './outcome.ts';

/** A DKEK share as it was written on the command line. */
export interface WrittenDkekShare {
  /** '' for a share that is made. */
  readonly path: string;
  readonly protection: DkekProtection;
}

/** What sc-hsm-tool and this program write, in bytes. */
const shareFileLength = 64;

const forms = 'password:NAME, split:THRESHOLD:NAME,NAME,NAME, or the same after file:PATH:';

function bad(): Read<never> {
  return failure('App_BadRequest', `--dkek-share is not one of ${forms}.`, 'Names are those of custodians.');
}

const isName = (text: string): boolean => text !== '' && text.length <= 80;

function readProtection(text: string): DkekProtection | undefined {
  const password = /^password:([^:]*)$/u.exec(text)?.[1]?.trim();
  if (password !== undefined) return isName(password) ? { kind: 'password', custodian: password } : undefined;
  const split = /^split:(\d{1,2}):([^:]*)$/u.exec(text);
  if (split === null) return undefined;
  const threshold = Number(split[1]);
  const custodians = (split[2] ?? '').split(',').map((name) => name.trim());
  const fits = threshold >= 2 && threshold <= custodians.length && custodians.length >= 3 && custodians.length <= 16;
  return fits && custodians.every(isName) ? { kind: 'split', threshold, custodians } : undefined;
}

/** `password:NAME`, `split:2:ADA,BEN,CLEO`, or either after `file:PATH:`. A path may hold colons. */
export function readDkekShare(text: string): Read<WrittenDkekShare> {
  if (!text.startsWith('file:')) {
    const protection = readProtection(text);
    return protection === undefined ? bad() : success({ path: '', protection });
  }
  const rest = text.slice('file:'.length);
  const at = Math.max(rest.lastIndexOf(':password:'), rest.lastIndexOf(':split:'));
  const protection = at < 1 ? undefined : readProtection(rest.slice(at + 1));
  return protection === undefined ? bad() : success({ path: rest.slice(0, at), protection });
}

/** The shares of a plan, with every file read and of the right size. */
export async function dkekSharesOf(written: readonly WrittenDkekShare[]): Promise<Result<DkekSharePlan[]>> {
  const shares: DkekSharePlan[] = [];
  for (const { path, protection } of written) {
    if (path === '') {
      shares.push({ source: 'new', protection });
      continue;
    }
    const file = await readSmallFile(path);
    if (!file.ok) return file;
    if (file.value.length !== shareFileLength) {
      return failure(
        'Device_ShareFileInvalid',
        `${path} is no DKEK share: it has ${String(file.value.length)} bytes, and a share has ${String(shareFileLength)}.`,
        'Name the file that this program or sc-hsm-tool made.',
      );
    }
    shares.push({ source: 'file', fileName: basename(path), fileBase64: file.value.toString('base64'), protection });
  }
  return success(shares);
}
