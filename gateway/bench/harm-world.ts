import { CONFIRMED, REVERTED, TRIAL } from '../../device/core/update.ts';
import { type Composed, compose } from '../compose.ts';
import { hashOf, modelBytes } from '../heal.ts';
import { importRecordings } from '../imports.ts';
import { virtualClock } from '../link/virtual/clock.ts';
import type { Recording } from '../recordings.ts';
import type { Task } from '../task.ts';
import type { GateReport } from '../train/gate-report.ts';
import { createPredictor, goldenVectors, type ModelParts, type Predictor } from '../train/model.ts';
import { retrain } from '../train/retrain.ts';

/** A first model, trained once and taken over by many trials. */
export interface FirstModel {
  learned: readonly Recording[];
  parts: ModelParts;
  report: GateReport;
}

/** A gateway without a link: windows go into the store, the monitor and the rollouts by hand. */
export interface HarmWorld {
  gateway: Composed;
  devices: readonly string[];
  /** The model that a device runs now, on trial or confirmed. */
  runs(device: string): Predictor;
  /** A device sees a window and reports it. @returns the sample, null where the check set it aside */
  see(device: string, recording: Recording): Promise<number | null>;
  /** Somebody says what a window was. */
  label(sample: number, cls: number): Promise<void>;
  /** Samples whose label the gateway asked for and nobody has given, oldest first. */
  asked(): number[];
  /** Does what the rollouts ask of the devices, as devices do it that work. */
  obey(): void;
  close(): Promise<void>;
}

const BOARD = 'espruino-linux';
/** Between two windows. */
const STEP_MS = 4000;
const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Opens a gateway in memory whose devices run a first model already.
 *
 * @param task of the gateway
 * @param first what they run, and the recordings that taught it
 * @param ids of the devices
 * @param seed of every training
 */
export async function openWorld(
  task: Task,
  first: FirstModel,
  ids: readonly string[],
  seed: number,
): Promise<HarmWorld> {
  const clock = virtualClock(EPOCH_MS);
  const gateway = compose({ task, directory: ':memory:', clock, automatic: false, seed });
  const { store, registry, loop } = gateway;
  await importRecordings(store, task, 'recordings', first.learned, clock.now());
  const version = register(gateway, first, seed);
  const release = registry.release(version, 'first model');
  const seqs = new Map(ids.map((id) => [id, 0]));
  const running = new Map<string, { release: number; predict: Predictor }>();
  const install = (id: string, next: number): void => {
    const of = registry.releaseOf(next)!.version;
    running.set(id, { release: next, predict: createPredictor(registry.parts(of)) });
  };
  for (const id of ids) {
    const about = { id, board: BOARD, task: task.name, tier: 'reference', session: 1 };
    store.devices.hello({ ...about, release, version, state: 1, at: clock.now() });
    loop.rollouts.hello(id, { release, state: 1 });
    install(id, release);
    loop.hear(id, { release, code: CONFIRMED, detail: 0 });
  }

  function obey(): void {
    for (const state of loop.rollouts.list()) {
      for (const id of state.order) {
        const { stage, previous } = state.members[id]!;
        const status = (of: number, what: number) =>
          loop.hear(id, { release: of, code: what, detail: 0 });
        if (stage === 'offered') {
          install(id, state.release);
          status(state.release, TRIAL);
        } else if (stage === 'confirming') {
          status(state.release, CONFIRMED);
        } else if (stage === 'reverting') {
          install(id, registry.latestRelease(previous!)!);
          status(state.release, REVERTED);
        } else if (stage === 'returning' && (state.back[previous!] ?? 0) > 0) {
          const back = state.back[previous!]!;
          install(id, back);
          status(back, CONFIRMED);
        }
      }
    }
  }

  return {
    gateway,
    devices: ids,
    runs: (id) => running.get(id)!.predict,
    async see(id, { window, length }) {
      const { release: of, predict } = running.get(id)!;
      await clock.advance(STEP_MS);
      const { cls, score, embedding } = predict(window, length);
      const seq = seqs.get(id)! + 1;
      seqs.set(id, seq);
      const values = window.slice(0, length * task.sensor.axes.length);
      const t = clock.now() - EPOCH_MS;
      const said = { session: 1, seq, t, release: of, cls, score, length, label: null };
      const arrived = loop.arrive(
        id,
        { ...said, embedding: bytes(embedding), window: bytes(values) },
        () => {},
      );
      store.flush();
      await arrived;
      obey();
      const { id: sample, quarantine } = store.samples.latest(id, 1)[0]!;
      return quarantine === null ? sample : null;
    },
    async label(sample, cls) {
      const told = loop.truth({ sample, cls, source: 'person', trust: 1 });
      store.flush();
      await told;
      obey();
    },
    asked: () =>
      store.samples
        .find({ task: task.name, asked: true, labelled: false, order: 'oldest' })
        .map(({ id }) => id),
    obey,
    close: () => gateway.close(),
  };
}

/** Int8 as the wire has them. */
const bytes = (values: Int8Array) => new Uint8Array(Uint8Array.from(values));

/**
 * Trains what the devices run at first, through the gate like any other.
 *
 * @throws Error if the gate refuses it
 */
export async function trainFirst(
  task: Task,
  learned: readonly Recording[],
  seed: number,
): Promise<FirstModel> {
  const nobody = { recentByDevice: new Map(), lately: new Map(), labelled: new Map(), regimes: [] };
  const { chosen, attempts } = await retrain({
    ...{ task, champion: null, championReference: null, isUpdated: false },
    ...{ championSaid: [], origins: [], memory: [] },
    ...{ ...nobody, isShared: true, mustPass: [], budgets: () => [], seed },
    data: { fresh: learned, old: [], recent: [] },
  });
  if (chosen === null) throw new Error(`no first model: ${attempts.at(-1)?.report.reason}`);
  return { learned, parts: chosen.parts, report: chosen.report };
}

function register({ registry, store, task }: Composed, first: FirstModel, seed: number): string {
  const { parts, report } = first;
  const values = task.window.samples * task.sensor.axes.length;
  const golden = goldenVectors(parts, values, seed, 1);
  const version = registry.register(
    parts,
    {
      ...{ task: task.name, taskHash: hashOf(task), scope: { kind: 'fleet', id: '' } },
      parent: null,
      golden: { seed: golden.seed, count: 1, outputs: Int8Array.from(golden.outputs) },
      lineage: {
        dataSnapshot: store.catalogue.addSnapshot([], EPOCH_MS),
        ...{ codeVersion: 'bench', seed, rung: 'whole' },
      },
      budgets: { bytes: modelBytes(parts) },
    },
    report,
  );
  for (const stage of ['trial', 'champion'] as const) {
    registry.setStage(version, stage, { who: 'bench', why: 'first model' });
  }
  return version;
}
