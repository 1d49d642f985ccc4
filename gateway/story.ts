import { buildBundle } from '../device/build.ts';
import { loadBoard } from './board.ts';
import type { Composed } from './compose.ts';
import { importRecordings } from './imports.ts';
import { type Clock, realClock } from './link/port.ts';
import { createVirtualDevice, type VirtualDevice } from './link/virtual/device.ts';
import { takesNothing } from './store/failure.ts';
import { type Motion, motion } from './synthetic/motion.ts';
import { syntheticRecordings } from './synthetic/recordings.ts';
import { someoneElse, type Wearer, wearer } from './synthetic/wearer.ts';

/**
 * The story that `npm start` tells where no board is connected: virtual watches run the built
 * bundle on SYNTHETIC motion, learn their gestures, two of them change their wearer, and the loop
 * heals them. Everything but the wrists is real: bundle, link, store, monitor, trainer, gate,
 * rollout.
 */
export interface Story {
  /** who wears a watch, and the share of its newest gestures that it named right */
  simulated(device: string): { wearer: string; accuracy: number | null } | undefined;
  close(): Promise<void>;
}

/** How the story goes. */
export interface Plot {
  watches: number;
  seed: number;
  /** how many change their wearer, and when, counted from the first model's arrival */
  changing: number;
  changeMs: number;
  /** a person at the gateway labels a window of an alarmed watch this often */
  labelMs: number;
  /** pauses between gestures */
  restSeconds: [number, number];
  clock?: Clock;
}

export const PLOT: Plot = {
  ...{ watches: 4, seed: 1, changing: 2, changeMs: 70_000, labelMs: 3000, restSeconds: [0.4, 1] },
};

/** What the monitor learns normality from, in a story that lasts minutes. */
export const PLOT_MONITOR = { referenceWindows: 20, recentWindows: 10 };

/** The board that the watches are doubles of. */
const BOARD = 'banglejs2';
/** Recordings of each factory wearer in each class that the first model is trained on. */
const FACTORY = { wearers: 4, perClass: 20 };
/** Newest gestures that the true accuracy is taken of, and a change of it that is worth an event. */
const RECENT = 20;
const NOTABLE = 0.15;
/** A watch without an alarm is labelled once in so many turns: what shows a fall that scores hide. */
const SPOT_CHECK = 2;

/** One watch on a synthetic wrist. */
interface Watch {
  id: string;
  device: VirtualDevice;
  motion: Motion;
  /** true class of each window since boot, by its number; null where there was no gesture */
  truth: (number | null)[];
  /** whether each of the newest gestures was named right */
  right: boolean[];
  told: number | null;
}

/**
 * Puts virtual watches on synthetic wrists and lets them live in real time.
 *
 * @param gateway that they join
 * @param plot see {@link PLOT}
 * @throws RangeError if the task is not for synthetic motion
 */
