/**
 * Under root Electron's sandbox refuses to run, so the app and its tests run as an ordinary user.
 * Under sudo that is the person who called; otherwise a system user that is made for it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, chown, chmod, copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, isRoot, run, say, SetupError } from './commands.mjs';

const systemUser = 'key-custodian';

function findUser(matches) {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid, , home] = line.split(':');
    if (name !== undefined && home !== undefined && matches(name, Number(uid)))
      return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return undefined;
}

/**
 * @returns the user to run as, or undefined when this process is an ordinary user's already
 */
export function ordinaryUser() {
  if (!isRoot) return undefined;
  const caller = Number(process.env.SUDO_UID ?? 0);
  if (caller > 0) {
    const person = findUser((_, uid) => uid === caller);
    if (person !== undefined && existsSync(person.home)) return person;
  }
  const known = findUser((name) => name === systemUser);
  if (known !== undefined && existsSync(known.home)) return known;
  const useradd = findProgram('useradd') ?? '/usr/sbin/useradd';
  say(`  Making the system user ${systemUser}: the sandbox does not run under root`);
  if (
    known === undefined &&
    !run(useradd, ['--system', '--user-group', '--create-home', '--shell', '/bin/sh', systemUser])
  )
    throw new SetupError(`The user ${systemUser} could not be made; start this as an ordinary user instead.`);
  // Debian keeps the machine's SoftHSM tokens for root and this group.
  if (/^softhsm:/m.test(readFileSync('/etc/group', 'utf8')))
    run(findProgram('usermod') ?? '/usr/sbin/usermod', ['--append', '--groups', 'softhsm', systemUser]);
  const made = findUser((name) => name === systemUser);
  if (made === undefined) throw new SetupError(`The user ${systemUser} is not in /etc/passwd after it was made.`);
  return made;
}

/** A folder of the user's own, mode 0700, made or made right. */
export async function privateFolder(user, path) {
  await mkdir(path, { recursive: true });
  await chown(path, user.uid, user.gid);
  await chmod(path, 0o700);
  return path;
}

/**
 * A command line that runs a program as that user, with the user's groups and none of root's rights.
 * @returns {[string, string[]]} program and arguments for spawn
 */
export function commandAs(user, program, args) {
  if (user === undefined) return [program, args];
  const setpriv = ['--reuid', String(user.uid), '--regid', String(user.gid), '--init-groups'];
  return ['setpriv', [...setpriv, '--', program, ...args]];
}

/** Whether that user can read the path: every folder above it must let them through. */
export function canRead(user, path) {
  const [program, args] = commandAs(user, 'test', ['-r', path]);
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/**
 * The environment for a program of that user: nothing of root's but the display, the language and this
 * project's own variables.
 */
export async function environmentFor(user) {
  await privateFolder(user, user.home);
  const ownRuntime = `/run/user/${user.uid}`;
  const runtime = existsSync(ownRuntime) ? ownRuntime : await privateFolder(user, join(user.home, '.runtime'));
  const environment = {
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: '/bin/sh',
    XDG_RUNTIME_DIR: runtime,
  };
  const passed =
    /^(PATH|LANG|LANGUAGE|LC_.*|TZ|DISPLAY|WAYLAND_DISPLAY|XDG_SESSION_TYPE|XDG_CURRENT_DESKTOP|CI|VAULT_BIN|BAO_BIN|KUBE_APISERVER_BIN|KUBELET_STREAMING_BIN|KUBECTL_BIN|ETCD_BIN|ETCDCTL_BIN|KUBEBUILDER_ASSETS|NO_COLOR|KEY_CUSTODIAN_TEST_.*)$/;
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && passed.test(name)) environment[name] = value;
  }
  const authority = process.env.XAUTHORITY ?? join(process.env.HOME ?? '/root', '.Xauthority');
  if (process.env.DISPLAY !== undefined && existsSync(authority)) {
    const copy = join(runtime, 'key-custodian.Xauthority');
    await rm(copy, { force: true });
    await copyFile(authority, copy);
    await chown(copy, user.uid, user.gid);
    await chmod(copy, 0o600);
    environment.XAUTHORITY = copy;
  }
  const bus = join(ownRuntime, 'bus');
  if (existsSync(bus)) environment.DBUS_SESSION_BUS_ADDRESS = `unix:path=${bus}`;
  return environment;
}
