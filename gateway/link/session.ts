import { DROPPED, GONE, PROTO } from '../../device/core/messages.ts';
import { REKEYED } from '../../device/core/update.ts';
import {
  acknowledged,
  arrive,
  type Intake,
  type Known,
  pass,
  settle,
  startIntake,
} from './intake.ts';
import {
  composeMessage,
  type DeviceEvent,
  type DeviceMessage,
  type Hello,
  type Offer,
  type Sample,
  type Status,
} from './messages.ts';
import { type Rekey, startRekey, tickRekey } from './rekey.ts';
import { backOff, dueNow, FIRST_WAIT_MS, type Timer } from './timer.ts';
import {
  answerWant,
  hearOrder,
  hearTransfer,
  type Order,
  startTransfer,
  statusOf,
  type Transfer,
  tickOrder,
  tickTransfer,
} from './transfer.ts';

/** What a device should send: see `travels` in device/core/link.ts. */
export interface SendingPolicy {
  confidentOneIn: number;
  uncertainBelow: number;
  rawOneIn: number;
}

/** A raw window that was asked for and has not come yet. */
interface Asked {
  seq: number;
  timer: Timer;
}

/** The gateway's end of one device's link. Never changed in place, but for its books and counts. */
export interface SessionState {
  open: boolean;
  hello: Hello | undefined;
  /** session of a hello that the caller has not answered yet, else 0 */
  greeting: number;
  books: Intake;
  /** what was acknowledged last */
  acked: number;
  policy: SendingPolicy;
  asked: readonly Asked[];
  transfer: Transfer | undefined;
  order: Order | undefined;
  rekey: Rekey | undefined;
  /** asks the device for a hello, until one comes */
  nudge: Timer | undefined;
  /** the last time that a message of nobody known was answered */
  nudgedMs: number;
  counts: { samples: number; duplicates: number; lost: number };
}

export type SessionInput =
  | { t: 'open'; now: number }
  | { t: 'close'; now: number }
  | { t: 'tick'; now: number }
  | { t: 'message'; now: number; message: DeviceMessage }
  /** the answer to effect `hello`: what the store has of its session */
  | { t: 'welcome'; now: number; session: number; known: Known }
  | { t: 'durable' | 'failed'; now: number; session: number; seqs: readonly number[] }
  | { t: 'offer'; now: number; offer: Offer; parts: readonly Uint8Array[] }
  | { t: 'confirm' | 'revert'; now: number; release: number }
  | { t: 'rekey'; now: number; generation: number; keys: Uint8Array }
  /** the device speaks under its new keys */
  | { t: 'rekeyed'; now: number }
  | { t: 'ask'; now: number; seqs: readonly number[] }
  | { t: 'policy'; now: number; policy: SendingPolicy };

export type SessionEffect =
  /** `release` where the bytes belong to an update; `under` the keys that are on their way */
  | { t: 'send'; bytes: Uint8Array; release?: number; under?: 'pending' }
  | { t: 'hello'; hello: Hello }
  /** new: once in this session. Answered with `durable` or `failed`. */
  | { t: 'sample'; sample: Sample }
  /** a sample that is stored already, again, with the window that was asked for */
  | { t: 'window'; sample: Sample }
  | { t: 'gone'; session: number; seq: number }
  /** ranges of seqs, ends included, that the device dropped before they arrived */
  | { t: 'lost'; session: number; ranges: [number, number][] }
  | { t: 'status'; status: Status }
  | { t: 'event'; event: DeviceEvent };

/** How many raw windows are asked for at once. */
const ASKED_AT_ONCE = 4;

/**
 * A session that knows no device yet.
 *
 * @param policy sent with every welcome
 */
export function startSession(policy: SendingPolicy): SessionState {
  return {
    open: false,
    hello: undefined,
    greeting: 0,
    books: startIntake(0),
    acked: 0,
    policy,
    asked: [],
    transfer: undefined,
    order: undefined,
    rekey: undefined,
    nudge: undefined,
    nudgedMs: -FIRST_WAIT_MS,
    counts: { samples: 0, duplicates: 0, lost: 0 },
  };
}

/** When `tick` is next wanted; Infinity while nothing is outstanding. */
export function dueAt(state: SessionState): number {
  if (!state.open) return Infinity;
  const { transfer, order, rekey, nudge, asked } = state;
  if (state.books.session === 0) return nudge?.dueMs ?? Infinity;
  if (!transfer && !order && !rekey && !nudge && asked.length === 0) return Infinity;
  const timers = [transfer?.timer, order?.timer, rekey?.timer, nudge];
  for (const { timer } of asked.slice(0, ASKED_AT_ONCE)) timers.push(timer);
  return Math.min(...timers.map((timer) => timer?.dueMs ?? Infinity));
}

