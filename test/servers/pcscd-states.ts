/** What pcscd itself knows of its readers, asked over its socket as libpcsclite asks (winscard_msg.h, protocol 4). */
import { connect } from 'node:net';

export const pcscdSocketPath = '/run/pcscd/pcscd.comm';

export interface ReaderState {
  readonly name: string;
  readonly hasCard: boolean;
  /** Counts insertions and removals. */
  readonly eventCounter: number;
}

const command = { version: 0x11, readerStates: 0x12 } as const;
/** Version 4.2 is understood by every pcscd since 2014. */
const protocol = { major: 4, minor: 2 } as const;
const versionAnswerLength = 12;
/** Each of 16 readers: name[128], event counter, state, sharing, ATR[33] padded to 36, ATR length, protocol. */
const readerLength = 128 + 4 + 4 + 4 + 36 + 4 + 4;
const mostReaders = 16;
const cardPresent = 0x0004;

function message(code: number, body: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + body.length * 4);
  bytes.writeUInt32LE(body.length * 4, 0);
  bytes.writeUInt32LE(code, 4);
  body.forEach((number, index) => bytes.writeInt32LE(number, 8 + index * 4));
  return bytes;
}

/** Answers undefined where no pcscd answers. */
export function readReaderStates(): Promise<readonly ReaderState[] | undefined> {
  return new Promise((resolve) => {
    const socket = connect(pcscdSocketPath);
    let received = Buffer.alloc(0);
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve(undefined));
    socket.once('connect', () => {
      socket.write(message(command.version, [protocol.major, protocol.minor, 0]));
      socket.write(message(command.readerStates, []));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < versionAnswerLength + mostReaders * readerLength) return;
      resolve(parseStates(received.subarray(versionAnswerLength)));
      socket.destroy();
    });
  });
}

function parseStates(bytes: Buffer): readonly ReaderState[] {
  const states: ReaderState[] = [];
  for (let offset = 0; offset < mostReaders * readerLength; offset += readerLength) {
    const entry = bytes.subarray(offset, offset + readerLength);
    const name = entry.toString('latin1', 0, entry.indexOf(0));
    if (name === '') continue;
    const state = entry.readUInt32LE(132);
    states.push({ name, eventCounter: entry.readUInt32LE(128), hasCard: (state & cardPresent) !== 0 });
  }
  return states;
}
