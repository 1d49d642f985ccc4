import { HELLO } from '../../device/core/messages.ts';
import { GatewayError } from '../errors.ts';
import type { DeviceKeys, KeyPair, KeyRing } from './keys.ts';
import { composeMessage, type Hello, parseMessage } from './messages.ts';
import type { Clock } from './port.ts';
import { ccm } from './suites/ccm.ts';
import { mac } from './suites/mac.ts';
import { none } from './suites/none.ts';
import {
  type LinkSuite,
  layOut,
  MOST,
  nonceOf,
  type SealedFrame,
  type SuiteName,
  takeApart,
} from './suites/suite.ts';

/** Why something that called itself a device was turned away, before anything of it was believed. */
export type Refusal =
  /** it says hello without keys, on a port where that is not allowed */
  | { why: 'unsealed'; hello?: Hello }
  /** it says hello without keys, under the name of a device that has some, or had */
  | { why: 'keyed'; hello: Hello }
  /** it has the keys of one device and the name of another */
  | { why: 'impostor'; device: string; hello: Hello }
  /** frame after frame opens under no key that there is */
  | { why: 'unknown-key' };

/** What was counted on one port. */
export interface GuardStats {
  /** suite of the device that the session is with; undefined while it is with nobody */
  suite: SuiteName | 'none' | undefined;
  /** frames that had come before, or belong to epochs that are over */
  replays: number;
  /** hellos under the key of one device and the name of another */
  impostors: number;
  /** hellos without keys that were turned away */
  unsealed: number;
  /** keys tried on frames of nobody known, and frames that had to go untried */
  tries: number;
  untried: number;
}

export interface GuardOptions {
  keys: KeyRing;
  clock: Clock;
  /** name of the port */
  port: string;
  /** whether devices without keys are heard: on virtual ports, and where that is plainly allowed */
  plain: boolean;
  /**
   * Queues a message of the guard's own; it is sealed, perhaps not at all, when its turn comes.
   *
   * @param key what it takes the place of, where that still waits
   */
  send: (key: string, payload: Uint8Array, seal: () => Uint8Array | undefined) => void;
  onRefused: (refusal: Refusal) => void;
  /** The device has taken its pending keys. */
  onRekeyed: (device: string, generation: number) => void;
  /** the highest number of a frame; lower in tests alone */
  most?: number;
}

/** Who is on a port, by key: opens and seals the frames of one connection. */
export interface Guard {
  /** The suite's `open`: a payload only of whom the session is with, or of its hello. Never throws. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  /**
   * Seals a message of the session.
   *
   * @param under the keys that are on their way, where there are some; default the present ones
   * @returns undefined while nobody has proven who he is
   */
  seal(payload: Uint8Array, under?: 'pending'): Uint8Array | undefined;
  /** the device with keys that the session is with */
  readonly device: string | undefined;
  /** The port was opened: says to the device that was on it last that the gateway is here. */
  call(): void;
  /** Forgets what it knows of a device: its keys were removed or replaced. */
  forget(device: string): void;
  stats(): GuardStats;
}

/** A device's epoch and one of the gateway's, and how far each has counted under them. */
interface Pair {
  readonly device: string;
  readonly mine: number;
  readonly theirs: number;
  sent: number;
  heard: number;
  /** number of the newest hello under the gateway's epoch 0 */
  calls: number;
  /** it has said hello under this pair, and the session is with it */
  greeted: boolean;
  nudgedMs: number;
}

const SUITES: Record<SuiteName, LinkSuite> = { ccm, mac };
/** Keys tried on frames of nobody known, a second: bounds what a flood of them costs. */
const TRIES_A_SECOND = 500;
const MOST_TRIES = 1000;
/** A device counts its boots in three bytes of a record: see device/core/slot.ts. */
const MOST_DEVICE_EPOCH = 2 ** 24 - 1;
/** Shortest time between two answers to a device that has not said hello yet. */
const NUDGE_MS = 500;
/** Frames in a row that open under no key, until somebody is told. */
const STRANGE = 5;
/** Epochs of the gateway that nobody has answered, beyond which it does not call first any more. */
const UNANSWERED = 16;

