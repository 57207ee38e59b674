import { z } from 'zod';
import type { HostEntry, HostLauncher, HostProcess } from './host-process.ts';

/** What becomes of one request. Only 'value' and 'failure' are the host's own words; neither is parsed any further here. */
export type HostOutcome =
  | { readonly kind: 'value'; readonly value: unknown }
  /** The host's answer was a failure. */
  | { readonly kind: 'failure'; readonly error: unknown }
  /** The host ended, or said something that is no envelope, before it answered. */
  | { readonly kind: 'crashed'; readonly exitCode: number | null }
  /** No answer in time: the host has been killed. */
  | { readonly kind: 'hung'; readonly deadlineMilliseconds: number }
  /** The host did not come up: it ended before it was ready, or was not ready in time. */
  | { readonly kind: 'unavailable'; readonly exitCode: number | null }
  /** `close` was called while the request was under way. */
  | { readonly kind: 'closed' };

export interface HostClientOptions {
  readonly launch: HostLauncher;
  readonly entry: HostEntry;
  readonly argumentList: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long a host may take from its start to its ready signal, in milliseconds. */
  readonly readyDeadline: number;
  /**
   * The host works on one request at a time, in order: the deadline of a request then counts from the
   * latest answer where that is later than its sending, since a queue is not the library's fault.
   */
  readonly answersInTurn?: boolean;
  /** Called when the host says by itself that what it watches has changed. */
  readonly onChanged?: () => void;
  /** Called whenever a host process has ended, however it came about. */
  readonly onExit?: (exitCode: number | null) => void;
}

export interface HostClient {
  /** Starts the host where none runs, sends the request and answers with what became of it. Never rejects. */
  request(method: string, body: unknown, deadlineMilliseconds: number): Promise<HostOutcome>;
  readonly running: boolean;
  readonly pid: number | undefined;
  /** Kills the host at once; what is under way answers 'closed'. The next request starts a new one. */
  close(): Promise<void>;
}

const answerSchema = z.union([
  z.strictObject({ id: z.number().int().nonnegative(), ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id: z.number().int().nonnegative(), ok: z.literal(false), error: z.unknown() }),
  z.strictObject({ signal: z.enum(['ready', 'changed']) }),
]);

/** How many requests one message holds at most. */
const largestMessage = 64;

/** A host may send several answers in one message. */
const messageSchema = z.union([answerSchema, z.array(answerSchema).max(64)]);
type HostAnswer = z.infer<typeof answerSchema>;

interface Request {
  readonly method: string;
  readonly body: unknown;
  readonly deadlineMilliseconds: number;
  readonly settle: (outcome: HostOutcome) => void;
}

interface Pending {
  readonly sentAt: number;
  readonly deadlineMilliseconds: number;
  readonly settle: (outcome: HostOutcome) => void;
  timer: NodeJS.Timeout;
}

/** One process, from its start to its end. A client goes through as many as it takes. */
interface Host {
  readonly process: HostProcess;
  readonly pending: Map<number, Pending>;
  /** Requests that wait for the ready signal; until it comes, its deadline stands in for theirs. */
  readonly waiting: Request[];
  /** Requests of this turn, not handed to the process yet. */
  readonly outbox: { readonly id: number; readonly method: string; readonly body: unknown }[];
  /** How many requests the next message holds at most. */
  messageSize: number;
  readonly exited: Promise<void>;
  ready: boolean;
  ended: boolean;
  lastAnswerAt: number;
}

/**
 * A request-and-reply client over a host process. The host is started at the first request and again at
 * the next one after it ended. A host that dies or is silent past a deadline never leaves a request
 * open: each answers with a value, and a silent host is killed.
 */
