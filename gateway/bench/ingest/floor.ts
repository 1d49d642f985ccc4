import type { DatabaseSync } from 'node:sqlite';
import { encodeFrame, feed, frameDecoder, type Suite } from '../../../device/core/frame.ts';
import { answersOf } from '../../answers.ts';
import { composeMessage, parseMessage, type Sample } from '../../link/messages.ts';
import { ccm } from '../../link/suites/ccm.ts';
import { mac } from '../../link/suites/mac.ts';
import { none } from '../../link/suites/none.ts';
import { layOut, nonceOf, takeApart } from '../../link/suites/suite.ts';
import { toRow } from '../../loop/sample-row.ts';
import { createMonitor } from '../../monitor/monitor.ts';
import { openDatabase } from '../../store/database.ts';
import type { NewSample } from '../../store/types.ts';
import { loadTask } from '../../task.ts';
import { deviceId, frameDevice } from './device.ts';

/** What is measured of the parts. */
export interface FloorSetup {
  t: 'floor';
  directory: string;
  devices: number;
  /** windows of a group, of all devices together */
  group: number;
  /** groups; the first half is for the compiler, and for what is normal of each device */
  groups: number;
}

/** µs of processor time for a window, of each part alone. */
export interface Floor {
  /** frames taken apart, opened and read, by suite */
  read: Record<'none' | 'ccm' | 'mac', number>;
  /** the gateway's rows into its table and indexes, in transactions of a group, each synced */
  insert: number;
  /** the same rows into a table without any index */
  append: number;
  /** the monitor */
  watch: number;
}

const task = loadTask('gesture');
/** The feeder's session, and the gateway's epoch, where a link has some. */
const SESSION = 7;
const EPOCH = 1;

/**
 * What the parts cost that no gateway of this schema can leave out, each alone, without the gateway
 * around it: nothing is deduplicated, acknowledged or told to anybody.
 */
function measure(setup: FloorSetup): Floor {
  const read = { none: 0, ccm: 0, mac: 0 };
  let samples: Sample[][] = [];
  for (const suite of ['ccm', 'mac', 'none'] as const) {
    const found = reading(suite, setup);
    read[suite] = found.us;
    samples = found.samples;
  }
  const rows = samples.map((group) => group.map((sample, k) => rowOf(sample, k, setup)));
  return { read, watch: watching(samples, setup), ...inserting(rows, setup) };
}

/** Processor time of the second half of some runs, µs for each of `n`. */
function timed(runs: (() => void)[], n: number): number {
  const half = Math.floor(runs.length / 2);
  for (const run of runs.slice(0, half)) run();
  const from = process.cpuUsage();
  for (const run of runs.slice(half)) run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / (n * (runs.length - half));
}

const eachOf = ({ devices, group }: FloorSetup): number => Math.ceil(group / devices);
const whose = (k: number, setup: FloorSetup): string => deviceId(Math.floor(k / eachOf(setup)));

function reading(
  suite: 'none' | 'ccm' | 'mac',
  setup: FloorSetup,
): { us: number; samples: Sample[][] } {
  const each = eachOf(setup);
  const devices = Array.from({ length: setup.devices }, (_, i) => {
    const secret = new Uint8Array(34).map((_, k) => (k === 0 ? 1 : i * 31 + k));
    const device = frameDevice(i, task, suite, secret, () => {});
    const { confidentOneIn, uncertainBelow, rawOneIn } = task.send;
    const policy = { confidentOneIn, uncertainBelow, rawOneIn };
    const welcome = composeMessage('welcome', { session: SESSION, time: 0, ackSeq: 0, ...policy });
    device.hello();
    device.receive(encodeFrame(welcome, gatewayOf(suite, secret).seal));
    return { device, open: gatewayOf(suite, secret).open, decoder: frameDecoder(2048) };
  });
  const samples: Sample[][] = [];
  const runs = Array.from({ length: setup.groups }, () => {
    const pieces = devices.map(({ device }) => device.make(each).bytes);
    const group: Sample[] = [];
    samples.push(group);
    return () => {
      devices.forEach(({ decoder, open }, i) => {
        feed(decoder, pieces[i]!, open, (payload) => {
          const message = parseMessage(payload.slice());
          if (message?.name === 'sample') group.push(message.body);
        });
      });
    };
  });
  const us = timed(runs, each * setup.devices);
  const got = samples.reduce((sum, group) => sum + group.length, 0);
  const sent = each * setup.devices * setup.groups;
  if (got !== sent) throw new Error(`${suite}: ${got} of ${sent} windows were read`);
  return { us, samples };
}

/** The gateway's end of a device's frames, without its keeping of books. */
function gatewayOf(suite: 'none' | 'ccm' | 'mac', secret: Uint8Array): Suite {
  if (suite === 'none') return none;
  const cipher = suite === 'ccm' ? ccm : mac;
  const [up, down] = [secret.subarray(2, 18), secret.subarray(18, 34)];
  return {
    seal: (body) =>
      layOut({ from: EPOCH, n: 1, ...cipher.seal(down, nonceOf(EPOCH, SESSION, 1), body) }),
    open(sealed) {
      const frame = takeApart(sealed);
      return frame && cipher.open(up, nonceOf(frame.from, EPOCH, frame.n), frame);
    },
  };
}

function watching(samples: readonly Sample[][], setup: FloorSetup): number {
  const monitor = createMonitor(task.monitor, undefined, undefined, {
    ...{ reads: answersOf(task), sensor: task.sensor, isMargin: true },
  });
  const runs = samples.map((group) => () => {
    const at = Date.now();
    group.forEach((sample, k) => void monitor.window(whose(k, setup), { ...sample, at }));
  });
  return timed(runs, samples[0]!.length);
}

function rowOf(sample: Sample, k: number, setup: FloorSetup): NewSample {
  const asRow = { task: task.name, answers: answersOf(task), trust: 1 };
  const version = 'f'.repeat(64);
  return toRow(sample, asRow, {
    device: whose(k, setup),
    version,
    at: Date.now(),
    quarantine: null,
  });
}

function inserting(
  rows: readonly NewSample[][],
  { directory }: FloorSetup,
): Pick<Floor, 'insert' | 'append'> {
  const { db } = openDatabase({ directory });
  db.exec('CREATE TABLE bare AS SELECT * FROM samples WHERE false');
  const into = (table: string): number => {
    const statement = db.prepare(`INSERT INTO ${table} (device, session, seq, task, at, t, release,
      version, cls, score, length, embedding, window, quarantine)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    const runs = rows.map((group) => () => {
      db.exec('BEGIN IMMEDIATE');
      for (const { labelTrust: _, label: __, ...row } of group) {
        const { device, session, seq, at, t, release, version, cls, score, length } = row;
        const { embedding, window, quarantine } = row;
        statement.run(
          ...[device, session, seq, row.task, at, t, release, version, cls, score, length],
          ...[embedding, window, quarantine],
        );
      }
      db.exec('COMMIT');
    });
    const us = timed(runs, rows[0]!.length);
    expectRows(db, table, rows);
    return us;
  };
  const us = { append: into('bare'), insert: into('samples') };
  db.close();
  return us;
}

function expectRows(db: DatabaseSync, table: string, rows: readonly NewSample[][]): void {
  const { n } = db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number };
  const sent = rows.reduce((sum, group) => sum + group.length, 0);
  if (n !== sent) throw new Error(`${n} of ${sent} windows are in ${table}`);
}

process.once('disconnect', () => process.exit()); // whoever measures is gone
process.once('message', (setup: FloorSetup) => {
  process.send?.(measure(setup));
  process.disconnect?.();
});