export async function tellStory(gateway: Composed, plot: Plot = PLOT): Promise<Story> {
  const { task, store, loop } = gateway;
  const { journal } = store;
  const clock = plot.clock ?? realClock;
  const board = loadBoard(BOARD);
  const bundle = await buildBundle({ board, task });
  const watches: Watch[] = [];
  // whoever wore a watch when the gateway ended wears it still
  const turns = store.states.load<number>('story') ?? 0;
  const timers = new Set<unknown>();
  let turn = 0;
  let stopped = false;

  const after = (ms: number, act: () => void): void => {
    const timer = clock.setTimeout(() => {
      timers.delete(timer);
      if (!stopped) act();
    }, ms);
    timers.add(timer);
  };

  const every = (ms: number, act: () => void): void => {
    let due = clock.now() + ms;
    const again = (): void => {
      act();
      // a busy computer makes the wrists slower, not the windows faster than a wrist can be
      due = Math.max(due + ms, clock.now());
      after(Math.max(0, due - clock.now()), again);
    };
    after(ms, again);
  };

  try {
    for (let i = 0; i < plot.watches; i++) {
      const id = `watch-${i + 1}`;
      // its chance is that of this boot: a watch that starts again opens a session of its own
      const device = createVirtualDevice({ bundle, id, board, clock, seed: clock.now() + i });
      const changes = i < plot.watches - plot.changing ? 0 : turns;
      const someone = wearerAfter(plot.seed, i, changes);
      const stream = motion(task, someone, plot.seed + i, plot.restSeconds);
      watches.push({ id, device, motion: stream, truth: [], right: [], told: null });
      await loop.attach(device.port);
    }
    if (store.samples.count({ task: task.name }) === 0) await teach();
    every(1000 / task.sensor.rateHz, () => watches.forEach(sense));
    every(1000, () => watches.forEach(tell));
    every(plot.labelMs, label);
    if (loop.rollouts.list().length === 0) await loop.heal({ kind: 'fleet', id: '' });
  } catch (error) {
    await close();
    throw error;
  }
  after(plot.changeMs, change);

  /** What the makers of the watch would have recorded before they sold it. */
  async function teach(): Promise<void> {
    for (let i = 0; i < FACTORY.wearers; i++) {
      const someone = wearer(plot.seed + i, `wearer ${i + 1}`);
      const windows = syntheticRecordings(task, someone, FACTORY.perClass, 1000 + plot.seed + i);
      await importRecordings(store, task, `synthetic:${someone.name}`, windows, clock.now());
    }
  }

  /** One sample of the accelerometer; where it ends a window, what the window really was is noted. */
  function sense(watch: Watch): void {
    const { device, motion: stream, truth, right } = watch;
    const said = device.predictions.length;
    device.feedSample(stream.next().values);
    const prediction = device.predictions[said];
    if (prediction === undefined) return;
    const end = stream.index - task.window.quiet;
    const cls = stream.truth(end - task.window.minSamples, end);
    truth.push(cls);
    if (cls === null) return;
    right.push(prediction.cls === cls);
    if (right.length > RECENT) right.shift();
  }

  function change(): void {
    store.states.save('story', turns + 1).catch(forgiveFull);
    for (const watch of watches.slice(-plot.changing)) {
      const someone = wearerAfter(plot.seed, watches.indexOf(watch), turns + 1);
      watch.motion.wear(someone);
      watch.right.length = 0;
      journal.write('device.wearer', watch.id, { wearer: someone.name }, clock.now());
    }
  }

  /** A change of the true accuracy, which only a simulation knows, is told once it is plain. */
  function tell(watch: Watch): void {
    const now = accuracyOf(watch);
    if (now === null) return;
    const from = watch.told;
    if (from !== null && Math.abs(from - now) < NOTABLE) return;
    watch.told = now;
    if (from === null) return;
    journal.write('accuracy.changed', watch.id, { from, to: now }, clock.now());
  }

  /**
   * The person at the gateway: says what a recent window was, of a watch with an alarm or one that
   * is not as good yet as it should be; of the others now and then, as a spot check.
   */
  function label(): void {
    turn++;
    for (const { id, truth } of watches) {
      if (!loop.wantsLabels(id) && turn % SPOT_CHECK !== 0) continue;
      const session = store.devices.get(id)?.session;
      // of this session: what earlier windows were, nobody knows any more
      const recent = store.samples
        .latest(id, RECENT)
        .filter((sample) => sample.session === session);
      const known = new Map<number, number>();
      for (const sample of store.samples.find({
        device: id,
        since: loop.regime(id),
        labelled: true,
      })) {
        known.set(sample.label!.cls, (known.get(sample.label!.cls) ?? 0) + 1);
      }
      // one of the class that has the fewest labels: what a person would be asked for
      const [choice] = recent
        .flatMap((sample) => {
          const cls = sample.label === null ? truth[sample.seq - 1] : null;
          return cls === null || cls === undefined ? [] : [{ sample, cls }];
        })
        .sort((a, b) => (known.get(a.cls) ?? 0) - (known.get(b.cls) ?? 0));
      if (choice === undefined) continue;
      const { sample, cls } = choice;
      loop.truth({ sample: sample.id, cls, source: 'person', trust: 1 }).catch(forgiveFull);
    }
  }

  const accuracyOf = ({ right }: Watch): number | null =>
    right.length < RECENT / 2 ? null : right.filter(Boolean).length / right.length;

  return {
    simulated(id) {
      const watch = watches.find((one) => one.id === id);
      return watch && { wearer: watch.motion.wearer.name, accuracy: accuracyOf(watch) };
    },
    close,
  };

  async function close(): Promise<void> {
    stopped = true;
    for (const timer of timers) clock.clearTimeout(timer);
    await Promise.all(watches.map(({ device }) => device.dispose()));
  }
}

/** A full disk: the story goes on, and tries again where that matters. */
function forgiveFull(error: unknown): void {
  if (!takesNothing(error)) throw error;
}

/** Who wears a watch after it changed hands so often: each time somebody very different. */
function wearerAfter(seed: number, watch: number, changes: number): Wearer {
  let someone = wearer(seed + watch, `wearer ${watch + 1}`);
  for (let i = 0; i < changes; i++) {
    someone = someoneElse(someone, seed + i, i === 0 ? 'somebody else' : `person ${i + 2}`);
  }
  return someone;
}
