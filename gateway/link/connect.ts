import { encodeFrame, feed, frameDecoder } from '../../device/core/frame.ts';
import { ASK } from '../../device/core/messages.ts';
import { createGuard, type GuardStats, type Refusal } from './guard.ts';
import type { Known } from './intake.ts';
import { type KeyRing, noKeys } from './keys.ts';
import {
  type DeviceEvent,
  type Hello,
  type Offer,
  parseMessage,
  type Sample,
  type Status,
} from './messages.ts';
import { createOutbox } from './outbox.ts';
import { type Clock, type Port, realClock } from './port.ts';
import {
  dueAt,
  next,
  type SendingPolicy,
  type SessionEffect,
  type SessionInput,
  startSession,
} from './session.ts';
import { soon } from './soon.ts';
import type { SuiteName } from './suites/suite.ts';

/** Who is told what a device says. */
export interface Handlers {
  /**
   * A device introduces itself, or has something new to say about itself. One with keys has proven
   * by then that it has them, and that it speaks now.
   *
   * @param suite of its frames
   * @returns what is stored of its session, so that after a restart of the gateway nothing is
   *   stored or reported lost twice; undefined to refuse the device: it gets no answer
   */
  onHello(hello: Hello, suite: SuiteName | 'none'): Known | undefined | Promise<Known | undefined>;
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
  /** Something was turned away before anything of it was believed; it is repeated as often. */
  onRefused?(refusal: Refusal): void;
  /** A device has taken new keys. */
  onRekeyed?(device: string, generation: number): void;
  /** The port was lost (with why) or closed by its other end. A lost one is opened again. */
  onClose(why?: Error): void;
  /** The port cannot be opened, for this reason: told once for each; without one, when it is open. */
  onWaiting?(why?: Error): void;
}

export interface ConnectOptions {
  policy: SendingPolicy;
  clock?: Clock;
  /** of devices that have keys; default none have */
  keys?: KeyRing;
  /** whether devices without keys are heard; default only on virtual ports */
  plain?: boolean;
  /** a port that is not there yet is waited for; default its first opening may fail */
  patient?: boolean;
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
  /** clock's ms of the last good frame, 0 for none */
  heardMs: number;
  wire: ReadonlyMap<number, WireBytes>;
  /** messages that wait for the port to take them */
  waiting: number;
  guard: GuardStats;
}

/** One device's link, seen from the gateway. */
export interface Connection {
  offer(offer: Offer, parts: readonly Uint8Array[]): void;
  confirm(release: number): void;
  revert(release: number): void;
  /** Asks for the raw windows of stored samples of the present session. */
  ask(seqs: readonly number[]): void;
  policy(policy: SendingPolicy): void;
  /** Hands pending keys to the device, if it has some and is here. */
  rekey(): void;
  /** A device's keys were removed or replaced: what it says is nobody's any more. */
  forget(device: string): void;
  stats(): LinkStats;
  /** Closes the port and stops. */
  close(): Promise<void>;
}

const FIRST_REOPEN_MS = 250;
const LONGEST_REOPEN_MS = 5000;

/**
 * Opens a port and runs the session machine on it.
 *
 * A port that is lost later is opened again for ever, with back-off.
 *
 * @param port closed
 * @param handlers see Handlers; they must not throw
 * @throws GatewayError 'port' if it cannot be opened; not where it is waited for
 */
