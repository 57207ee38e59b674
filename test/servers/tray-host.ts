/**
 * A tray as desktops have it: owns org.kde.StatusNotifierWatcher on the session bus, takes the items that
 * register, and reads and clicks their menus over D-Bus (StatusNotifierItem, com.canonical.dbusmenu).
 * Speaks just enough of the D-Bus wire format (specification 0.41, "Message Protocol") to own a name and
 * answer; calls to the item go through gdbus.
 */
import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const watcherName = 'org.kde.StatusNotifierWatcher';

export interface TrayMenuItem {
  readonly id: number;
  readonly label: string;
  readonly enabled: boolean;
}

export interface TrayHost {
  /** What the newest registered item shows. */
  items(): Promise<readonly TrayMenuItem[]>;
  /** Chooses the item with this label, as a click in the desktop's menu does. */
  click(label: string): Promise<void>;
  tooltip(): Promise<string>;
  /** Its pixels as gdbus prints them: to compare, not to look at. */
  icon(): Promise<string>;
  /** Whether an item registered and is on the bus still. */
  hasItem(): Promise<boolean>;
  close(): void;
}

class Writer {
  #bytes: number[] = [];
  align(size: number): this {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
    return this;
  }
  byte(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }
  uint32(value: number): this {
    this.align(4);
    for (let shift = 0; shift < 32; shift += 8) this.byte(value >>> shift);
    return this;
  }
  text(value: string): this {
    const encoded = Buffer.from(value, 'utf8');
    return this.uint32(encoded.length).raw(encoded).byte(0);
  }
  signature(value: string): this {
    return this.byte(value.length).raw(Buffer.from(value, 'latin1')).byte(0);
  }
  raw(bytes: Uint8Array): this {
    this.#bytes.push(...bytes);
    return this;
  }
  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

interface Incoming {
  readonly type: number;
  readonly serial: number;
  readonly member: string;
  readonly sender: string;
  readonly replySerial: number;
  readonly body: Buffer;
}

const fieldCodes = { path: 1, interface: 2, member: 3, replySerial: 5, destination: 6, signature: 8 } as const;
const messageTypes = { call: 1, reply: 2 } as const;

function encode(
  type: number,
  serial: number,
  fields: readonly (readonly [code: number, type: 's' | 'o' | 'g' | 'u', value: string | number])[],
  body: Buffer,
): Buffer {
  const list = new Writer();
  for (const [code, kind, value] of fields) {
    list.align(8).byte(code).signature(kind);
    if (typeof value === 'number') list.uint32(value);
    else if (kind === 'g') list.signature(value);
    else list.text(value);
  }
  const encoded = list.done();
  return Buffer.concat([
    new Writer()
      .byte(0x6c)
      .byte(type)
      .byte(0)
      .byte(1)
      .uint32(body.length)
      .uint32(serial)
      .uint32(encoded.length)
      .raw(encoded)
      .align(8)
      .done(),
    body,
  ]);
}

/** @returns the first message in the bytes and how many it takes, or undefined while it is not whole */
function decode(bytes: Buffer): { readonly message: Incoming; readonly length: number } | undefined {
  if (bytes.length < 16) return undefined;
  const bodyLength = bytes.readUInt32LE(4);
  const fieldsLength = bytes.readUInt32LE(12);
  const bodyStart = Math.ceil((16 + fieldsLength) / 8) * 8;
  if (bytes.length < bodyStart + bodyLength) return undefined;
  const found = { member: '', sender: '', replySerial: 0 };
  let at = 16;
  while (at < 16 + fieldsLength) {
    at = Math.ceil(at / 8) * 8;
    const code = bytes.readUInt8(at);
    const kind = String.fromCharCode(bytes.readUInt8(at + 2));
    at += 4;
    if (kind === 'g') {
      at += bytes.readUInt8(at) + 2;
      continue;
    }
    at = Math.ceil(at / 4) * 4;
    const number = bytes.readUInt32LE(at);
    at += 4;
    if (kind === 'u') {
      if (code === fieldCodes.replySerial) found.replySerial = number;
      continue;
    }
    const text = bytes.toString('utf8', at, at + number);
    at += number + 1;
    if (code === fieldCodes.member) found.member = text;
    if (code === 7) found.sender = text;
  }
  return {
    message: {
      type: bytes.readUInt8(1),
      serial: bytes.readUInt32LE(8),
      ...found,
      body: bytes.subarray(bodyStart, bodyStart + bodyLength),
    },
    length: bodyStart + bodyLength,
  };
}

async function connectToBus(): Promise<Socket> {
  const address = process.env['DBUS_SESSION_BUS_ADDRESS'] ?? '';
  const path = /unix:(?:path|abstract)=([^,;]+)/u.exec(address)?.[1];
  if (path === undefined) throw new Error('There is no session bus here: run this by build/run-as-user.mjs.');
  const socket = connect(address.startsWith('unix:abstract') ? `\0${path}` : path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const greeted = new Promise<void>((resolve, reject) => {
    socket.once('data', (line) => {
      if (line.toString('latin1').startsWith('OK')) resolve();
      else reject(new Error('The session bus refused this user.'));
    });
  });
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(userInfo().uid)).toString('hex')}\r\n`);
  await greeted;
  socket.write('BEGIN\r\n');
  return socket;
}

/** Owns the watcher's name until closed. */
export async function startTrayHost(): Promise<TrayHost> {
  const socket = await connectToBus();
  let serial = 0;
  let item = { sender: '', path: '/StatusNotifierItem' };
  const answers = new Map<number, () => void>();

  const callBus = (member: string, signature: string, body: Buffer): Promise<void> => {
    serial += 1;
    const answered = new Promise<void>((resolve) => answers.set(serial, resolve));
    socket.write(
      encode(
        messageTypes.call,
        serial,
        [
          [fieldCodes.path, 'o', '/org/freedesktop/DBus'],
          [fieldCodes.interface, 's', 'org.freedesktop.DBus'],
          [fieldCodes.member, 's', member],
          [fieldCodes.destination, 's', 'org.freedesktop.DBus'],
          ...(signature === '' ? [] : [[fieldCodes.signature, 'g', signature] as const]),
        ],
        body,
      ),
    );
    return answered;
  };

  const answer = (call: Incoming): void => {
    if (call.member === 'RegisterStatusNotifierItem') {
      const given = call.body.toString('utf8', 4, 4 + call.body.readUInt32LE(0));
      item = { sender: call.sender, path: given.startsWith('/') ? given : '/StatusNotifierItem' };
    }
    // The one property that is asked for: IsStatusNotifierHostRegistered.
    const isGet = call.member === 'Get';
    serial += 1;
    socket.write(
      encode(
        messageTypes.reply,
        serial,
        [
          [fieldCodes.replySerial, 'u', call.serial],
          [fieldCodes.destination, 's', call.sender],
          ...(isGet ? [[fieldCodes.signature, 'g', 'v'] as const] : []),
        ],
        isGet ? new Writer().signature('b').uint32(1).done() : Buffer.alloc(0),
      ),
    );
  };

  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (let next = decode(received); next !== undefined; next = decode(received)) {
      received = received.subarray(next.length);
      if (next.message.type === messageTypes.call) answer(next.message);
      else if (next.message.type === messageTypes.reply) answers.get(next.message.replySerial)?.();
    }
  });
  await callBus('Hello', '', Buffer.alloc(0));
  await callBus('RequestName', 'su', new Writer().text(watcherName).uint32(4).done());

  const ask = async (path: string, method: string, ...values: readonly string[]): Promise<string> => {
    const { stdout } = await run(
      'gdbus',
      ['call', '--session', '--dest', item.sender, '--object-path', path, '--method', method, '--', ...values],
      { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 },
    );
    return stdout;
  };
  const property = (name: string): Promise<string> =>
    ask(item.path, 'org.freedesktop.DBus.Properties.Get', 'org.kde.StatusNotifierItem', name);
  const menuPath = async (): Promise<string> => {
    const path = /'(\/[^']+)'/u.exec(await property('Menu'))?.[1];
    if (path === undefined) throw new Error('The tray item names no menu.');
    return path;
  };

  const items = async (): Promise<readonly TrayMenuItem[]> => {
    const layout = await ask(await menuPath(), 'com.canonical.dbusmenu.GetLayout', '0', '-1', '@as []');
    return [...layout.matchAll(/\((\d+), \{([^}]*)\}/gu)].flatMap(([, id, properties]) => {
      const label = /'label': <(?:'([^']*)'|"([^"]*)")>/u.exec(properties ?? '');
      if (label === null) return [];
      const text = (label[1] ?? label[2] ?? '').replaceAll('__', '_');
      return [{ id: Number(id), label: text, enabled: !/'enabled': <false>/u.test(properties ?? '') }];
    });
  };

  return {
    items,
    async click(label) {
      const chosen = (await items()).find((each) => each.label === label);
      if (chosen?.enabled !== true) throw new Error(`The tray menu has no active item "${label}".`);
      await ask(await menuPath(), 'com.canonical.dbusmenu.Event', String(chosen.id), 'clicked', '<int32 0>', '0');
    },
    tooltip: () => property('ToolTip'),
    icon: () => property('IconPixmap'),
    hasItem: async () =>
      item.sender !== '' &&
      (await property('Id').then(
        () => true,
        () => false,
      )),
    close() {
      socket.destroy();
    },
  };
}
