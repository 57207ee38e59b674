/**
 * Entry of the presence host: watches card readers and the USB bus and says when something has changed; see
 * `protocol.ts`. It holds no secret and opens no card.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  collectGarbageAtOnce,
  exitOnUncaughtErrors,
  keepMemoryOutOfCoreDumps,
  openParentPort,
  type ParentPort,
} from '../../electron/hosts/parent-port.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { requestEnvelopeSchema, type ReplyEnvelope } from '../protocol.ts';
import { listUsbDevices } from '../usb/list-usb-devices.ts';
import { findHolder } from './holder.ts';
import { presenceChangedSignal, type Presence } from './protocol.ts';
import { watchReaders } from './readers.ts';
import { watchFolder } from './watch-folder.ts';

/** sysexits.h: EX_USAGE. */
const usageError = 64;

/** Several things happen at once when a device is plugged in: they are said once. */
const settleMilliseconds = 60;

const usbFolder = '/dev/bus/usb';

/** Watches the folder of every bus, and for buses that come. */
function watchUsb(changed: () => void): void {
  const watched = new Set<string>();
  const addBuses = (): void => {
    // No such folder: no USB on this machine, or not yet.
    for (const bus of existsSync(usbFolder) ? readdirSync(usbFolder) : []) {
      if (watched.has(bus)) continue;
      watched.add(bus);
      watchFolder(join(usbFolder, bus), changed);
    }
  };
  watchFolder(usbFolder, () => {
    addBuses();
    changed();
  });
  addBuses();
}

function serve(port: ParentPort): void {
  let announcing: NodeJS.Timeout | undefined;
  const changed = (): void => {
    announcing ??= setTimeout(() => {
      announcing = undefined;
      port.postMessage({ signal: presenceChangedSignal });
    }, settleMilliseconds);
  };
  const readers = watchReaders(changed);
  watchUsb(changed);

  const read = async (): Promise<Presence> => {
    const { usb, usbState } = await listUsbDevices();
    const hidden = usb.length > readers.readers.filter(({ state }) => state === 'card').length;
    return {
      pcsc: readers.state,
      readers: [...readers.readers],
      usb,
      usbState,
      // Looked for only where something is plugged in that does not show: it reads every process's name.
      holder:
        hidden || readers.readers.some(({ state }) => state === 'card-in-exclusive-use') ? await findHolder() : '',
    };
  };

  port.onMessage((message) => {
    const parsed = requestEnvelopeSchema.safeParse(message);
    if (!parsed.success) return;
    const { id, method } = parsed.data;
    const reply = (answer: ReplyEnvelope): void => {
      port.postMessage(answer);
    };
    if (method === 'presence.read') {
      void read().then((presence) => {
        reply({ id, ...success(presence) });
      });
      return;
    }
    if (method === 'close') {
      readers.stop();
      reply({ id, ...success({}) });
      setImmediate(() => process.exit(0));
      return;
    }
    reply({
      id,
      ...failure(
        'Token_BadRequest',
        'The presence host was asked something that it does not know.',
        'Report this fault.',
      ),
    });
  });
  port.postMessage({ signal: 'ready' });
}

function main(): void {
  exitOnUncaughtErrors();
  collectGarbageAtOnce();
  keepMemoryOutOfCoreDumps();
  const port = openParentPort();
  if (port === undefined) process.exit(usageError);
  serve(port);
}

main();
