import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mark } from './ingest/door.ts';
import type { FeederResult } from './ingest/feeder.ts';
import type { Floor, FloorSetup } from './ingest/floor.ts';
import {
  type BenchOptions,
  type BenchReport,
  type BenchRow,
  machine,
  median,
  round,
} from './report.ts';

/** What is put through in one go, and how often. */
interface Size {
  devices: readonly number[];
  /** windows in a phase, of all devices together; of several phases the middle one counts */
  windows: number;
  phases: number;
  /** windows that memory is watched over */
  memoryWindows: number;
}

const FULL: Size = {
  ...{ devices: [10, 100, 1000], windows: 50_000, phases: 4, memoryWindows: 1_000_000 },
};
/** Windows under way at once, of all devices together: what decides how long each waits. */
const UNDER_WAY = 2000;
const AIM = { windows: 50_000, times: 5, p99Ms: 100, slopeMb: 1, cpuUs: 20 };
const PEER = 'Node-RED flow';
const SUITES = ['none', 'ccm', 'mac'] as const;
const MEMORY_PHASES = 10;
/** Memory of the first windows is warming up: buffers, compiled code, what is normal of each device. */
const WARM = 3;

type Wire = 'none' | 'ccm' | 'mac' | 'json';

interface Phase extends FeederResult {
  cpuUs: number;
  mark: Mark;
}

interface Measured {
  rate: number;
  p50: number;
  p99: number;
  cpuUs: number;
}

/**
 * How fast windows are made durable: the whole gateway from the bytes of a port to the acknowledgement,
 * store on disk and each group synced, beside a Node-RED flow that batches its inserts into SQLite with
 * the same durability. Gateway, flow and devices are processes of their own; processor time is that of
 * the gateway, or the flow, alone. The devices send as fast as they are acknowledged.
 *
 * Beside them, what the parts cost alone that no such gateway can leave out: reading the frames, SQLite
 * taking the rows, the monitor. No tuning of the gateway around them makes it faster than their sum.
 *
 * @param options smaller sizes, for tests
 */
export async function benchIngest(
  options: BenchOptions & Partial<Size> = {},
): Promise<BenchReport> {
  const { onProgress = () => {} } = options;
  const size = { ...FULL, ...options };
  const rows: BenchRow[] = [];
  for (const devices of size.devices) {
    onProgress(`Node-RED, ${devices} devices`);
    const flow = await measured('json', devices, size);
    for (const suite of SUITES) {
      onProgress(`${suite}, ${devices} devices`);
      const own = await measured(suite, devices, size);
      if (typeof own === 'string') throw new Error(own);
      rows.push(...rowsOf(`${devices} devices, ${suite}`, own, flow));
    }
    onProgress(`parts alone, ${devices} devices`);
    rows.push(...floorRows(devices, await floorOf(devices, size), flow));
  }
  onProgress(`memory over ${size.memoryWindows} windows`);
  rows.push(...(await memoryRows(size)));
  return { bench: 'ingest', machine: machine(), rows };
}

function rowsOf(name: string, own: Measured, flow: Measured | string): BenchRow[] {
  const beside = (which: keyof Measured, isRate: boolean): Partial<BenchRow> => {
    if (typeof flow === 'string') return {};
    const ratio = isRate ? own[which] / flow[which] : flow[which] / own[which];
    const peerValue = round(flow[which], 2);
    return { peer: PEER, peerValue, ratio: round(ratio, 2) };
  };
  const times = typeof flow === 'string' ? 0 : own.rate / flow.rate;
  const row = (what: string, unit: string, which: keyof Measured, isRate = false): BenchRow => ({
    ...{ name: `${name}: ${what}`, value: round(own[which], 2), unit, ...beside(which, isRate) },
  });
  return [
    {
      ...row('windows durable, then acknowledged', '1/s', 'rate', true),
      ...{ aim: '50,000 and 5 times', met: own.rate >= AIM.windows && times >= AIM.times },
    },
    row('time to the acknowledgement, p50', 'ms', 'p50'),
    {
      ...row('time to the acknowledgement, p99', 'ms', 'p99'),
      ...{ aim: 'below 100', met: own.p99 < AIM.p99Ms },
    },
    {
      ...row('processor time for a window', 'µs', 'cpuUs'),
      aim: `at most ${AIM.cpuUs}, and a fifth of the flow's`,
      met:
        own.cpuUs <= AIM.cpuUs && typeof flow !== 'string' && own.cpuUs * AIM.times <= flow.cpuUs,
    },
    ...(typeof flow === 'string'
      ? [{ name: `${name}: beside Node-RED`, unit: '', skipped: flow }]
      : []),
  ];
}