export async function connect(
  port: Port,
  handlers: Handlers,
  options: ConnectOptions,
): Promise<Connection> {
  const clock = options.clock ?? realClock;
  const keys = options.keys ?? noKeys;
  const outbox = createOutbox(port);
  const guard = createGuard({
    ...{ keys, clock, port: port.name, plain: options.plain ?? port.virtual === true },
    send: (key, payload, seal) => send(key, payload, seal),
    onRefused: (refusal) => handlers.onRefused?.(refusal),
    onRekeyed(device, generation) {
      run({ t: 'rekeyed', now: clock.now() });
      handlers.onRekeyed?.(device, generation);
    },
  });
  const decoder = frameDecoder(options.maxFrameBytes ?? 16_384);
  const wire = new Map<number, WireBytes>();
  const total = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, badMessages: 0, heardMs: 0 };
  const settled = { durable: new Map<number, number[]>(), failed: new Map<number, number[]>() };
  let state = startSession(options.policy);
  let timer: unknown;
  let timerDue = Infinity;
  /** takes back that what is settled is acknowledged soon */
  let flush: (() => void) | undefined;
  let reopening: unknown;
  /** why the port cannot be opened, as it was told */
  let waitingFor: string | undefined;
  let ended = false;
  /** the device that the session is with */
  let whose = '';

  function onWire(release: number, way: keyof WireBytes, bytes: number): void {
    const entry = wire.get(release) ?? { sent: 0, received: 0 };
    entry[way] += bytes;
    wire.set(release, entry);
  }

  function send(
    key: string,
    payload: Uint8Array,
    seal: () => Uint8Array | undefined,
    release?: number,
  ): void {
    outbox.put(key, payload, () => {
      const sealed = seal();
      if (sealed === undefined) return undefined; // there is nobody whom it is for
      const frame = encodeFrame(sealed, (bytes) => bytes);
      total.framesOut++;
      total.bytesOut += frame.length;
      if (release !== undefined) onWire(release, 'sent', frame.length);
      return frame;
    });
  }

  function perform(effect: SessionEffect): void {
    if (effect.t === 'send') {
      const { bytes, release, under } = effect;
      // an ask is about one window of many; of all else the newest counts
      const key = bytes[0] === ASK ? `${bytes}` : `${bytes[0]}`;
      const device = guard.device;
      send(
        key,
        bytes,
        () => (guard.device === device ? guard.seal(bytes, under) : undefined),
        release,
      );
    } else if (effect.t === 'hello') void greet(effect.hello);
    else if (effect.t === 'sample') {
      const { session, seq } = effect.sample;
      const of = whose;
      handlers.onSample(effect.sample, (kept = true) => {
        if (whose === of) finish(session, seq, kept);
      });
    } else if (effect.t === 'window') handlers.onWindow(effect.sample);
    else if (effect.t === 'gone') handlers.onGone(effect.session, effect.seq);
    else if (effect.t === 'lost') handlers.onLost(effect.session, effect.ranges);
    else if (effect.t === 'status') handlers.onStatus(effect.status);
    else handlers.onEvent(effect.event);
  }

  function greet(hello: Hello): void | Promise<void> {
    const { session, id } = hello;
    // numbers of sessions are a device's own: what was of the one before is not of this one
    if (id !== whose) for (const group of Object.values(settled)) group.clear();
    whose = id;
    const welcome = (known: Known | undefined): void => {
      if (known === undefined || whose !== id) return;
      run({ t: 'welcome', now: clock.now(), session, known });
      rekey();
    };
    const answer = handlers.onHello(hello, guard.stats().suite ?? 'none');
    if (answer instanceof Promise) return answer.then(welcome);
    welcome(answer);
  }

  function rekey(): void {
    const pending = guard.device === undefined ? undefined : keys.get(guard.device)?.pending;
    if (!pending) return;
    const { generation, up, down } = pending;
    run({ t: 'rekey', now: clock.now(), generation, keys: Uint8Array.of(...up, ...down) });
  }

  /** A commit finishes many samples at once: they are acknowledged together. */
  function finish(session: number, seq: number, kept: boolean): void {
    const group = kept ? settled.durable : settled.failed;
    const seqs = group.get(session);
    if (seqs === undefined) group.set(session, [seq]);
    else seqs.push(seq);
    flush ??= soon(clock, () => {
      flush = undefined;
      for (const t of ['durable', 'failed'] as const) {
        const groups = [...settled[t]];
        settled[t].clear();
        for (const [of, seqs] of groups) run({ t, now: clock.now(), session: of, seqs });
      }
    });
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
    feed(decoder, bytes, guard.open, receive);
  });
  port.onClose((why) => {
    if (ended) return;
    outbox.clear();
    run({ t: 'close', now: clock.now() });
    handlers.onClose(why);
    if (why !== undefined) reopen(FIRST_REOPEN_MS);
  });

  /** A cable comes back when somebody plugs it in: tried for ever. */
  function reopen(waitMs: number): void {
    reopening = clock.setTimeout(() => {
      port.open().then(
        () => (ended ? void port.close() : opened()),
        (why: Error) => {
          if (ended) return;
          if (why.message !== waitingFor) handlers.onWaiting?.(why);
          waitingFor = why.message;
          reopen(Math.min(Math.max(waitMs * 2, FIRST_REOPEN_MS), LONGEST_REOPEN_MS));
        },
      );
    }, waitMs);
  }

  function opened(): void {
    if (waitingFor !== undefined) handlers.onWaiting?.();
    waitingFor = undefined;
    guard.call();
    run({ t: 'open', now: clock.now() });
  }

  if (options.patient) reopen(0);
  else {
    await port.open();
    opened();
  }

  return {
    offer: (offer, parts) => run({ t: 'offer', now: clock.now(), offer, parts }),
    confirm: (release) => run({ t: 'confirm', now: clock.now(), release }),
    revert: (release) => run({ t: 'revert', now: clock.now(), release }),
    ask: (seqs) => run({ t: 'ask', now: clock.now(), seqs }),
    policy: (policy) => run({ t: 'policy', now: clock.now(), policy }),
    rekey,
    forget: (device) => guard.forget(device),
    stats: () => {
      const copy = new Map([...wire].map(([release, bytes]) => [release, { ...bytes }]));
      return {
        ...{ ...total, ...state.counts, badFrames: decoder.bad, wire: copy },
        ...{ waiting: outbox.waiting, guard: guard.stats() },
      };
    },
    close: async () => {
      run({ t: 'close', now: clock.now() });
      ended = true;
      flush?.();
      if (reopening !== undefined) clock.clearTimeout(reopening);
      await port.close();
    },
  };
}
