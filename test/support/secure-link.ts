import { onTestFinished } from 'vitest';
import { encodeFrame } from '../../device/core/frame.ts';
import { type Connection, connect, type Handlers } from '../../gateway/link/connect.ts';
import type { Refusal } from '../../gateway/link/guard.ts';
import type { Port } from '../../gateway/link/port.ts';
import { type LossyPort, lossyPair } from '../../gateway/link/virtual/lossy-port.ts';
import type { Keys } from '../../gateway/store/keys.ts';
import { openStore } from '../../gateway/store/store.ts';
import { type DeviceSuite, deviceSuite } from './device-suite.ts';
import { type SteppedClock, steppedClock } from './link-clock.ts';
import { type LinkDevice, linkDevice } from './link-device.ts';
import { type LinkStore, linkStore } from './link-store.ts';

export const POLICY = { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 };
export type SuiteWithKeys = 'ccm' | 'mac';

/** The keys of a gateway, in a store in memory: they outlive a connection. */
export function keyStore(): Keys {
  const store = openStore({ directory: ':memory:' });
  onTestFinished(() => store.close());
  return store.keys;
}

/** A cable between a gateway and a place for devices, with a tap on it. */
export interface Cable {
  readonly clock: SteppedClock;
  readonly gatewayEnd: LossyPort;
  readonly deviceEnd: LossyPort;
  /** what went over it, a piece a write */
  readonly toGateway: Uint8Array[];
  readonly toDevice: Uint8Array[];
  /** Says something to one of the ends, as somebody on the line could. */
  injectToGateway(bytes: Uint8Array): void;
  injectToDevice(bytes: Uint8Array): void;
}

/** @param real a cable as to a real board: devices need keys */
export function cable(clock: SteppedClock, name = 'cable', { real = true } = {}): Cable {
  const [a, b] = lossyPair(clock, 1);
  const toGateway: Uint8Array[] = [];
  const toDevice: Uint8Array[] = [];
  const receivers = { gateway: (_: Uint8Array) => {}, device: (_: Uint8Array) => {} };
  const tap = (end: LossyPort, side: 'gateway' | 'device', log: Uint8Array[]): LossyPort => {
    const { virtual: _, ...rest } = end;
    return {
      ...rest,
      name,
      ...(!real && { virtual: true as const }),
      get faults() {
        return end.faults;
      },
      set faults(faults) {
        end.faults = faults;
      },
      write(bytes) {
        log.push(bytes.slice());
        end.write(bytes);
      },
      onData(receiver) {
        receivers[side] = receiver;
        end.onData(receiver);
      },
    };
  };
  return {
    ...{ clock, toGateway, toDevice },
    gatewayEnd: tap(a, 'gateway', toDevice),
    deviceEnd: tap(b, 'device', toGateway),
    injectToGateway: (bytes) => receivers.gateway(bytes),
    injectToDevice: (bytes) => receivers.device(bytes),
  };
}

/** A frame as it goes over the line. @param sealed header, payload and tag, as a suite seals them */
export const frameOf = (sealed: Uint8Array): Uint8Array => encodeFrame(sealed, (bytes) => bytes);

/** A gateway process on a port: what it heard, and whom it turned away. */
export interface Process {
  connection: Connection;
  store: LinkStore;
  refused: Refusal[];
  rekeyed: [string, number][];
  suites: string[];
}

/** Starts a gateway on a port. @param keys that were there before it, too */
export async function start(
  port: Port,
  clock: SteppedClock,
  keys: Keys,
  store = linkStore(clock),
  plain?: boolean,
): Promise<Process> {
  const refused: Refusal[] = [];
  const rekeyed: [string, number][] = [];
  const suites: string[] = [];
  const own = store.handlers();
  const handlers: Handlers = {
    ...own,
    onHello(hello, suite) {
      suites.push(suite);
      return own.onHello(hello, suite);
    },
    onRefused: (refusal) => refused.push(refusal),
    onRekeyed: (...of) => rekeyed.push(of),
  };
  const connection = await connect(port, handlers, {
    ...{ policy: POLICY, clock, keys },
    ...(plain !== undefined && { plain }),
  });
  return { connection, store, refused, rekeyed, suites };
}

/** A device with keys: each boot has a higher epoch, which is its session too. */
export function secureDevice(
  port: Port,
  clock: SteppedClock,
  suite: DeviceSuite,
  options: { id?: string; session?: number; samples?: number; span?: number } = {},
): LinkDevice {
  return linkDevice(port, clock, { session: suite.epoch, ...options, suite });
}

/** A gateway and a device with keys on one cable, not met yet. */
export async function secureLink(name: SuiteWithKeys) {
  const id = 'watch-1';
  const clock = steppedClock(1_000_000);
  const keys = keyStore();
  const line = cable(clock);
  const { present } = keys.add(id, { board: 'test', suite: name, at: 0 });
  const suite = deviceSuite(name, present, 2);
  const device = secureDevice(line.deviceEnd, clock, suite, { id });
  const gateway = await start(line.gatewayEnd, clock, keys);
  return { clock, keys, line, suite, device, gateway };
}