/** Processor time of the parts, beside that of the flow as a whole: the most that is to be gained. */
function floorRows(devices: number, floor: Floor, flow: Measured | string): BenchRow[] {
  const { read, insert, append, watch } = floor;
  const row = (name: string, us: number): BenchRow => ({
    ...{ name: `${devices} devices, alone: ${name}`, value: round(us, 2), unit: 'µs' },
    ...(typeof flow !== 'string' && {
      ...{ peer: PEER, peerValue: round(flow.cpuUs, 2), ratio: round(flow.cpuUs / us, 2) },
    }),
  });
  return [
    row('SQLite takes the rows, with the indexes', insert),
    row('SQLite takes the rows, without any index', append),
    row('the monitor', watch),
    ...SUITES.map((suite) => row(`frames are read, ${suite}`, read[suite])),
    ...SUITES.map((suite) => row(`all three, ${suite}`, read[suite] + insert + watch)),
  ];
}

/** The parts, each over as many windows as two phases have. */
async function floorOf(devices: number, { windows }: Size): Promise<Floor> {
  const directory = mkdtempSync(join(tmpdir(), 'whetstone-bench-'));
  const child = start('floor.ts');
  const group = Math.min(UNDER_WAY, windows);
  const groups = 2 * Math.ceil(windows / group);
  try {
    const setup: FloorSetup = { t: 'floor', directory, devices, group, groups };
    return await ask<Floor>(child, setup);
  } finally {
    if (child.exitCode === null) child.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns the middle of the phases; or why nothing could be measured */
async function measured(wire: Wire, devices: number, size: Size): Promise<Measured | string> {
  const each = Math.ceil(size.windows / devices);
  const phases = await run(wire, devices, each, size.phases);
  if (typeof phases === 'string') return phases;
  // the first one is for the compiler, and for what is normal of each device
  const counted = phases.length > 1 ? phases.slice(1) : phases;
  return {
    rate: median(counted.map(({ windows, seconds }) => windows / seconds)),
    p50: median(counted.map(({ p50 }) => p50)),
    p99: median(counted.map(({ p99 }) => p99)),
    cpuUs: median(counted.map(({ cpuUs, windows }) => cpuUs / windows)),
  };
}

async function memoryRows({ memoryWindows }: Size): Promise<BenchRow[]> {
  const devices = 100;
  const each = Math.ceil(memoryWindows / MEMORY_PHASES / devices);
  const phases = await run('none', devices, each, MEMORY_PHASES);
  if (typeof phases === 'string') throw new Error(phases);
  const row = (name: string, of: (mark: Mark) => number): BenchRow => {
    const at = phases.slice(WARM).map(({ mark }) => [mark.stored / 1e6, of(mark) / 1e6] as const);
    const value = round(slope(at), 3);
    return { name, value, unit: 'MB', aim: 'below 1', met: value < AIM.slopeMb };
  };
  return [
    row('memory that a million windows add, heap after collection', ({ heap }) => heap),
    row('memory that a million windows add, resident', ({ rss }) => rss),
  ];
}

/** Of the least squares' line. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (k: 0 | 1) => points.reduce((sum, one) => sum + one[k], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const above = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return above / points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
}

/** What a receiver says once it is open. */
interface Opened {
  /** port of the flow */
  socket?: number;
  secrets: string[];
  version: string;
  /** why there is no flow */
  why?: string;
}

/** One run on a store of its own. @returns its phases, or why there is no peer */
async function run(
  wire: Wire,
  devices: number,
  windows: number,
  phases: number,
): Promise<Phase[] | string> {
  if (wire === 'json' && !hasNodeRed())
    return 'node-red is not installed: npm install --include=dev';
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-bench-'));
  const receiver = start(wire === 'json' ? 'flow.ts' : 'door.ts');
  const feeder = start('feeder.ts');
  try {
    const socket = join(folder, 'socket');
    const setup = { t: 'setup', socket, directory: join(folder, 'data'), suite: wire, devices };
    const opened = await ask<Opened>(receiver, setup);
    if (opened.why !== undefined) return `Node-RED did not start: ${opened.why}`;
    const { secrets, version } = opened;
    const to = { ...setup, socket: opened.socket ?? socket, secrets, version };
    await ask(feeder, { ...to, underWay: UNDER_WAY });
    const out: Phase[] = [];
    for (let i = 0; i < phases; i++) {
      await ask(feeder, { t: 'phase', windows });
      const before = await ask<Mark>(receiver, { t: 'mark' });
      const result = await ask<FeederResult>(feeder, { t: 'go' });
      const mark = await ask<Mark>(receiver, { t: 'mark' });
      if (mark.stored !== (i + 1) * windows * devices) {
        throw new Error(`${mark.stored} windows are stored, not ${(i + 1) * windows * devices}`);
      }
      out.push({ ...result, mark, cpuUs: mark.cpuUs - before.cpuUs });
    }
    const gone = new Promise((resolve) => receiver.once('exit', resolve));
    receiver.send({ t: 'close' });
    await gone;
    return out;
  } finally {
    for (const child of [receiver, feeder]) if (child.exitCode === null) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function hasNodeRed(): boolean {
  return existsSync(join(import.meta.dirname, '../../node_modules/node-red/package.json'));
}

function start(file: string): ChildProcess {
  return fork(join(import.meta.dirname, 'ingest', file), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Sends a message and waits for the answer. @throws Error if the process ends instead */
function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as T);
    });
    child.send(message);
  });
}
