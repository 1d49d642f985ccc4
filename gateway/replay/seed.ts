import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '../../device/build.ts';
import type { BoardProfile } from '../board.ts';
import { type Composed, compose } from '../compose.ts';
import { type Healed, modelBytes } from '../heal.ts';
import { importRecordings } from '../imports.ts';
import { virtualClock } from '../link/virtual/clock.ts';
import { createRandom } from '../random.ts';
import type { Recording } from '../recordings.ts';
import { type Scope, scopeName } from '../registry/manifest.ts';
import type { ReplayOptions, ReplaySeed, ReplayUpdate } from '../report.ts';
import type { Task } from '../task.ts';
import { writeTflite } from '../train/tflite/write-tflite.ts';
import { askOneByOne } from './ask.ts';
import { espruinoFed, type Fed, virtualFed } from './fed.ts';
import { type Mark, stagesOf, type Training } from './stages.ts';
import { createWorld } from './world.ts';

/** What one seed of a replay is given. */
export interface SeedRun {
  task: Task;
  board: BoardProfile;
  bundle: Bundle;
  options: ReplayOptions;
  people: { from: readonly Recording[]; to: readonly Recording[] };
  to: string;
  seed: number;
  onProgress: (done: number, what: string) => void;
}

/** Share of the first person's windows that is kept from training, to measure the first model on. */
const OWN_SHARE = 0.2;
/** Where a replay's clock begins: nothing depends on it, so that a run can be repeated. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
/**
 * Replays one seed: the device `keeper` keeps its wearer, `mover` changes it, and a real Espruino,
 * if there is one, gets the windows and the labels of `mover`. With `devices` all of them change it.
 */
