import { crc32 as nodeCrc32 } from 'node:zlib';
import {
  encodeFrame,
  feed,
  frameDecoder,
  plainSuite,
  type Suite,
} from '../../device/core/frame.ts';
import type { Known } from './intake.ts';
import {
  type DeviceEvent,
  type Hello,
  type Offer,
  parseMessage,
  type Sample,
  type Status,
} from './messages.ts';
import { type Clock, type Port, realClock } from './port.ts';
import {
  dueAt,
  next,
  type SendingPolicy,
  type SessionEffect,
  type SessionInput,
  startSession,
} from './session.ts';

/** Who is told what a device says. */
export interface Handlers {
  /**
   * A device introduces itself, or has something new to say about itself.
   *
   * @returns what is stored of its session, so that after a restart of the gateway nothing is
   *   stored or reported lost twice; undefined to refuse the device: it gets no answer
   */
  onHello(hello: Hello): Known | undefined | Promise<Known | undefined>;
  /**
   * A new sample, once in each connection. Call `done()` when it is committed, `done(false)` when
   * it could not be: the device is told that it is stored only after the former.
   */
  onSample(sample: Sample, done: (kept?: boolean) => void): void;
  /** A stored sample once more, with the raw window that was asked for. */
  onWindow(sample: Sample): void;
  /** The device no longer has the raw window that was asked for. */
  onGone(session: number, seq: number): void;
  /** Ranges of seqs, ends included, that the device had to drop. */
  onLost(session: number, ranges: [number, number][]): void;
  onStatus(status: Status): void;
  onEvent(event: DeviceEvent): void;
  /** The port was lost (with why) or closed by its other end. A lost one is opened again. */
  onClose(why?: Error): void;
}

export interface ConnectOptions {
  policy: SendingPolicy;
  clock?: Clock;
  /** default: `none`, a CRC-32 alone */
  suite?: Suite;
  /** longest frame taken, default 16,384 bytes */
  maxFrameBytes?: number;
}

/** Bytes on the wire, frames whole, of one release: the price of an update. */
export interface WireBytes {
  sent: number;
  received: number;
}

export interface LinkStats {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** frames that were damaged, and whole ones that were no message */
  badFrames: number;
  badMessages: number;
  samples: number;
  duplicates: number;
  lost: number;
  /** messages of a session that was not known */
  strangers: number;
  /** clock's ms of the last good frame, 0 for none */
  heardMs: number;
  wire: ReadonlyMap<number, WireBytes>;
}

/** One device's link, seen from the gateway. */
export interface Connection {
  offer(offer: Offer, parts: readonly Uint8Array[]): void;
  confirm(release: number): void;
  revert(release: number): void;
  /** Asks for the raw windows of stored samples of the present session. */
  ask(seqs: readonly number[]): void;
  policy(policy: SendingPolicy): void;
  stats(): LinkStats;
  /** Closes the port and stops. */
  close(): Promise<void>;
}

const FIRST_REOPEN_MS = 250;
const LONGEST_REOPEN_MS = 5000;

/** @returns the suite `none` with Node's own CRC-32 */
export function nodeSuite(): Suite {
  return plainSuite((bytes) => nodeCrc32(bytes));
}

/**
 * Opens a port and runs the session machine on it.
 *
 * A port that is lost later is opened again for ever, with back-off.
 *
 * @param port closed
 * @param handlers see Handlers; they must not throw
 * @throws GatewayError 'port' if it cannot be opened
 */
