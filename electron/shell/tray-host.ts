import { execFile } from 'node:child_process';

const watcher = 'org.kde.StatusNotifierWatcher';

/** Milliseconds. No answer in that time counts as no tray: the window then stays the way in. */
const deadline = 1000;

function ask(program: string, argumentList: readonly string[]): Promise<boolean> {
  return new Promise((settle) => {
    execFile(
      program,
      [...argumentList],
      { timeout: deadline, maxBuffer: 4096, killSignal: 'SIGKILL' },
      (error, output) => {
        settle(error === null && output.includes('true'));
      },
    );
  });
}

/**
 * Whether this desktop shows tray icons. Electron makes a tray object either way; on Linux an icon is
 * seen only where something owns the StatusNotifierWatcher name on the session bus (GNOME has none
 * without an extension, and some Electron releases fail to register: electron#53213).
 */
export async function findTrayHost(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  if ((process.env['DBUS_SESSION_BUS_ADDRESS'] ?? '') === '') return false;
  const bus = 'org.freedesktop.DBus';
  const [byGdbus, byDbusSend] = await Promise.all([
    ask('gdbus', [
      'call',
      '--session',
      '--dest',
      bus,
      '--object-path',
      '/org/freedesktop/DBus',
      '--method',
      `${bus}.NameHasOwner`,
      watcher,
    ]),
    ask('dbus-send', [
      '--session',
      '--print-reply',
      `--dest=${bus}`,
      '/org/freedesktop/DBus',
      `${bus}.NameHasOwner`,
      `string:${watcher}`,
    ]),
  ]);
  return byGdbus || byDbusSend;
}
