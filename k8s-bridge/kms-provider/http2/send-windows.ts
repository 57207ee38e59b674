/** What the other side lets us send (RFC 9113, 5.2): bodies that do not fit wait for its window updates. */
import { flags, frame, frameTypes, initialWindow, largestFrame, largestWindow } from './frames.ts';

interface Waiting {
  rest: Buffer;
  readonly trailers: Buffer;
}

export interface SendWindows {
  /** @returns true where a body of that length may go out in one frame now; it is taken as sent then */
  take(stream: number, length: number): boolean;
  /** Sends what fits of a body that `take` refused, and the trailers' frame behind the last of it. */
  queue(stream: number, body: Buffer, trailers: Buffer): void;
  /** @param stream 0 for the connection. @returns false where the window would be larger than there is */
  widen(stream: number, by: number): boolean;
  /** SETTINGS_INITIAL_WINDOW_SIZE. */
  setInitial(bytes: number): void;
  forget(stream: number): void;
}

/** @param onSent a queued body is out whole */
export function createSendWindows(write: (bytes: Buffer) => void, onSent: (stream: number) => void): SendWindows {
  let initial = initialWindow;
  let connection = initialWindow;
  /** How far a stream's window is from the initial one, for those where it is. */
  const moved = new Map<number, number>();
  const waiting = new Map<number, Waiting>();
  const room = (stream: number): number => Math.min(connection, initial + (moved.get(stream) ?? 0), largestFrame);
  const spend = (stream: number, length: number): void => {
    connection -= length;
    moved.set(stream, (moved.get(stream) ?? 0) - length);
  };
  const send = (stream: number, entry: Waiting): void => {
    while (entry.rest.length > 0) {
      const length = Math.min(room(stream), entry.rest.length);
      if (length <= 0) return;
      spend(stream, length);
      write(frame(frameTypes.data, 0, stream, entry.rest.subarray(0, length)));
      entry.rest = entry.rest.subarray(length);
    }
    waiting.delete(stream);
    write(frame(frameTypes.headers, flags.endHeaders | flags.endStream, stream, entry.trailers));
    onSent(stream);
  };
  const sendAll = (): void => {
    for (const [stream, entry] of waiting) send(stream, entry);
  };
  return {
    take: (stream, length) => {
      if (length > room(stream)) return false;
      connection -= length;
      return true;
    },
    queue: (stream, body, trailers) => {
      const entry = { rest: body, trailers };
      waiting.set(stream, entry);
      send(stream, entry);
    },
    widen: (stream, by) => {
      if (stream === 0) {
        connection += by;
        if (connection > largestWindow) return false;
        sendAll();
        return true;
      }
      const wider = (moved.get(stream) ?? 0) + by;
      if (initial + wider > largestWindow) return false;
      moved.set(stream, wider);
      const entry = waiting.get(stream);
      if (entry !== undefined) send(stream, entry);
      return true;
    },
    setInitial: (bytes) => {
      initial = bytes;
      sendAll();
    },
    forget: (stream) => {
      moved.delete(stream);
      waiting.delete(stream);
    },
  };
}