class Step {
  state: SessionState;
  readonly effects: SessionEffect[] = [];
  readonly now: number;

  constructor(state: SessionState, now: number) {
    this.state = state;
    this.now = now;
  }

  set(change: Partial<SessionState>): void {
    this.state = { ...this.state, ...change };
  }

  count(what: keyof SessionState['counts'], by: number): void {
    this.state.counts[what] += by;
  }

  send(bytes: Uint8Array, release?: number): void {
    this.effects.push(release === undefined ? { t: 'send', bytes } : { t: 'send', bytes, release });
  }

  /** Acknowledges what has become durable or lost, or all of it again. */
  ack(again: boolean): void {
    const { books, acked } = this.state;
    const seq = acknowledged(books);
    if (seq <= acked && !again) return;
    this.set({ acked: seq });
    this.send(composeMessage('ack', { session: books.session, seq }));
  }

  /** Whether a message is of the known session; if not, its sender is asked for a hello. */
  knows(session: number): boolean {
    const { books, greeting, nudgedMs } = this.state;
    if (session === books.session && session !== 0) return true;
    if (greeting === 0 && this.now - nudgedMs >= FIRST_WAIT_MS) this.nudge();
    return false;
  }

  nudge(): void {
    this.set({ nudgedMs: this.now });
    this.send(composeMessage('ack', { session: 0, seq: 0 }));
  }

  /** Takes a status as heard, whether it came as such or in a hello. */
  hear(status: Status): void {
    const { transfer, order } = this.state;
    this.set({
      transfer: transfer && hearTransfer(transfer, status, this.now),
      order: order && hearOrder(order, status),
    });
  }

  forget(seqs: readonly Asked[]): void {
    const { session } = this.state.books;
    this.set({ asked: this.state.asked.filter((asked) => !seqs.includes(asked)) });
    for (const { seq } of seqs) this.effects.push({ t: 'gone', session, seq });
  }
}

function greet(step: Step, hello: Hello): void {
  // an id that every object has as a name would deceive each table of devices
  if (hello.proto !== PROTO || hello.session < 1 || hello.id === '' || hello.id in {}) return;
  const before = step.state.hello;
  if (before !== undefined && before.id !== hello.id) {
    // Another device on the same port: nothing that was meant for the first is for this one.
    step.forget(step.state.asked);
    step.set({ transfer: undefined, order: undefined, rekey: undefined, books: startIntake(0) });
  }
  step.set({ hello, greeting: hello.session, nudge: undefined });
  const { transfer, order } = step.state;
  const status = statusOf(hello);
  // A hello tells what a lost status would have told.
  const waited = status !== undefined && transfer?.offer.release === status.release;
  const settles =
    status !== undefined && order?.release === status.release && !hearOrder(order, status);
  step.effects.push({ t: 'hello', hello });
  if (status !== undefined && (waited || settles)) {
    step.hear(status);
    step.effects.push({ t: 'status', status });
  } else if (order !== undefined && hello.release !== order.release) {
    const gone = { release: order.release, code: 6, detail: hello.release };
    step.set({ order: undefined });
    step.effects.push({ t: 'status', status: gone });
  }
}

function welcome(step: Step, session: number, known: Known): void {
  const { state, now } = step;
  if (session !== state.greeting) return;
  if (session !== state.books.session) {
    step.forget(state.asked);
    step.set({ books: startIntake(session, known) });
  }
  const seq = acknowledged(step.state.books);
  const time = Math.floor(now / 1000);
  step.set({ greeting: 0, acked: seq });
  step.send(composeMessage('welcome', { session, time, ackSeq: seq, ...step.state.policy }));
  const { transfer, order } = step.state;
  step.set({
    transfer: transfer && { ...transfer, timer: dueNow(now) },
    order: order && { ...order, timer: dueNow(now) },
    asked: step.state.asked.map(({ seq }) => ({ seq, timer: dueNow(now) })),
  });
}

function takeSample(step: Step, sample: Sample): void {
  if (!step.knows(sample.session)) return;
  const wasAsked = step.state.asked.some(({ seq }) => seq === sample.seq);
  const fresh = arrive(step.state.books, sample.seq);
  if (wasAsked && sample.window !== null) {
    step.set({ asked: step.state.asked.filter(({ seq }) => seq !== sample.seq) });
  }
  if (fresh) {
    step.count('samples', 1);
    step.effects.push({ t: 'sample', sample });
  } else if (wasAsked && sample.window !== null) {
    step.effects.push({ t: 'window', sample });
  } else {
    step.count('duplicates', 1);
    // Its acknowledgement may have been lost.
    if (sample.seq <= step.state.acked) step.ack(true);
  }
}

