import { loadTask, type Task } from '../task.ts';
import {
  type BenchOptions,
  type BenchReport,
  type BenchRow,
  machine,
  median,
  round,
} from './report.ts';
import { type Cost, deliverer } from './update/deliver.ts';
import {
  type BenchDevice,
  type BenchLink,
  benchDevice,
  bleLink,
  serialLink,
} from './update/links.ts';
import { type UpdateModel, updateModel } from './update/update-model.ts';

/** A head update costs at most so many times its weights, and as much beside. */
const AIM_TIMES = 1.25;
const AIM_BYTES = 300;
const RUNS = 5;
/** Longest ATT packets that the boards take. @source espruino/Espruino: boards/PUCKJS.py, BANGLEJS2.py */
const BOARDS = [
  { board: 'puckjs', mtu: 53, suite: 'ccm' },
  { board: 'banglejs2', mtu: 131, suite: 'ccm' },
  { board: 'banglejs2', mtu: 131, suite: 'none' },
] as const;
/** The gesture task's net, and its next larger one. */
const SHAPES = [[6], [16, 6]];
/** What throughput is measured with. */
const RAW_BYTES = 8192;

/**
 * What an update costs, head alone and whole model, on a serial line and over Bluetooth, beside the
 * same layers sent as a .tflite file over the same link, without any protocol.
 *
 * The device is the built bundle on a double of its board: bytes are exact, and the time is that of
 * the link and of the protocol's turns, not of a microcontroller's flash and self-test. The serial
 * line is one of memory that is paced. Over Bluetooth everything from noble's driver on is real;
 * controller and radio are simulated: connection events of 7.5 ms, four packets of 27 bytes each way.
 *
 * @param options fewer runs, for tests
 */
export async function benchUpdate(
  options: BenchOptions & { runs?: number; boards?: readonly string[] } = {},
): Promise<BenchReport> {
  const { runs = RUNS, boards, onProgress = () => {} } = options;
  const task = loadTask('gesture');
  const rows: BenchRow[] = [];
  for (const { board, mtu, suite } of BOARDS) {
    if (boards !== undefined && !boards.includes(board)) continue;
    for (const make of [serialLink, (port: BenchDevice['port']) => bleLink(port, mtu)]) {
      const isBle = make !== serialLink;
      const about = `${board}, ${suite}, ${isBle ? 'Bluetooth (radio simulated)' : 'serial 115200'}`;
      onProgress(about);
      rows.push(...(await measure(about, board, suite, task, make, isBle, runs)));
    }
  }
  return { bench: 'update', machine: machine(), rows };
}

async function measure(
  about: string,
  board: string,
  suite: 'ccm' | 'none',
  task: Task,
  make: (port: BenchDevice['port']) => Promise<BenchLink>,
  isBle: boolean,
  runs: number,
): Promise<BenchRow[]> {
  const device = await benchDevice(board, task, suite);
  let link: BenchLink;
  try {
    link = await make(device.port);
  } catch (error) {
    await device.dispose();
    return [{ name: about, unit: 's', skipped: (error as Error).message.split('\n')[0]! }];
  }
  const rows: BenchRow[] = [];
  try {
    if (isBle) {
      const ms = await link.raw(new Uint8Array(RAW_BYTES));
      const value = round((RAW_BYTES / ms) * 1000, 0);
      rows.push({ name: `throughput to the device, ${about}`, value, unit: 'bytes/s' });
    }
    const gateway = await deliverer(link.port, task, device.keys);
    let release = 1;
    for (const sizes of SHAPES) {
      const net = ['50', ...sizes].join('→');
      const costs = { head: [] as Cost[], whole: [] as Cost[] };
      const peers: number[] = [];
      let model: UpdateModel | undefined;
      for (let run = 0; run < runs; run++) {
        // a base of its own, that is a whole model; then another head of it
        const base = release;
        const whole = updateModel(board, task, sizes, release++, base);
        costs.whole.push(await gateway.deliver(whole));
        model = updateModel(board, task, sizes, release++, base);
        costs.head.push(await gateway.deliver(model));
        peers.push(await link.raw(model.tflite));
      }
      const { parts, tflite } = model!;
      const weights = {
        head: parts[2]!.length,
        whole: parts.reduce((sum, p) => sum + p.length, 0),
      };
      for (const what of ['head', 'whole'] as const) {
        rows.push(
          ...rowsOf(`${what} ${net}, ${about}`, costs[what], weights[what], {
            bytes: tflite.length,
            ms: median(peers),
            aim: what === 'head',
          }),
        );
      }
    }
    await gateway.close();
  } finally {
    await link.close();
    await device.dispose();
  }
  return rows;
}

function rowsOf(
  name: string,
  costs: readonly Cost[],
  weights: number,
  peer: { bytes: number; ms: number; aim: boolean },
): BenchRow[] {
  const of = (field: keyof Cost) => median(costs.map((cost) => cost[field]));
  const bytes = of('updateBytes');
  const most = Math.floor(AIM_TIMES * weights + AIM_BYTES);
  const aim = peer.aim && {
    aim: `at most ${most}: ${AIM_TIMES} × ${weights} + ${AIM_BYTES}`,
    met: bytes <= most,
  };
  const against = (value: number, peerValue: number) => ({
    ...{ value, peer: '.tflite, bare', peerValue, ratio: round(peerValue / value, 2) },
  });
  return [
    { name: `${name}: update`, unit: 'bytes', ...against(bytes, peer.bytes), ...aim },
    { name: `${name}: all on the port`, unit: 'bytes', ...against(of('allBytes'), peer.bytes) },
    {
      name: `${name}: until it runs`,
      unit: 's',
      ...against(round(of('trialMs') / 1000, 3), round(peer.ms / 1000, 3)),
    },
    {
      name: `${name}: until confirmed`,
      unit: 's',
      ...against(round(of('confirmedMs') / 1000, 3), round(peer.ms / 1000, 3)),
    },
  ];
}
