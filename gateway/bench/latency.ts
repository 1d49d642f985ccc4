import { type Clock, type Port, pairedPorts } from '../link/port.ts';
import { serialPort } from '../link/serial.ts';
import { ptyPair } from '../link/virtual/pty.ts';
import { echoes } from './latency/timed-device.ts';
import { type LatencyWorld, latencyWorld, type Way } from './latency/world.ts';
import { type BenchOptions, type BenchReport, type BenchRow, machine, round } from './report.ts';

const ALARMS = 5;
/** Windows before the wearer changes: the monitor's reference and what it compares with that. */
const CALM = 32;
/** Windows of another wearer after which no alarm is waited for any more. */
const MOST = 60;
const ECHOES = 100;
/** Longest ATT packet of a Puck.js. @source espruino/Espruino: boards/PUCKJS.py */
const MTU = 53;
const LINKS = ['serial (pty)', 'Bluetooth (radio simulated)'] as const;

/** Makes the gateway's ports of one kind; closed together. */
interface Reach {
  port(device: Port, id: string): Promise<Port>;
  /** A gateway's port and its far end, with no device between. */
  wire(): Promise<{ port: Port; far: Port; end(): Promise<void> }>;
  close(): Promise<void>;
}

/**
 * How long it takes from the last sample of a window to its prediction on the device, until it is
 * committed, and until an alarm that it raises is written: on a real Espruino, on a serial line that
 * is a pty (without the time of its bits) and over Bluetooth, whose controller and radio are
 * simulated. All of it happens in this computer, whose clock stamps everything. Beside it stands the
 * echo of as many bytes as a window takes, by this program over the same kind of link.
 *
 * @param espruino path of the Linux build; without it every row is skipped
 * @param options fewer alarms, another clock for the gateway: for tests
 */
export async function benchLatency(
  espruino: string | undefined,
  options: BenchOptions & { alarms?: number; links?: readonly string[]; clock?: Clock } = {},
): Promise<BenchReport> {
  const { alarms = ALARMS, links = LINKS, clock, onProgress = () => {} } = options;
  const rows: BenchRow[] = [];
  for (const link of links) {
    onProgress(link);
    if (espruino === undefined) {
      rows.push({ name: link, unit: 'ms', skipped: 'WHETSTONE_ESPRUINO is not set' });
      continue;
    }
    try {
      const reach = link === LINKS[0] ? overSerial() : await overBle();
      const world = (): Promise<LatencyWorld> => latencyWorld(espruino, reach.port, clock);
      rows.push(...(await measure(link, world, reach, alarms, onProgress)));
    } catch (error) {
      rows.push({ name: link, unit: 'ms', skipped: (error as Error).message.split('\n')[0]! });
    }
  }
  return { bench: 'latency', machine: machine(), rows };
}

function overSerial(): Reach {
  return {
    port: async (device) => device,
    wire: async () => {
      const pair = await ptyPair();
      const [port, far] = [serialPort(pair.a), serialPort(pair.b)];
      return {
        ...{ port, far },
        end: async () => {
          await far.close();
          await pair.close();
        },
      };
    },
    close: async () => {},
  };
}

async function overBle(): Promise<Reach> {
  const [{ bleAir }, { bleRadio }, { blePort }] = await Promise.all([
    import('../link/virtual/ble-air.ts'),
    import('../link/ble-radio.ts'),
    import('../link/ble.ts'),
  ]);
  const air = await bleAir();
  const radio = bleRadio(air.noble);
  let count = 0;
  const port = async (device: Port, id: string): Promise<Port> => {
    const address = `c0:00:00:00:00:${(++count).toString(16).padStart(2, '0')}`;
    await air.add(device, { address, name: id, mtu: MTU });
    return blePort(radio, id);
  };
  return {
    port,
    wire: async () => {
      const [near, far] = pairedPorts();
      return { port: await port(near, 'echo'), far, end: () => far.close() };
    },
    close: async () => {
      radio.close();
      await air.close();
    },
  };
}

async function measure(
  link: string,
  open: () => Promise<LatencyWorld>,
  reach: Reach,
  alarms: number,
  onProgress: (what: string) => void,
): Promise<BenchRow[]> {
  const ways: Way[] = [];
  const raised: Way[] = [];
  /** of each alarm, the window of the other wearer that raised it, counted from 1 */
  const delays: number[] = [];
  const world = await open();
  let bytes = 0;
  try {
    await world.boot('taught');
    for (let i = 0; i < alarms; i++) {
      onProgress(`${link}: alarm ${i + 1} of ${alarms}`);
      await world.boot(`device-${i}`);
      for (let k = 0; k < CALM; k++) ways.push(await world.see(false));
      for (let k = 1; k <= MOST; k++) {
        const way = await world.see(true);
        ways.push(way);
        if (way.alarmAt === undefined) continue;
        raised.push(way);
        delays.push(k);
        break;
      }
    }
    bytes = world.windowBytes();
  } finally {
    await world.close();
  }
  const peer = await echo(reach, bytes);
  await reach.close();
  const rows = (
    name: string,
    values: readonly number[],
    beside?: readonly number[],
    unit = 'ms',
  ): BenchRow[] =>
    [50, 99].map((percent): BenchRow => {
      const row = { name: `${name}, p${percent}, ${link}`, unit };
      if (values.length === 0) return { ...row, skipped: 'no alarm was raised' };
      const value = round(percentile(values, percent), 2);
      if (beside === undefined) return { ...row, value };
      const peerValue = round(percentile(beside, percent), 2);
      const against = {
        peer: `echo of ${bytes} bytes`,
        peerValue,
        ratio: Number((peerValue / value).toPrecision(3)),
      };
      return { ...row, value, ...against };
    });
  return [
    { name: `windows, ${link}`, value: ways.length, unit: 'windows' },
    {
      name: `alarms raised (p99 of so few is the longest), ${link}`,
      ...{ value: raised.length, unit: `of ${alarms}` },
      ...{ aim: `${alarms}: each within ${MOST} windows`, met: raised.length === alarms },
    },
    ...rows('change → alarm', delays, undefined, 'windows'),
    ...rows(
      'last sample → prediction',
      ways.map((way) => way.predictedAt - way.sampleAt),
    ),
    ...rows(
      'prediction → gateway',
      ways.map((way) => way.arrivedAt - way.predictedAt),
      peer,
    ),
    ...rows(
      'gateway → stored',
      ways.map((way) => way.storedAt - way.arrivedAt),
    ),
    ...rows(
      'last sample → stored',
      ways.map((way) => way.storedAt - way.sampleAt),
      peer,
    ),
    ...rows(
      'stored → alarm',
      raised.map((way) => way.alarmAt! - way.storedAt),
    ),
    ...rows(
      'last sample → alarm',
      raised.map((way) => way.alarmAt! - way.sampleAt),
      peer,
    ),
  ];
}

async function echo(reach: Reach, bytes: number): Promise<number[]> {
  const { port, far, end } = await reach.wire();
  try {
    await Promise.all([port.open(), far.open()]);
    far.onData((piece) => far.write(piece));
    await echoes(port, bytes, 5); // until everything has been used once
    return await echoes(port, bytes, ECHOES);
  } finally {
    await port.close();
    await end();
  }
}

/**
 * The value below which so many per cent lie, by the nearest rank.
 *
 * @example percentile([4, 1, 3, 2], 50) // 2
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}
