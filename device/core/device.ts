import type { Value } from './cbor.ts';
import { encodeFrame, feed, frameDecoder } from './frame.ts';
import { DONE, GREET, TICK, WINDOW } from './inputs.ts';
import type { Tier } from './kernel.ts';
import { next as linkNext, startLink } from './link.ts';
import { BAD_FRAMES, EVENT, pack, unpack } from './messages.ts';
import { infer, loadModel, type Model, selfTest } from './model.ts';
import { PLAIN, SECURE } from './options.ts';
import { type Cipher, type SecureSuite, secureSuite } from './secure.ts';
import { firstBad, type Head, NONE, partOf, type SlotConfig } from './slot.ts';
import { COPY, ERASE, next, RUN, startUpdate, TEST, type UpdateEffect, WRITE } from './update.ts';
import { pushSample, startWindows, type WindowOptions } from './window.ts';

/** What one device is: of its task, its board and its own. */
export interface DeviceConfig {
  id: string;
  board: string;
  /** see kindOf in device/kind.ts */
  kind: number;
  /** name of the tier */
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
  /** samples that wait for an acknowledgement, at most */
  ring: number;
}

/** A device's configuration with what its board does natively. */
export interface Host
  extends DeviceConfig,
    Pick<SlotConfig, 'seal' | 'open' | 'crc32' | 'read'>,
    Tier {
  /** `at` is a multiple of 4; the host fills up to words */
  write: (at: number, bytes: Uint8Array) => void;
  /** the page that begins at `at` */
  erase: (at: number) => void;
  send: (bytes: Uint8Array) => void;
  /** ms since boot */
  clock: () => number;
  /** 1 to 2^31 - 1, another one at each boot; of the suite `none` alone */
  session?: number;
  /** of the suites `ccm` and `mac` */
  cipher?: Cipher;
  /** calls back soon, when received bytes and sensors have had their turn */
  defer: (callback: () => void) => void;
  /** calls, and gives nothing where that fails */
  attempt: (call: () => boolean) => boolean | undefined;
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
  const decoder = frameDecoder(host.frame);
  const segments = startWindows(host.segment);
  const length = segments.values.length;
  const update = startUpdate(host);
  // a bundle has one of both; in Node a host with a cipher is a device with keys
  const isSecure = SECURE && (!PLAIN || host.cipher !== undefined);
  const link = startLink(
    isSecure ? update.made : (host.session as number),
    host.policy,
    host.ring,
    SPAN,
  );
  let queue = update.out;
  let busy = false;
  let running: Head = NONE;
  let slot = 0;
  let kind = 0;
  let model: Model | undefined;
  let told = 0;

  const secure = (
    isSecure ? secureSuite(host.cipher as Cipher, update.made, update.keys) : undefined
  ) as SecureSuite;
  const send = (payload: Uint8Array): void =>
    host.send(encodeFrame(payload, isSecure ? secure.seal : host.seal));

  /** Gives an input to both machines; each takes what is its own. */
  const hear = (code: number, f: unknown[]): void => {
    linkNext(link, code, f, host.clock()).forEach(send);
    queue = queue.concat(next(update, code, f, host.clock()));
    if (!busy) work();
  };

  const greet = (): void => {
    const about: Value[] = [
      host.id,
      host.board,
      host.task,
      running.f[1],
      running.f[0],
      kind,
      host.tier,
      host.page * host.slotPages,
    ];
    hear(GREET, about);
  };

  const load = (head: Head, from: number): Model =>
    loadModel(
      partOf(host, from, head, 0),
      partOf(host, from, head, 1),
      partOf(host, from, head, 2),
    );

  const perform = (e: UpdateEffect): void => {
    if (e[0] === ERASE) host.erase(e[1]);
    else if (e[0] === WRITE) host.write(e[1], e[2]);
    else if (e[0] === COPY) {
      for (let k = 0; k < e[3]; k += PIECE) {
        host.write(e[2] + k, host.read(e[1] + k, Math.min(PIECE, e[3] - k)));
      }
    } else if (e[0] === RUN) {
      running = e[1];
      slot = e[2];
      kind = e[3];
      if (isSecure) secure.secret = e[4];
      model = undefined;
      greet();
    } else if (e[0] === TEST) {
      const head = e[1];
      const from = e[2];
      const f = head.f;
      const bad = firstBad(host, from, head);
      model = undefined; // one at a time: it comes back with the next window
      const equal =
        bad > 2 && host.attempt(() => selfTest(load(head, from), f[3], f[4], length, f[5], host));
      hear(DONE, [equal ? 4 : bad, head]);
    } else send(e as unknown as Uint8Array);
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

  const device: Device = {
    sample: (values) => {
      const done = pushSample(segments, values);
      if (done !== undefined) device.window(done.values, done.n);
    },
    window: (values, n, label) => {
      if (kind < 1 || values.length > length) return; // nothing to say about it
      const window = new Int8Array(length);
      window.set(values, 0);
      if (model === undefined) model = load(running, slot);
      const r = infer(model, window, n, host);
      device.on(r.cls, r.score, host.classes);
      hear(WINDOW, [
        running.f[0],
        r.cls,
        r.score,
        n,
        r.embedding,
        window,
        label === undefined ? null : label,
      ]);
    },
    on: () => {},
    receive: (bytes) =>
      feed(decoder, bytes, isSecure ? secure.open : host.open, (payload) => {
        const fields = unpack(payload);
        if (fields !== undefined) hear(payload[0], fields);
      }),
    tick: () => {
      if (link.up && decoder.bad > told) {
        told = decoder.bad;
        send(pack(EVENT, [link.session, BAD_FRAMES, told, 0]));
      }
      hear(TICK, []);
    },
  };

  work(); // the record of this boot comes first, then hello
  return device;
}