export function createHostClient(options: HostClientOptions): HostClient {
  let current: Host | undefined;
  let nextId = 0;

  function end(host: Host, outcome: HostOutcome): void {
    if (host.ended) return;
    host.ended = true;
    if (current === host) current = undefined;
    host.process.kill();
    for (const request of host.waiting.splice(0)) request.settle(outcome);
    for (const pending of host.pending.values()) {
      clearTimeout(pending.timer);
      pending.settle(outcome);
    }
    host.pending.clear();
  }

  function receive(host: Host, message: unknown): void {
    if (host.ended) return;
    const parsed = messageSchema.safeParse(message);
    if (!parsed.success) {
      end(host, { kind: 'crashed', exitCode: null });
      return;
    }
    for (const answer of Array.isArray(parsed.data) ? parsed.data : [parsed.data]) settle(host, answer);
  }

  function settle(host: Host, answer: HostAnswer): void {
    if ('signal' in answer) {
      if (answer.signal === 'changed') options.onChanged?.();
      if (answer.signal === 'changed' || host.ready) return;
      host.ready = true;
      for (const request of host.waiting.splice(0)) send(host, request);
      return;
    }
    const pending = host.pending.get(answer.id);
    if (pending === undefined) return;
    host.pending.delete(answer.id);
    host.lastAnswerAt = performance.now();
    clearTimeout(pending.timer);
    pending.settle(answer.ok ? { kind: 'value', value: answer.value } : { kind: 'failure', error: answer.error });
  }

  function start(): Host {
    const process = options.launch(options.entry, options.argumentList, options.environment);
    let resolveExited: () => void = () => undefined;
    const host: Host = {
      process,
      pending: new Map(),
      waiting: [],
      outbox: [],
      messageSize: 1,
      exited: new Promise((resolve) => {
        resolveExited = resolve;
      }),
      ready: false,
      ended: false,
      lastAnswerAt: 0,
    };
    const readyTimer = setTimeout(() => {
      if (!host.ready) end(host, { kind: 'unavailable', exitCode: null });
    }, options.readyDeadline);
    process.onMessage((message) => {
      receive(host, message);
      if (host.ready) clearTimeout(readyTimer);
    });
    process.onExit((exitCode) => {
      clearTimeout(readyTimer);
      end(host, host.ready ? { kind: 'crashed', exitCode } : { kind: 'unavailable', exitCode });
      resolveExited();
      options.onExit?.(exitCode);
    });
    return host;
  }

  /** Kills the host when a request's deadline has passed; looks again later where it was busy with earlier ones. */
  function watch(host: Host, id: number, afterMilliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const pending = host.pending.get(id);
      if (pending === undefined) return;
      const from = options.answersInTurn === true ? Math.max(pending.sentAt, host.lastAnswerAt) : pending.sentAt;
      const left = from + pending.deadlineMilliseconds - performance.now();
      if (left > 1) pending.timer = watch(host, id, left);
      else end(host, { kind: 'hung', deadlineMilliseconds: pending.deadlineMilliseconds });
    }, afterMilliseconds);
  }

  /**
   * What is asked in one turn leaves in few messages, since to the host a message costs a tenth of a quick decrypt;
   * but the first request leaves at once and more follow while later ones are still being put together, so that
   * the host works meanwhile.
   */
  function flush(host: Host): void {
    const [first, ...others] = host.outbox.splice(0);
    if (first === undefined || host.ended) return;
    host.process.postMessage(others.length === 0 ? first : [first, ...others]);
  }

  function send(host: Host, { method, body, deadlineMilliseconds, settle }: Request): void {
    const id = nextId;
    nextId += 1;
    const pending = { sentAt: performance.now(), deadlineMilliseconds, settle };
    host.pending.set(id, { ...pending, timer: watch(host, id, deadlineMilliseconds) });
    if (host.pending.size === 1) host.messageSize = 1;
    host.outbox.push({ id, method, body });
    if (host.outbox.length >= host.messageSize) {
      host.messageSize = Math.min(host.messageSize * 4, largestMessage);
      flush(host);
    } else if (host.outbox.length === 1) queueMicrotask(() => flush(host));
  }

  return {
    request: (method, body, deadlineMilliseconds) =>
      new Promise((settle) => {
        current ??= start();
        const request = { method, body, deadlineMilliseconds, settle };
        if (current.ready) send(current, request);
        else current.waiting.push(request);
      }),
    get running() {
      return current !== undefined;
    },
    get pid() {
      return current?.process.pid;
    },
    close: async () => {
      const host = current;
      if (host === undefined) return;
      end(host, { kind: 'closed' });
      await host.exited;
    },
  };
}
