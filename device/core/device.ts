import { encodeFrame, feed, frameDecoder, plainSuite } from './frame.ts';
import type { Dot } from './kernel.ts';
import { type About, type LinkInput, next as linkNext, startLink } from './link.ts';
import { GATEWAY_SHAPES, OFFER, REVERT, unpack } from './messages.ts';
import { infer, loadModel, type Model, selfTest } from './model.ts';
import { firstBad, type Head, NONE, partOf, type SlotConfig } from './slot.ts';
import {
  COPY,
  DONE,
  ERASE,
  next,
  RUN,
  SEND,
  startUpdate,
  TEST,
  TICK,
  type UpdateEffect,
  WINDOW,
  WRITE,
} from './update.ts';
import { pushSample, startWindows, type WindowOptions } from './window.ts';

/** What one device is: of its task, its board and its own. */
export interface DeviceConfig {
  id: string;
  board: string;
  /** name of the kernel that `dot` belongs to */
  tier: string;
  task: string;
  classes: string[];
  /** how its sensor's samples become windows */
  segment: WindowOptions;
  /** confidentOneIn, uncertainBelow, rawOneIn, until the gateway says otherwise */
  policy: number[];
  /** bytes of a flash page */
  page: number;
  slotPages: number;
  /** bytes of a model asked for at a time, and ms until they are asked for again */
  chunk: number;
  retryMs: number;
  /** boots on trial before the device goes back by itself */
  maxBoots: number;
  /** the longest frame taken */
  frame: number;
  /** samples that wait for an acknowledgement, and their bytes */
  ring: number;
  ringBytes: number;
}

/** A device's configuration with what its board does natively. */
export interface Host extends DeviceConfig, Pick<SlotConfig, 'crc32' | 'read'> {
  dot: Dot;
  /** `at` is a multiple of 4; the host fills up to words */
  write: (at: number, bytes: Uint8Array) => void;
  /** the page that begins at `at` */
  erase: (at: number) => void;
  send: (bytes: Uint8Array) => void;
  /** ms since boot */
  now: () => number;
  /** 0 to 1, 1 excluded */
  random: () => number;
  /** calls back soon, when received bytes and sensors have had their turn */
  defer: (callback: () => void) => void;
  /** calls, and gives false where that fails */
  attempt: (call: () => boolean) => boolean;
}

/** The whole device, as the world outside sees it: `W` on the board. */
export interface Device {
  /** Takes one raw sample, an integer for each axis. */
  sample: (values: ArrayLike<number>) => void;
  /** Takes a finished window: int8 [samples][axes], of which n samples are not padding. */
  window: (values: Int8Array, n: number, label?: number) => void;
  /** Called with each prediction; the application's to set. */
  on: (cls: number, score: number, classes: string[]) => void;
  receive: (bytes: Uint8Array) => void;
  tick: () => void;
  /** Introduces itself to the gateway, again where the port came back. */
  greet: () => void;
}

/** Samples under way at once. */
const SPAN = 8;
/** Bytes copied at a time between slots. */
const PIECE = 256;

/**
 * Composes the core: window → features and model → callback → policy and ring → link, and update.
 *
 * @param host see Host
 * @returns the device, booted: its newest whole model runs
 */
export function createDevice(host: Host): Device {
  const suite = plainSuite(host.crc32);
  const decoder = frameDecoder(host.frame);
  const segments = startWindows(host.segment);
  const length = segments.values.length;
  let running: Head = NONE;
  let kind = 0;
  let model: Model | null = null;
  let queue: UpdateEffect[] = [];
  let busy = false;

  const about = (): About => [
    host.id,
    host.board,
    host.task,
    running.f[1],
    running.f[0],
    kind,
    host.tier,
    host.page * host.slotPages,
  ];

  const send = (payload: Uint8Array): void => host.send(encodeFrame(payload, suite.seal));

  let link = startLink(
    1 + Math.floor(host.random() * 2147483647),
    about(),
    host.policy,
    host.ring,
    host.ringBytes,
    SPAN,
  );

  const toLink = (input: LinkInput): void => {
    const step = linkNext(link, input);
    link = step.state;
    for (let i = 0; i < step.effects.length; i++) send(step.effects[i]);
  };

  const greet = (): void => toLink({ t: 'greet', now: host.now(), about: about() });

  const c = Object.assign({ seal: suite.seal, open: suite.open }, host);

  const load = (slot: number, head: Head): Model =>
    loadModel(partOf(c, slot, head, 0), partOf(c, slot, head, 1), partOf(c, slot, head, 2));

  const perform = (e: UpdateEffect): void => {
    if (e[0] === ERASE) host.erase(e[1]);
    if (e[0] === WRITE) host.write(e[1], e[2]);
    if (e[0] === SEND) send(e[1]);
    if (e[0] === COPY) {
      for (let k = 0; k < e[3]; k += PIECE) {
        host.write(e[2] + k, host.read(e[1] + k, Math.min(PIECE, e[3] - k)));
      }
    }
    if (e[0] === RUN) {
      running = e[1];
      kind = e[2];
      model = null;
      greet();
    }
    if (e[0] === TEST) {
      const f = e[2].f;
      const golden = { seed: f[3], count: f[4], length: length, logits: f[5] };
      let result = firstBad(c, e[1], e[2]);
      model = null; // one at a time: it comes back with the next window
      if (result > 2 && host.attempt(() => selfTest(load(e[1], e[2]), golden, host.dot)))
        result = 4;
      toUpdate(DONE, [result]);
    }
  };

  /** Carries out what is queued; after an erased page, which takes long, others get their turn. */
  const work = (): void => {
    busy = false;
    while (queue.length > 0 && !busy) {
      const e = queue.shift() as UpdateEffect;
      perform(e);
      if (e[0] === ERASE) {
        busy = true;
        host.defer(work);
      }
    }
  };

  let update = startUpdate(c);

  const toUpdate = (code: number, f: unknown[]): void => {
    update = next(update, code, f, host.now());
    queue = queue.concat(update.effects);
    if (!busy) work();
  };

  const device: Device = {
    sample: (values) => {
      const done = pushSample(segments, values);
      if (done !== undefined) device.window(done.values, done.n);
    },
    window: (values, n, label) => {
      if (kind < 1 || values.length > length) return; // nothing to say about it
      const window = new Int8Array(length);
      window.set(values, 0);
      if (model === null) model = load(update.heads.indexOf(running), running);
      const r = infer(model, window, n, host.dot);
      device.on(r.cls, r.score, host.classes);
      toLink({
        t: 'sample',
        now: host.now(),
        f: [
          running.f[0],
          r.cls,
          r.score,
          n,
          r.embedding,
          window,
          label === undefined ? null : label,
        ],
      });
      toUpdate(WINDOW, []);
    },
    on: () => {},
    receive: (bytes) =>
      feed(decoder, bytes, suite.open, (payload) => {
        const packet = unpack(payload, GATEWAY_SHAPES);
        if (packet === undefined) return;
        if (packet.code >= OFFER && packet.code <= REVERT) toUpdate(packet.code, packet.fields);
        else toLink({ t: 'message', now: host.now(), code: packet.code, fields: packet.fields });
      }),
    tick: () => {
      toLink({ t: 'tick', now: host.now() });
      toUpdate(TICK, []);
    },
    greet: greet,
  };

  queue = update.effects;
  work();
  if (kind < 1) greet(); // else it was said with the model
  return device;
}
