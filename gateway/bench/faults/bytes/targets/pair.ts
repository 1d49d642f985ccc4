import { GONE } from '../../../../../device/core/messages.ts';
import { loadBoard } from '../../../../board.ts';
import { type Connection, connect, type Handlers } from '../../../../link/connect.ts';
import type { Port } from '../../../../link/port.ts';
import { type VirtualClock, virtualClock } from '../../../../link/virtual/clock.ts';
import { createVirtualDevice, type VirtualDevice } from '../../../../link/virtual/device.ts';
import { faultsBundle } from '../../power/world.ts';
import { offerOf, tinyModel, walk } from '../../tiny-model.ts';

/** Windows that a device has said more than its ring holds: the first is gone. */
const WINDOWS = 40;

/** What was heard, by kind: counts alone, so that a million cases leave nothing behind. */
export interface Heard {
  hellos: number;
  samples: number;
  gone: number;
  /** all other calls */
  others: number;
}

/** A device and a gateway's link, and somebody between them who can say anything to either. */
export interface Pair {
  device: VirtualDevice;
  link: Connection;
  clock: VirtualClock;
  heard: Heard;
  /** frames that the device has sent so far */
  said(): number;
  /** frames that went either way while they got to know each other, each kind of message among them */
  frames: Uint8Array[];
  toDevice(bytes: Uint8Array): void;
  toGateway(bytes: Uint8Array): void;
  /** Lets what was said arrive; no time passes unless it is given. */
  settle(ms?: number): Promise<void>;
  /** Forgets what tells of the past. */
  forget(): void;
  end(): Promise<void>;
}

/** Boots the bundle, connects to it, gives it two models and a few dozen windows. */
export async function createPair(): Promise<Pair> {
  const { code } = await faultsBundle();
  const clock = virtualClock();
  const board = loadBoard('espruino-linux');
  const device = createVirtualDevice({ bundle: { code }, id: 'between', board, clock });
  const frames: Uint8Array[] = [];
  let recording = true;
  let said = 0;
  let toGateway: (bytes: Uint8Array) => void = () => {};
  const { port } = device;
  const between: Port = {
    ...port,
    write: (bytes) => {
      if (recording) frames.push(bytes.slice());
      port.write(bytes);
    },
    onData: (receiver) => {
      toGateway = receiver;
      port.onData((bytes) => {
        said++;
        if (recording) frames.push(bytes.slice());
        receiver(bytes);
      });
    },
  };
  const heard: Heard = { hellos: 0, samples: 0, gone: 0, others: 0 };
  const other = (): void => void heard.others++;
  const handlers: Handlers = {
    onHello: () => {
      heard.hellos++;
      return { ackSeq: 0, beyond: [] };
    },
    onSample: (_sample, done) => {
      heard.samples++;
      done();
    },
    onGone: () => void heard.gone++,
    ...{ onWindow: other, onLost: other, onStatus: other, onClose: other },
    // that a window is gone is told twice
    onEvent: ({ code }) => void (code !== GONE && other()),
  };
  const policy = { confidentOneIn: 1, uncertainBelow: 0, rawOneIn: 5 };
  const link = await connect(between, handlers, { policy, clock });
  const settle = (ms = 0): Promise<void> => clock.advance(ms);
  await settle(1500);
  const models = [tinyModel(1), tinyModel(2)] as const;
  for (const model of models) {
    link.offer(offerOf(model), model.parts);
    await settle(1500);
    link.confirm(model.offer[0]);
    await settle(1500);
  }
  for (let n = 0; n < WINDOWS; n++) {
    device.feedWindow(walk(n), 50, n % 9 === 0 ? 2 : undefined);
    if (n % 8 === 0) await settle(50);
  }
  await settle(1500);
  link.ask([1, WINDOWS]);
  link.revert(2);
  await settle(1500);
  recording = false;
  device.flash.forget();
  return {
    ...{ device, link, clock, heard, settle },
    said: () => said,
    // one of each length is enough: equal kinds of messages are of about equal length
    frames: [...new Map(frames.map((frame) => [`${frame.length}`, frame])).values()],
    toDevice: (bytes) => port.write(bytes),
    toGateway: (bytes) => toGateway(bytes),
    forget: () => {
      device.flash.forget();
      device.predictions.length = 0;
      device.printed.length = 0;
    },
    end: async () => {
      await link.close();
      await device.dispose();
    },
  };
}