function takeEvent(step: Step, event: DeviceEvent): void {
  if (!step.knows(event.session)) return;
  if (event.code === DROPPED) {
    const lost = pass(step.state.books, event.a);
    if (lost.length > 0) {
      step.count(
        'lost',
        lost.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      );
      step.effects.push({ t: 'lost', session: event.session, ranges: lost });
    }
    step.ack(true);
  } else if (event.code === GONE) {
    step.forget(step.state.asked.filter(({ seq }) => seq === event.a));
  }
  step.effects.push({ t: 'event', event });
}

function take(step: Step, message: DeviceMessage): void {
  const { transfer } = step.state;
  if (message.name === 'hello') greet(step, message.body);
  else if (message.name === 'sample') takeSample(step, message.body);
  else if (message.name === 'event') takeEvent(step, message.body);
  else if (step.state.hello === undefined) step.knows(0);
  else if (message.name === 'want') {
    if (transfer === undefined) return;
    const answer = answerWant(transfer, message.body, step.now);
    step.set({ transfer: answer.transfer });
    for (const { bytes, release } of answer.send) step.send(bytes, release);
  } else if (message.body.code !== REKEYED) {
    // that one is about keys, and says by its seal what there is to say
    step.hear(message.body);
    step.effects.push({ t: 'status', status: message.body });
  }
}

/** Says again what is due. */
function tick(step: Step): void {
  const { now } = step;
  const { open, books, transfer, order, rekey, nudge, asked } = step.state;
  if (!open) return;
  if (nudge !== undefined && now >= nudge.dueMs) {
    step.set({ nudge: backOff(nudge, now) });
    step.nudge();
  }
  if (books.session === 0) return;
  if (transfer !== undefined) {
    const said = tickTransfer(transfer, now);
    step.set({ transfer: said.transfer });
    for (const { bytes, release } of said.send) step.send(bytes, release);
  }
  if (order !== undefined) {
    const said = tickOrder(order, now);
    step.set({ order: said.order });
    for (const { bytes, release } of said.send) step.send(bytes, release);
  }
  if (rekey !== undefined) {
    const said = tickRekey(rekey, now);
    step.set({ rekey: said.rekey });
    for (const one of said.send) step.effects.push({ t: 'send', ...one });
  }
  if (asked.length === 0) return;
  const session = books.session;
  const again = asked.map((one, k) => {
    if (k >= ASKED_AT_ONCE || now < one.timer.dueMs) return one;
    step.send(composeMessage('ask', { session, seq: one.seq }));
    return { seq: one.seq, timer: backOff(one.timer, now) };
  });
  step.set({ asked: again });
}

/**
 * One step of the gateway's machine for one device.
 *
 * @param state from `startSession` or the step before; not changed
 * @param input what happened, `now` in ms
 * @returns the state after it and what is to be done, in order
 */
export function next(
  state: SessionState,
  input: SessionInput,
): { state: SessionState; effects: SessionEffect[] } {
  const step = new Step(state, input.now);
  const { now } = input;
  if (input.t === 'open') {
    // a device that was welcomed before and has nothing to say would never be heard of again
    step.set({ open: true, nudge: dueNow(now) });
  } else if (input.t === 'close') step.set({ open: false });
  else if (input.t === 'message') take(step, input.message);
  else if (input.t === 'welcome') welcome(step, input.session, input.known);
  else if (input.t === 'durable' || input.t === 'failed') {
    if (input.session === state.books.session) {
      settle(state.books, input.seqs, input.t === 'durable');
      step.ack(false);
    }
  } else if (input.t === 'offer') {
    step.set({ transfer: startTransfer(input.offer, input.parts, now) });
  } else if (input.t === 'confirm' || input.t === 'revert') {
    const { release } = input;
    step.set({ order: { kind: input.t, release, timer: dueNow(now) } });
    if (input.t === 'revert' && state.transfer?.offer.release === release) {
      step.set({ transfer: undefined });
    }
  } else if (input.t === 'rekey') {
    const { generation, keys } = input;
    if (state.rekey?.generation !== generation) {
      step.set({ rekey: startRekey(generation, keys, now) });
    }
  } else if (input.t === 'rekeyed') step.set({ rekey: undefined });
  else if (input.t === 'ask') {
    const known = new Set(state.asked.map(({ seq }) => seq));
    const added = input.seqs.filter((seq) => !known.has(seq));
    step.set({
      asked: [...state.asked, ...added.map((seq) => ({ seq, timer: dueNow(now) }))],
    });
  } else if (input.t === 'policy') {
    step.set({ policy: input.policy });
    if (state.books.session !== 0) step.set({ nudge: dueNow(now) });
  }
  tick(step);
  return { state: step.state, effects: step.effects };
}
