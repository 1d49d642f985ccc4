import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { loadTask } from '../../task.ts';
import { type FrameDevice, frameDevice, SPAN } from './device.ts';
import { jsonDevice, lines } from './json.ts';
import { MOST, piece, pieces } from './pieces.ts';

/** A device that was not welcomed says hello again: the first wait of its link. */
const HELLO_MS = 1000;

/** What the feeder is told first. */
export interface FeederSetup {
  t: 'setup';
  /** path of the gateway's socket, or port of the flow */
  socket: string | number;
  /** how windows travel: frames of a suite, or lines of JSON */
  suite: 'none' | 'ccm' | 'mac' | 'json';
  devices: number;
  /** of each device with a suite that has keys, base64; else none */
  secrets: string[];
  /** short id of release 1, which the devices run, base64 */
  version: string;
  /** windows under way at once, of all devices together */
  underWay: number;
}

/** Then, as often as wanted: windows, which are made before the first is sent. */
export interface FeederPhase {
  t: 'phase';
  /** of each device */
  windows: number;
}

/** What became of a phase. */
export interface FeederResult {
  windows: number;
  seconds: number;
  /** ms from a window's bytes being written to its acknowledgement being read */
  p50: number;
  p99: number;
}

/** One device's frames of this phase, and how far they got. */
interface Lane {
  device: Pick<FrameDevice, 'isUp' | 'make' | 'hello'> & Partial<FrameDevice>;
  bytes: Uint8Array;
  ends: number[];
  sent: number;
  acked: number;
  sentAt: Float64Array;
  /** windows of the phases before */
  before: number;
}

/**
 * The devices, in a process of their own: says hello for all of them, makes their frames, and sends
 * each as soon as there is room under way, as devices do that have much to send.
 */
async function feed(setup: FeederSetup): Promise<(phase: FeederPhase) => Promise<FeederResult>> {
  const task = loadTask('gesture');
  const { suite } = setup;
  const version = new Uint8Array(Buffer.from(setup.version, 'base64'));
  const socket = typeof setup.socket === 'number' ? connect(setup.socket) : connect(setup.socket);
  const write = (index: number, bytes: Uint8Array): void =>
    void socket.write(suite === 'json' ? bytes : piece(index, bytes));
  const each = Math.min(SPAN, Math.max(1, Math.floor(setup.underWay / setup.devices)));
  const lanes: Lane[] = Array.from({ length: setup.devices }, (_, i) => {
    const secret =
      setup.secrets[i] === undefined ? undefined : Buffer.from(setup.secrets[i], 'base64');
    const device =
      suite === 'json'
        ? jsonDevice(i, task)
        : frameDevice(i, task, suite, secret, (bytes) => write(i, bytes), version);
    const empty = { bytes: new Uint8Array(0), ends: [], sentAt: new Float64Array(0) };
    return { device, ...empty, sent: 0, acked: 0, before: 0 };
  });
  let up = 0;
  let onUp = (): void => {};
  let left = 0;
  let latencies = new Float64Array(0);
  let onDone = (): void => {};

  function push(lane: Lane, index: number): void {
    let to = Math.min(lane.ends.length, lane.acked + each);
    while (lane.sent < to) {
      const from = lane.sent === 0 ? 0 : lane.ends[lane.sent - 1]!;
      let end = to;
      while (lane.ends[end - 1]! - from > MOST) end--;
      const now = performance.now();
      lane.sentAt.fill(now, lane.sent, end);
      write(index, lane.bytes.subarray(from, lane.ends[end - 1]));
      lane.sent = end;
      to = Math.min(lane.ends.length, lane.acked + each);
    }
  }

  function acknowledge(index: number, seq: number): void {
    const lane = lanes[index]!;
    const acked = seq - lane.before;
    if (acked <= lane.acked) return;
    const now = performance.now();
    for (let k = lane.acked; k < acked; k++) latencies[--left] = now - lane.sentAt[k]!;
    lane.acked = acked;
    push(lane, index);
    if (left === 0) onDone();
  }

  const takeFrames = pieces((index, bytes) => {
    const { device } = lanes[index]!;
    const wasUp = device.isUp;
    const seq = device.receive!(bytes);
    if (!wasUp && device.isUp) {
      up++;
      onUp();
    }
    acknowledge(index, seq);
  });
  const takeLines = lines((line) => {
    for (const [index, seq] of JSON.parse(line) as [number, number][]) acknowledge(index, seq);
  });
  socket.on('data', (bytes) => {
    socket.cork();
    if (suite === 'json') takeLines(bytes as Uint8Array);
    else takeFrames(bytes as Uint8Array);
    socket.uncork();
  });
  if (suite === 'json') up = lanes.length;
  // some at a time: a gateway tries keys of strangers at a bounded rate
  for (let i = up; i < lanes.length; i++) {
    lanes[i]!.device.hello();
    if (i % 10 < 9 && i < lanes.length - 1) continue;
    while (up <= i) {
      await Promise.race([new Promise<void>((resolve) => (onUp = resolve)), setTimeout(HELLO_MS)]);
      for (const { device } of up > i ? [] : lanes.slice(0, i + 1))
        if (!device.isUp) device.hello();
    }
  }

  return async ({ windows }) => {
    for (const lane of lanes) {
      lane.before += lane.ends.length;
      Object.assign(lane, lane.device.make(windows), { sent: 0, acked: 0 });
      lane.sentAt = new Float64Array(windows);
    }
    left = windows * lanes.length;
    latencies = new Float64Array(left);
    const done = new Promise<void>((resolve) => {
      onDone = resolve;
    });
    process.send?.({ t: 'made' });
    await new Promise((resolve) => process.once('message', resolve));
    const from = performance.now();
    socket.cork();
    lanes.forEach(push);
    socket.uncork();
    await done;
    const seconds = (performance.now() - from) / 1000;
    latencies.sort();
    const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))]!;
    return { windows: latencies.length, seconds, p50: at(0.5), p99: at(0.99) };
  };
}

process.once('disconnect', () => process.exit()); // whoever measures is gone
process.once('message', async (setup: FeederSetup) => {
  const run = await feed(setup);
  process.send?.({ t: 'up' });
  const next = (): void =>
    void process.once('message', async (phase: FeederPhase) => {
      process.send?.({ t: 'result', ...(await run(phase)) });
      next();
    });
  next();
});
