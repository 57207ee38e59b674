/** The unix socket: in a directory of its owner's alone, a stale one replaced, a live one left alone. */
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync, unlinkSync, type Stats } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';

export type SocketFailureCode = 'Kms_SocketInUse' | 'Kms_SocketUnusable';
type SocketResult<Value> = Result<Value, SocketFailureCode>;

export interface SocketPlace {
  readonly path: string;
  /** Numeric; undefined for this process's own. A group may connect, too. */
  readonly owner: number | undefined;
  readonly group: number | undefined;
}

/** sun_path holds 108 bytes with the zero at its end (unix(7)). */
const longestPath = 107;
const othersMayWrite = 0o022;
const sticky = 0o1000;
const permissions = 0o777;

function unusable(message: string, next: string, path: string): SocketResult<never> {
  return failure('Kms_SocketUnusable', message, next, { path });
}

function textOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : String(cause);
}

/** Only who may enter the directory can reach the socket, whatever its own mode was for an instant. */
function prepareDirectory(place: SocketPlace): SocketResult<undefined> {
  const directory = dirname(place.path);
  const mode = place.group === undefined ? 0o700 : 0o750;
  try {
    mkdirSync(directory, { recursive: true, mode });
    const found = statSync(directory);
    const isOwn = found.uid === process.getuid?.();
    if ((found.mode & sticky) !== 0 || (!isOwn && (found.mode & othersMayWrite) !== 0)) {
      return unusable(
        `${directory} is open to others: any of them could put a socket of theirs in its place.`,
        'Give the socket a directory of its own, as in /run/key-custodian/kms.socket.',
        place.path,
      );
    }
    if (isOwn) {
      if ((found.mode & permissions) !== mode) chmodSync(directory, mode);
      if (place.owner !== undefined || place.group !== undefined)
        chownSync(directory, place.owner ?? found.uid, place.group ?? found.gid);
    }
    return success(undefined);
  } catch (cause) {
    return unusable(
      `The directory ${directory} cannot be made or set up (${textOf(cause)}).`,
      'Check its parents and who owns it.',
      place.path,
    );
  }
}

function find(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const trial = connect(path);
    const settle = (answered: boolean) => () => {
      trial.destroy();
      resolve(answered);
    };
    trial.once('connect', settle(true));
    trial.once('error', settle(false));
  });
}

const inUse = (path: string): SocketResult<never> =>
  failure(
    'Kms_SocketInUse',
    `Another process serves ${path}.`,
    'End it first (another custodian kms serve, or another plugin), or listen elsewhere.',
    { path },
  );

/**
 * A name in Linux' abstract namespace (unix(7)), which the kernel gives to one process and takes back when it ends in
 * whatever way: of two instances that find a stale socket at once, one removes it.
 */
async function holdName(path: string): Promise<Server | undefined> {
  const holder = createServer((socket) => socket.destroy());
  const isHeld = await new Promise<boolean>((resolve) => {
    holder.once('error', () => resolve(false));
    holder.listen(`\0key-custodian-kms:${path}`, () => resolve(true));
  });
  if (!isHeld) return undefined;
  holder.unref();
  return holder;
}

export interface HeldSocket {
  /** The name is free again. The socket's file goes when its server closes. */
  release(): void;
}

/**
 * Listens on the socket, mode 0600 (0660 with a group).
 * @param server not listening yet
 */
export async function listenOnSocket(server: Server, place: SocketPlace): Promise<SocketResult<HeldSocket>> {
  const { path } = place;
  if (Buffer.byteLength(path) > longestPath) {
    return unusable(`The socket's path has more than ${longestPath} bytes.`, 'Choose a shorter one.', path);
  }
  const directory = prepareDirectory(place);
  if (!directory.ok) return directory;
  const holder = await holdName(path);
  if (holder === undefined) return inUse(path);
  const release = (): void => {
    holder.close();
  };
  const give = <Value>(result: SocketResult<Value>): SocketResult<Value> => {
    if (!result.ok) release();
    return result;
  };
  const found = find(path);
  if (found !== undefined && !found.isSocket()) {
    return give(unusable(`${path} is there already and is no socket.`, 'Remove it, or listen elsewhere.', path));
  }
  if (found !== undefined && (await isAnswered(path))) return give(inUse(path));
  try {
    if (found !== undefined) unlinkSync(path);
    await listen(server, path);
    chmodSync(path, place.group === undefined ? 0o600 : 0o660);
    const { uid, gid } = statSync(path);
    if (place.owner !== undefined || place.group !== undefined) chownSync(path, place.owner ?? uid, place.group ?? gid);
    return success({ release });
  } catch (cause) {
    return give(unusable(`${path} cannot be listened on (${textOf(cause)}).`, 'Check who owns its directory.', path));
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // Binding takes place within listen(): nobody else's file is made meanwhile.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
}
