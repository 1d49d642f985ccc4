import type { Answers } from '../answers.ts';
import { GatewayError } from '../errors.ts';
import type { Sample } from '../link/messages.ts';
import type { Registry } from '../registry/registry.ts';
import { checkLimits, checkSample } from '../store/check.ts';
import type { Store } from '../store/store.ts';
import type { NewSample, SampleKey } from '../store/types.ts';
import type { Task } from '../task.ts';
import { trustOf } from '../trust.ts';
import { createVersionOf } from '../versions.ts';
import type { JournalWriter } from './journal-writer.ts';
import { measured, toRow } from './sample-row.ts';
import type { Trials } from './trials.ts';
import type { Watch } from './watch.ts';

/** check → store, and then they are watched: the windows that devices report. */
export interface Arrivals {
  /**
   * Takes a window that a device reported: what an attached port does with each, for those who have no
   * port.
   *
   * @param done told whether it is durable
   */
  arrive(device: string, sample: Sample, done: (kept?: boolean) => void): Promise<void>;
  /** Takes a raw window that was asked for: checked as if it had come at once. */
  keep(device: string, sample: Sample): Promise<void>;
  /** Calls back for every window once it is stored, the set-aside ones too. @returns what ends that */
  onWindow(listener: (row: NewSample) => void): () => void;
  /** Calls back for every good raw window once it is stored. @returns what ends that */
  onRaw(listener: (key: SampleKey) => void): () => void;
}

/** The newest sample of a device, whatever became of it. */
export type Newest = Pick<Sample, 'session' | 'seq' | 't'>;

/** What windows come to. */
export interface ArrivalParts {
  task: Task;
  answers: Answers;
  store: Store;
  registry: Registry;
  now: () => number;
  /** of each device; is kept up to date here */
  newest: Map<string, Newest>;
  log: Pick<JournalWriter, 'tell' | 'pay'>;
  watch: Pick<Watch, 'window' | 'sensor'>;
  trials: Pick<Trials, 'compare'>;
}

/** @param parts what windows are checked against, where they are stored, and who sees them then */
export function createArrivals(parts: ArrivalParts): Arrivals {
  const { task, answers, store, registry, now, newest, log, watch, trials } = parts;
  const axes = task.sensor.axes.length;
  const asRow = { task: task.name, answers, trust: trustOf(task, 'device') };
  const versionOf = createVersionOf(registry);
  const onRaws = new Set<(key: SampleKey) => void>();
  const onWindows = new Set<(row: NewSample) => void>();

  const origin = (device: string, { release }: Sample) => ({
    device,
    version: versionOf(release),
    at: now(),
  });

  function tellRaw({ device, session, seq }: SampleKey): void {
    for (const listener of onRaws) listener({ device, session, seq });
  }

  return {
    async arrive(device, sample, done) {
      const before = newest.get(device);
      const same =
        before?.session === sample.session && before.seq < sample.seq ? before : undefined;
      const whole = measured(sample, axes);
      const reason = checkSample(whole, task, same, checkLimits);
      const row = toRow(whole, asRow, { ...origin(device, sample), quarantine: reason });
      newest.set(device, { session: sample.session, seq: sample.seq, t: sample.t });
      try {
        if ((await store.samples.add(row)) === 'duplicate') return done();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        return done(false); // a full disk: the device keeps the window and sends it again
      }
      done();
      log.pay();
      for (const listener of onWindows) listener(row);
      if (reason !== null) {
        const { session, seq } = sample;
        log.tell('sample.quarantined', device, { session, seq, reason });
        return watch.sensor(device, row);
      }
      if (row.window !== null) tellRaw(row);
      watch.window(row);
    },
    async keep(device, sample) {
      const whole = measured(sample, axes);
      const quarantine = checkSample(whole, task);
      try {
        const row = toRow(whole, asRow, { ...origin(device, sample), quarantine });
        const before = store.samples.get(row);
        await store.samples.add(row);
        if (quarantine === null && before?.window === null) trials.compare(before, row);
        watch.sensor(device, { ...row, at: store.samples.get(row)?.at ?? row.at });
        if (quarantine === null) tellRaw(row);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error; // a full disk: the window is asked for again
      }
    },
    onRaw: (listener) => listen(onRaws, listener),
    onWindow: (listener) => listen(onWindows, listener),
  };
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
