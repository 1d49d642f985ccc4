import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Composed } from './compose.ts';

/** What a gateway tells Prometheus, until closed. */
export interface Metrics {
  readonly contentType: string;
  /** The text of a scrape. */
  text(): Promise<string>;
  close(): void;
}

const NS_PER_S = 1e9;

/**
 * Counts what a gateway does. What the store knows is read at a scrape and survives restarts; what is
 * counted here begins at 0, as counters of Prometheus may.
 *
 * @param gateway composed
 * @source Prometheus naming practices: base units, `_total` for counters
 */
export function createMetrics(gateway: Composed): Metrics {
  const { store } = gateway;
  const registers = [new Registry()];
  const ends: (() => void)[] = [];

  const stored = new Counter({
    name: 'whetstone_windows_stored_total',
    help: 'Windows stored since the start',
    registers,
  });
  const quarantined = new Counter({
    name: 'whetstone_windows_quarantined_total',
    help: 'Windows that the check set aside since the start',
    registers,
  });
  ends.push(
    gateway.loop.onWindow((row) => {
      stored.inc();
      if (row.quarantine !== null) quarantined.inc();
    }),
  );
  const events = new Counter({
    name: 'whetstone_events_total',
    help: 'Entries of the log since the start: alarms, trainings, promotions, refusals',
    labelNames: ['kind'],
    registers,
  });
  ends.push(store.journal.watch(({ kind }) => events.inc({ kind })));
  const commits = new Histogram({
    name: 'whetstone_commit_duration_seconds',
    help: 'Transactions of the store, each with its sync',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const writes = new Counter({
    name: 'whetstone_commit_writes_total',
    help: 'Writes in these transactions',
    registers,
  });
  ends.push(
    store.onCommit((tookMs, operations) => {
      commits.observe(tookMs / 1000);
      writes.inc(operations);
    }),
  );
  lookAt(gateway, registers);
  ends.push(lookAtProcess(registers));
  return {
    contentType: registers[0]!.contentType,
    text: () => registers[0]!.metrics(),
    close() {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** Figures that are read when somebody scrapes. */
function lookAt({ store, loop, task }: Composed, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name: `whetstone_${name}`, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  const gauges = (
    name: string,
    help: string,
    label: string,
    read: () => Record<string, number>,
  ): void => {
    new Gauge({
      ...{ name: `whetstone_${name}`, help, labelNames: [label], registers },
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
      },
    });
  };
  gauge(
    'devices',
    'Devices of the task that were ever here',
    () => store.devices.list({ task: task.name }).length,
  );
  gauge('devices_online', 'Devices that are connected', () => loop.online.size);
  gauges('alarms', 'Alarms that last, by what they are about', 'what', () =>
    tally(loop.alarms.open().map(({ alarm }) => alarm.what)),
  );
  gauges('rollouts', 'Rollouts, by the stage that they are in', 'stage', () =>
    tally(loop.rollouts.list().map(({ stage }) => stage)),
  );
  gauges('training', 'Whether a training runs, and scopes that wait for one', 'state', () => {
    const { running, queue } = loop.schedule.state();
    return { running: running === null ? 0 : 1, queued: queue.length };
  });
  gauges('store_bytes', 'Size of the store, and what of it holds something', 'part', () => {
    const { file, used } = store.size();
    return { file, used };
  });
  gauge('store_full', 'Whether the disk takes nothing', () =>
    store.fullSince === undefined ? 0 : 1,
  );
  gauge('store_waiting', 'Writes that wait for their commit', () => store.waiting);
  gauges('windows_lost', 'Windows repeated by a link, and dropped by devices', 'how', () => ({
    ...store.losses(),
  }));
  gauges('link_refusals', 'What was refused on links, by devices and of them', 'what', () =>
    store.refusals.all(),
  );
  gauges('link_frames', 'Frames of connected devices that were no good', 'what', () => {
    const all = [...loop.online.values()].map((connection) => connection.stats());
    return {
      bad: all.reduce((sum, { badFrames }) => sum + badFrames, 0),
      replayed: all.reduce((sum, { guard }) => sum + guard.replays, 0),
    };
  });
}

/** What the process needs. @returns what ends it */
function lookAtProcess(registers: Registry[]): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  new Gauge({
    name: 'whetstone_event_loop_lag_seconds',
    help: 'How late timers were since the last scrape',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const [quantile, percentile] of [
        ['0.5', 50],
        ['0.99', 99],
        ['1', 100],
      ] as const) {
        const value = delay.percentile(percentile);
        this.set({ quantile }, Number.isFinite(value) ? value / NS_PER_S : 0);
      }
      delay.reset();
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, since 1970',
    registers,
    collect() {
      this.set(performance.timeOrigin / 1000);
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Time on processors',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  return () => delay.disable();
}

function tally(names: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const name of names) counted[name] = (counted[name] ?? 0) + 1;
  return counted;
}