export async function replaySeed(run: SeedRun): Promise<ReplaySeed> {
  const { task, board, bundle, options, people, seed, onProgress } = run;
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-replay-'));
  const clock = virtualClock(EPOCH_MS);
  const settings = { task, directory: join(folder, 'data'), clock, automatic: false, seed };
  const gateway = compose({ ...settings, durability: 'process' });
  const { loop, store } = gateway;
  const stepMs = Math.ceil((1000 * task.window.samples) / task.sensor.rateHz);
  const devices: Fed[] = [];
  const marks: Mark[] = [];
  store.journal.watch((event) => marks.push({ ...event, wallMs: performance.now() }));
  try {
    const random = createRandom(seed);
    const { own, teach } = split(people.from, random.shuffle);
    await importRecordings(store, task, 'recordings', teach, clock.now());
    const parts = { board, bundle, clock, seed };
    const ids = idsOf(options.devices);
    for (const id of ids) devices.push(await virtualFed({ ...parts, id }, loop));
    if (options.espruino !== undefined) {
      const where = { path: options.espruino, folder, stepMs };
      devices.push(await espruinoFed({ ...parts, id: 'espruino' }, loop, where));
    }
    const movers = devices.filter(({ id }) => id !== KEEPER);
    const world = createWorld({ gateway, clock, stepMs, devices, own, options });
    await world.until('every device says hello', () => loop.online.size === devices.length);

    onProgress(0, 'first model');
    await world.rollOut(await loop.heal({ kind: 'fleet', id: '' }));
    const trained = await world.pass(own, devices);

    onProgress(0.3, `${run.to} puts it on`);
    const shift = { at: clock.now(), wallMs: performance.now() };
    const windows = [...people.to];
    random.shuffle(windows);
    for (const { id } of movers) store.devices.setCohort(id, run.to);
    const planned = plannedLabels(run, windows);
    const samples = new Map<Recording, number[]>();
    const first = options.devices === undefined ? windows : untilLabelled(windows, planned);
    const shifted = await world.pass(first, movers, { samples, label: new Set(planned ?? []) });
    const labelled = planned ?? (await mostUseful(run, windows, samples, gateway, movers));
    if (planned === null) await world.label(labelled, samples);

    onProgress(0.7, 'retraining');
    // a real Espruino may still be asked for its last raw window: each device learns from the same
    const taught = (withWindow: boolean): number =>
      store.samples.labelled({ task: task.name, ...(withWindow && { withWindow }) }).length;
    await world.until('every labelled window is here', () => taught(true) === taught(false), false);
    const scopes = scopesOf(run, movers);
    const healed: Healed[] = [];
    for (const scope of scopes) healed.push(await loop.heal(scope, signalOf(options)));
    if (options.devices !== undefined) await world.soak(healed, windows, movers);
    else for (const one of healed) await world.arrival(one, movers);

    onProgress(0.8, 'after the update');
    const rest = windows.filter((recording) => !labelled.includes(recording));
    const updated = await world.pass(rest, movers);
    for (const one of healed) await world.settled(one);
    await world.until('every window is stored', () => world.lost() === 0, false);

    const alarms = store.journal.find({ kind: 'alarm.raised' });
    const isMover = (subject: string): boolean => movers.some(({ id }) => id === subject);
    const onShift = alarms.find(({ subject, at }) => isMover(subject) && at >= shift.at);
    return {
      seed,
      labelsUsed: labelled.length,
      accuracy: { trained, shifted, updated },
      labelsTo90: updated >= 0.9 ? labelled.length : null,
      drift: {
        alarmDelayWindows:
          onShift === undefined ? null : Math.ceil((onShift.at - shift.at) / stepMs),
        falseAlarms: alarms.filter(({ subject, at }) => !isMover(subject) || at < shift.at).length,
      },
      updates: healed.flatMap((one) => updatesOf(one, gateway)),
      ...world.counts(healed),
      stages: stagesOf({
        ...{ seed, shift, stepMs, marks, devices: movers.map(({ id }) => id) },
        trainings: healed.flatMap((one) => trainingOf(one, gateway)),
      }),
      ...(options.espruino !== undefined && { espruino: world.compared }),
    };
  } finally {
    await Promise.all(devices.map((device) => device.dispose()));
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The device that keeps its wearer, where there is one. */
const KEEPER = 'keeper';

function idsOf(devices: number | undefined): string[] {
  if (devices === undefined) return [KEEPER, 'mover'];
  return Array.from({ length: devices }, (_, i) => `mover-${i + 1}`);
}

/** The windows up to the last that gets a label; all, where it is not known yet which do. */
function untilLabelled(
  windows: readonly Recording[],
  planned: readonly Recording[] | null,
): readonly Recording[] {
  if (planned === null) return windows;
  return windows.slice(0, windows.findLastIndex((window) => planned.includes(window)) + 1);
}

/** Keeps a share of each class from training. */
function split(
  recordings: readonly Recording[],
  shuffle: <T extends Recording[]>(items: T) => T,
): { own: Recording[]; teach: Recording[] } {
  const own: Recording[] = [];
  const teach: Recording[] = [];
  const mixed = shuffle([...recordings]);
  for (const cls of new Set(mixed.map((recording) => recording.cls))) {
    const same = mixed.filter((recording) => recording.cls === cls);
    const kept = Math.max(1, Math.round(same.length * OWN_SHARE));
    own.push(...same.slice(0, kept));
    teach.push(...same.slice(kept));
  }
  return { own: shuffle(own), teach };
}

/**
 * The windows that get a label, so many of each class or so many in all, in random order already;
 * null where they are chosen by what the devices say of them.
 */
function plannedLabels(
  { options, task }: SeedRun,
  windows: readonly Recording[],
): Recording[] | null {
  const { labels, labelsPerClass, select } = options;
  if (labels !== undefined) return select === 'active' ? null : windows.slice(0, labels);
  return task.classes.flatMap((_, cls) =>
    windows.filter((recording) => recording.cls === cls).slice(0, labelsPerClass ?? 0),
  );
}

/** The windows that the gateway asks for, in the order in which it asks. */
function mostUseful(
  run: SeedRun,
  windows: readonly Recording[],
  samples: ReadonlyMap<Recording, number[]>,
  { loop, store, registry }: Composed,
  movers: readonly Fed[],
): Promise<Recording[]> {
  const { task, options, seed } = run;
  const parts = { task, store, registry, regime: loop.regime, seed };
  const sent = windows.map((recording) => ({ recording, id: samples.get(recording)![0]! }));
  return askOneByOne(parts, scopesOf(run, movers)[0]!, sent, options.labels ?? 0, options.signal);
}

/** Whom the update serves; a real Espruino on the same wrist gets a head of its own, by its labels. */
function scopesOf({ options, to }: SeedRun, movers: readonly Fed[]): Scope[] {
  if (options.scope === 'fleet') return [{ kind: 'fleet', id: '' }];
  if (options.scope === 'cohort') return [{ kind: 'cohort', id: to }];
  return movers.map(({ id }): Scope => ({ kind: 'device', id }));
}

function signalOf({ signal }: ReplayOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** What the stages want to know of a training that gave a release. */
function trainingOf(
  { scope, version, rollout, attempts }: Healed,
  { registry, loop }: Composed,
): Training[] {
  if (version === null || rollout === null) return [];
  const { golden } = registry.get(version).manifest;
  const { provisional, settings, release } = loop.rollouts.get(rollout)!;
  return [
    {
      scope: scopeName(scope),
      attempts: attempts.map(({ rung, trainMs, report: { evidence } }) => ({
        ...{ rung, trainMs, evidence: evidence.kind, windows: evidence.windows },
      })),
      modelBytes: modelBytes(registry.parts(version)),
      goldenWindows: golden.count,
      ...{ provisional, soakWindows: settings.soakWindows },
      wireBytes: (device) => loop.wireBytes(release, device),
    },
  ];
}

/** Every rung that was tried; the one that was chosen is released, and has bytes on the wire. */
function updatesOf(
  { scope, version, attempts }: Healed,
  { registry, loop }: Composed,
): ReplayUpdate[] {
  const release = version === null ? undefined : registry.latestRelease(version);
  return attempts.map(({ rung, model, parts, trainMs, report }) => {
    const released = version !== null && registry.get(version).manifest.lineage.rung === rung;
    return {
      version: released ? version : '',
      ...{ scope: scopeName(scope), rung, trainMs, modelBytes: modelBytes(parts) },
      wireBytes: released && release !== undefined ? loop.wireBytes(release) : 0,
      ...{ tfliteBytes: writeTflite(model.layers).length, released },
      reason: report.reason,
    };
  });
}