export async function connect(
  port: Port,
  handlers: Handlers,
  options: ConnectOptions,
): Promise<Connection> {
  const clock = options.clock ?? realClock;
  const suite = options.suite ?? nodeSuite();
  const decoder = frameDecoder(options.maxFrameBytes ?? 16_384);
  const wire = new Map<number, WireBytes>();
  const total = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, badMessages: 0, heardMs: 0 };
  const settled = { durable: new Map<number, number[]>(), failed: new Map<number, number[]>() };
  let state = startSession(options.policy);
  let timer: unknown;
  let timerDue = Infinity;
  let flush: unknown;
  let reopening: unknown;
  let ended = false;

  function onWire(release: number, way: keyof WireBytes, bytes: number): void {
    const entry = wire.get(release) ?? { sent: 0, received: 0 };
    entry[way] += bytes;
    wire.set(release, entry);
  }

  function perform(effect: SessionEffect): void {
    if (effect.t === 'send') {
      const frame = encodeFrame(effect.bytes, suite.seal);
      total.framesOut++;
      total.bytesOut += frame.length;
      if (effect.release !== undefined) onWire(effect.release, 'sent', frame.length);
      port.write(frame);
    } else if (effect.t === 'hello') void greet(effect.hello);
    else if (effect.t === 'sample') {
      const { session, seq } = effect.sample;
      handlers.onSample(effect.sample, (kept = true) => finish(session, seq, kept));
    } else if (effect.t === 'window') handlers.onWindow(effect.sample);
    else if (effect.t === 'gone') handlers.onGone(effect.session, effect.seq);
    else if (effect.t === 'lost') handlers.onLost(effect.session, effect.ranges);
    else if (effect.t === 'status') handlers.onStatus(effect.status);
    else handlers.onEvent(effect.event);
  }

  function greet(hello: Hello): void | Promise<void> {
    const { session } = hello;
    const welcome = (known: Known | undefined): void => {
      if (known !== undefined) run({ t: 'welcome', now: clock.now(), session, known });
    };
    const answer = handlers.onHello(hello);
    if (answer instanceof Promise) return answer.then(welcome);
    welcome(answer);
  }

  /** A commit finishes many samples at once: they are acknowledged together. */
  function finish(session: number, seq: number, kept: boolean): void {
    const group = kept ? settled.durable : settled.failed;
    group.set(session, [...(group.get(session) ?? []), seq]);
    flush ??= clock.setTimeout(() => {
      flush = undefined;
      for (const t of ['durable', 'failed'] as const) {
        const groups = [...settled[t]];
        settled[t].clear();
        for (const [of, seqs] of groups) run({ t, now: clock.now(), session: of, seqs });
      }
    }, 0);
  }

  const queue: SessionInput[] = [];
  let running = false;

  /** Handlers may call back: their inputs wait until the step before is carried out. */
  function run(input: SessionInput): void {
    if (ended) return;
    queue.push(input);
    if (running) return;
    running = true;
    try {
      for (let head = queue.shift(); head !== undefined; head = queue.shift()) {
        const step = next(state, head);
        state = step.state;
        for (const effect of step.effects) perform(effect);
      }
    } finally {
      running = false;
    }
    schedule();
  }

  function schedule(): void {
    const due = dueAt(state);
    if (due === timerDue) return;
    if (timerDue !== Infinity) clock.clearTimeout(timer);
    timerDue = due;
    if (due === Infinity) return;
    timer = clock.setTimeout(
      () => {
        timerDue = Infinity;
        run({ t: 'tick', now: clock.now() });
      },
      Math.max(0, due - clock.now()),
    );
  }

  function receive(view: Uint8Array, wireBytes: number): void {
    total.framesIn++;
    total.heardMs = clock.now();
    const message = parseMessage(view.slice());
    if (message === undefined) {
      total.badMessages++;
      return;
    }
    if (message.name === 'want' || message.name === 'status') {
      // of what was sent alone: a device may name any number, and each would be kept
      const { release } = message.body;
      if (wire.has(release)) onWire(release, 'received', wireBytes);
    }
    run({ t: 'message', now: clock.now(), message });
  }

  port.onData((bytes) => {
    if (ended) return;
    total.bytesIn += bytes.length;
    feed(decoder, bytes, suite.open, receive);
  });
  port.onClose((why) => {
    if (ended) return;
    run({ t: 'close', now: clock.now() });
    handlers.onClose(why);
    if (why !== undefined) reopen(FIRST_REOPEN_MS);
  });

  /** A cable comes back when somebody plugs it in: tried for ever. */
  function reopen(waitMs: number): void {
    reopening = clock.setTimeout(() => {
      port.open().then(
        () => (ended ? void port.close() : run({ t: 'open', now: clock.now() })),
        () => ended || reopen(Math.min(waitMs * 2, LONGEST_REOPEN_MS)),
      );
    }, waitMs);
  }

  await port.open();
  run({ t: 'open', now: clock.now() });

  return {
    offer: (offer, parts) => run({ t: 'offer', now: clock.now(), offer, parts }),
    confirm: (release) => run({ t: 'confirm', now: clock.now(), release }),
    revert: (release) => run({ t: 'revert', now: clock.now(), release }),
    ask: (seqs) => run({ t: 'ask', now: clock.now(), seqs }),
    policy: (policy) => run({ t: 'policy', now: clock.now(), policy }),
    stats: () => {
      const copy = new Map([...wire].map(([release, bytes]) => [release, { ...bytes }]));
      return { ...total, ...state.counts, badFrames: decoder.bad, wire: copy };
    },
    close: async () => {
      run({ t: 'close', now: clock.now() });
      ended = true;
      if (flush !== undefined) clock.clearTimeout(flush);
      if (reopening !== undefined) clock.clearTimeout(reopening);
      await port.close();
    },
  };
}