/** @returns a guard that knows nobody yet */
export function createGuard(options: GuardOptions): Guard {
  const { keys, clock, port, plain, send, onRefused, onRekeyed, most = MOST } = options;
  const pairs = new Map<string, Pair>();
  /** whom the session is with: a device with keys, else, where that is allowed, one without */
  let current: Pair | undefined;
  let spokePlain = false;
  let tokens = MOST_TRIES;
  let filledMs = clock.now();
  let turn = 0;
  let strange = 0;
  const counts = { replays: 0, impostors: 0, unsealed: 0, tries: 0, untried: 0 };

  function seal(payload: Uint8Array, pair: Pair, under?: 'pending'): Uint8Array | undefined {
    const known = keys.get(pair.device);
    if (known === undefined) return undefined;
    if (pair.sent >= most) {
      if (pairs.get(pair.device) === pair) meet(known, pair.theirs); // all numbers are used up
      return undefined;
    }
    const n = ++pair.sent;
    const { down } = (under === 'pending' && known.pending) || known.present;
    const nonce = nonceOf(pair.mine, pair.theirs, n);
    return layOut({ from: pair.mine, n, ...SUITES[known.suite].seal(down, nonce, payload) });
  }

  /** Asks a device to say hello under a pair: the gateway's epoch is in the header. */
  function nudge(pair: Pair): void {
    const now = clock.now();
    if (now - pair.nudgedMs < NUDGE_MS) return;
    pair.nudgedMs = now;
    send(`nudge ${pair.device}`, NUDGE, () =>
      unlessFails(() => (pairs.get(pair.device) === pair ? seal(NUDGE, pair) : undefined)),
    );
  }

  /**
   * Begins a pair of epochs with a device.
   *
   * @param proven whether it is known that the device is in this epoch: what anybody may have said is
   *   not remembered
   */
  function meet(known: DeviceKeys, theirs: number, { calls = 0, proven = true } = {}): void {
    const { device } = known;
    const mine = keys.begin(device, proven ? theirs : known.deviceEpoch);
    const fresh = { sent: 0, heard: 0, greeted: false, nudgedMs: -Infinity };
    const pair: Pair = { device, mine, theirs, calls, ...fresh };
    pairs.set(device, pair);
    if (current?.device === device) current = undefined;
    nudge(pair);
  }

  /** One key on one frame. @returns the payload, if it opens */
  function attempt(
    known: DeviceKeys,
    { up }: KeyPair,
    frame: SealedFrame,
    to: number,
  ): Uint8Array | undefined {
    return SUITES[known.suite].open(up, nonceOf(frame.from, to, frame.n), frame);
  }

  /** Tries present keys, then pending ones, which become the present ones where they open. */
  function attemptBoth(known: DeviceKeys, frame: SealedFrame, to: number): Uint8Array | undefined {
    const payload = attempt(known, known.present, frame, to);
    if (payload !== undefined || known.pending === null) return payload;
    const renewed = attempt(known, known.pending, frame, to);
    if (renewed !== undefined) {
      keys.promote(known.device);
      onRekeyed(known.device, known.pending.generation);
    }
    return renewed;
  }

  /** A frame under a pair that is under way here. */
  function accept(pair: Pair, frame: SealedFrame, payload: Uint8Array): Uint8Array | undefined {
    pair.heard = frame.n;
    strange = 0;
    if (payload[0] !== HELLO) {
      if (pair.greeted) return payload;
      nudge(pair); // who it is belongs first
      return undefined;
    }
    if (!isSelf(pair.device, payload)) return undefined;
    keys.prove(pair.device, { epoch: pair.mine, deviceEpoch: pair.theirs, port });
    if (current !== undefined && current !== pair) current.greeted = false;
    pair.greeted = true;
    current = pair;
    spokePlain = false;
    return payload;
  }

  /** Whether a hello names the device whose key opened it. */
  function isSelf(device: string, payload: Uint8Array): boolean {
    const hello = helloOf(payload);
    if (hello === undefined || hello.id === device) return hello !== undefined;
    counts.impostors++;
    onRefused({ why: 'impostor', device, hello });
    return false;
  }

  function openSealed(frame: SealedFrame): Uint8Array | undefined {
    for (const pair of byTurn()) {
      if (pair.theirs !== frame.from) continue;
      const known = keys.get(pair.device);
      if (known === undefined || known.provenEpoch > pair.mine) continue; // it is elsewhere now
      if (frame.n <= pair.heard) continue;
      if (pair !== current && !pay()) break;
      const payload = attemptBoth(known, frame, pair.mine);
      if (payload !== undefined) return accept(pair, frame, payload);
    }
    identify(frame);
    return undefined;
  }

  /** The pairs of this port, the one of the session first. */
  function* byTurn(): Generator<Pair> {
    if (current !== undefined) yield current;
    for (const pair of pairs.values()) if (pair !== current) yield pair;
  }

  /** Whether a try is left: they come back with time. */
  function pay(): boolean {
    const now = clock.now();
    tokens = Math.min(MOST_TRIES, tokens + (Math.max(0, now - filledMs) * TRIES_A_SECOND) / 1000);
    filledMs = now;
    if (tokens < 1) return false;
    tokens--;
    counts.tries++;
    return true;
  }

  /** Looks for the device whose key opens a frame that belongs to no pair of this port. */
  function identify(frame: SealedFrame): void {
    const all = keys.list();
    const last = all.filter((known) => known.port === port);
    const others = all.filter((known) => known.port !== port);
    const start = others.length === 0 ? 0 : turn % others.length;
    const order = [...last, ...others.slice(start), ...others.slice(0, start)];
    for (const [i, known] of order.entries()) {
      if (known.deviceEpoch > frame.from) continue; // it has been in a later one: no need to look
      for (const to of epochs(known, frame.from)) {
        if (!pay() || (known.pending !== null && !pay())) {
          counts.untried++;
          turn = start + Math.max(0, i - last.length); // where the next frame goes on
          callBack(last, frame.from);
          return;
        }
        const payload = attemptBoth(known, frame, to);
        if (payload === undefined) continue;
        strange = 0;
        recognise(keys.get(known.device) ?? known, frame, to, payload);
        return;
      }
    }
    strange++;
    if (strange === STRANGE) onRefused({ why: 'unknown-key' });
    callBack(last, frame.from);
  }

  /**
   * Calls those that were on this port last, in the epoch that a frame names which opens under nothing.
   * A gateway that was restored from a backup does not know what its devices have heard since.
   */
  function callBack(last: readonly DeviceKeys[], from: number): void {
    for (const known of last) {
      const pair = pairs.get(known.device);
      if (pair?.greeted || known.deviceEpoch > from) continue;
      if (pair?.theirs === from) nudge(pair);
      else if (known.epoch - known.provenEpoch <= UNANSWERED) meet(known, from, { proven: false });
    }
  }

  /** Epochs of the gateway that a device in `from` may believe to be the present one. */
  function* epochs({ deviceEpoch, epoch, provenEpoch }: DeviceKeys, from: number) {
    yield 0;
    if (from !== deviceEpoch) return;
    for (let to = epoch; to >= Math.max(1, provenEpoch); to--) yield to;
  }

  /** A device was recognised, under an epoch of the gateway that is not the one of this connection. */
  function recognise(known: DeviceKeys, frame: SealedFrame, to: number, payload: Uint8Array): void {
    const pair = pairs.get(known.device);
    if (to === 0 && payload[0] !== HELLO) return;
    if (payload[0] === HELLO && !isSelf(known.device, payload)) return;
    if (pair === undefined || pair.theirs !== frame.from || to > pair.mine) {
      meet(known, frame.from, { calls: to === 0 ? frame.n : 0 });
      return;
    }
    // it would speak under this pair, had it not been recorded before
    const isNew = to === 0 ? frame.n > pair.calls : to < pair.mine;
    if (pair.greeted || !isNew) {
      counts.replays++;
      return;
    }
    if (to === 0) pair.calls = frame.n;
    nudge(pair);
  }

  function openPlain(payload: Uint8Array): Uint8Array | undefined {
    // where devices without keys are heard, only a hello is of interest
    const message = plain && payload[0] !== HELLO ? undefined : parseMessage(payload.slice());
    const hello = message?.name === 'hello' ? message.body : undefined;
    if (hello !== undefined && keys.knows(hello.id)) {
      counts.unsealed++;
      onRefused({ why: 'keyed', hello });
      return undefined;
    }
    if (!plain) {
      if (message === undefined) return undefined;
      counts.unsealed++;
      onRefused({ why: 'unsealed', ...(hello && { hello }) });
      return undefined;
    }
    if (hello !== undefined) {
      if (current !== undefined) current.greeted = false;
      current = undefined;
      spokePlain = true;
    }
    return current === undefined ? payload : undefined;
  }

  return {
    open(sealed) {
      const payload = none.open(sealed);
      if (payload !== undefined) return openPlain(payload);
      const frame = takeApart(sealed);
      if (frame === undefined || frame.from > MOST_DEVICE_EPOCH) return undefined;
      return unlessFails(() => openSealed(frame));
    },
    seal(payload, under) {
      const pair = current;
      if (pair === undefined) return plain ? none.seal(payload) : undefined;
      return unlessFails(() => seal(payload, pair, under));
    },
    get device() {
      return current?.device;
    },
    call() {
      for (const known of keys.list()) {
        if (known.port !== port || known.deviceEpoch === 0 || pairs.has(known.device)) continue;
        if (known.epoch - known.provenEpoch > UNANSWERED) continue;
        unlessFails(() => meet(known, known.deviceEpoch));
      }
    },
    forget(device) {
      pairs.delete(device);
      if (current?.device === device) current = undefined;
    },
    stats: () => ({
      suite: current ? keys.get(current.device)?.suite : spokePlain ? 'none' : undefined,
      ...counts,
    }),
  };
}

const NUDGE = composeMessage('ack', { session: 0, seq: 0 });

/** What cannot be written down has not happened: the device says it again. */
function unlessFails<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

function helloOf(payload: Uint8Array): Hello | undefined {
  const message = parseMessage(payload.slice());
  return message?.name === 'hello' ? message.body : undefined;
}
