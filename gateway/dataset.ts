import { type Answers, answersOf } from './answers.ts';
import type { Scope } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import { MUST_PASS } from './store/resolve.ts';
import { sampleText } from './store/sample-name.ts';
import type { Store } from './store/store.ts';
import type { LabelledSample, Sample } from './store/types.ts';
import type { Task } from './task.ts';
import type { LabelOrigin } from './train/label-audit.ts';
import { createPredictor } from './train/model.ts';
import { classesOf } from './train/new-class.ts';
import { reservoir } from './train/rehearsal.ts';
import type { Example, RungData, Window } from './train/rungs.ts';
import { modelOf, type TrainedVersion } from './versions.ts';

/** What is known of a scope when its model is retrained. */
export interface Dataset {
  /** the version that the scope runs, as the trainer sees it; null before the first model */
  champion: ({ version: string } & TrainedVersion) | null;
  data: RungData;
  championSaid: number[];
  /** whence each fresh label came */
  origins: LabelOrigin[];
  /** recent windows again, by device */
  recentByDevice: Map<string, Window[]>;
  /** newest windows of this regime or before, by device */
  lately: Map<string, Window[]>;
  /** windows since the first new label, by device */
  labelled: Map<string, Window[]>;
  /** labelled windows from before, of anybody, which new labels are compared with */
  memory: Example[];
  regimes: { name: string; examples: Example[] }[];
  /** whether the scope is more than one device */
  isShared: boolean;
  /** pinned windows, by sample: labels whose source is {@link MUST_PASS} */
  mustPass: (Example & { name: string })[];
  /** every labelled sample that teaches, for the snapshot in the lineage */
  samples: LabelledSample[];
}

/** Windows of one class of one device that are kept for rehearsal, for judging, for comparison. */
const KEPT = { rehearse: 100, judge: 40, compare: 100 };
/** Newest raw windows that a normalisation is fitted to. */
const RECENT = 500;

/** The devices that a scope means, whether or not one of them has a model of its own. */
export function membersOf(store: Store, task: string, scope: Scope): string[] {
  if (scope.kind === 'device') return [scope.id];
  const filter = scope.kind === 'cohort' ? { task, cohort: scope.id } : { task };
  return store.devices.list(filter).map(({ id }) => id);
}

/**
 * Gathers what a scope's model can be retrained on.
 *
 * Windows since the scope's present regime began teach and judge. Earlier ones, and those of other
 * devices and imported recordings, are rehearsed: all of them for a shared model, and for a personal

 * one only the classes that its wearer has not labelled yet, or all where a class is new. Part of them is kept from training, to
 * show that no regime is forgotten.
 *
 * @param since when the present regime of each device began, ms since 1970; 0 where it never changed
 * @param seed of the choice of what is rehearsed
 */
export function gather(
  { store, registry, task }: { store: Store; registry: Registry; task: Task },
  scope: Scope,
  since: (device: string) => number,
  seed: number,
): Dataset {
  const members = new Set(membersOf(store, task.name, scope));
  const version = championOf(registry, task.name, scope);
  const all = store.samples.labelled({ task: task.name, withWindow: true });
  // a first model has nothing to keep: all that is known teaches it
  const isFresh = ({ device, at }: Sample): boolean =>
    version === null || (members.has(device) && at >= since(device));
  const fresh = all.filter(isFresh);
  const answers = answersOf(task);
  const known = new Set(fresh.map(({ label }) => answers.group(label.cls)));
  const earlier = all.filter((sample) => !isFresh(sample));
  const { rehearsed: kept, judging } = remember(earlier, answers, seed);
  const shared = scope.kind !== 'device';
  const outputs = version === null ? 0 : classesOf(modelOf(registry, version).model);
  // a class more in an unchanged world: the others stay what all have shown
  const grows =
    task.kind === 'classification' &&
    since(scope.id) === 0 &&
    fresh.some(({ label }) => label.cls >= outputs);
  const rehearsed =
    shared || grows ? kept : kept.filter(({ label }) => !known.has(answers.group(label.cls)));
  // of the world as it was: what another device sees since its own changed is no part of that
  const isNew = ({ device, at }: Sample): boolean => since(device) > 0 && at >= since(device);
  const settled = earlier.filter((sample) => !isNew(sample));
  const memory = accepted(registry, version, settled, seed, task);
  const toExample = (sample: LabelledSample): Example => example(sample, task);
  const newest = (device: string, from: number): Window[] =>
    store.samples
      .find({
        ...{ task: task.name, device, since: from, withWindow: true, quarantined: false },
        ...{ order: 'newest', limit: RECENT },
      })
      .map((sample) => padded(sample, task));
  const ofEach = (from: (device: string) => number) =>
    new Map([...members].map((device) => [device, newest(device, from(device))]));
  const recentByDevice = ofEach(since);
  const firstLabel = (device: string): number =>
    Math.min(...fresh.filter((sample) => sample.device === device).map(({ at }) => at));
  return {
    champion: version === null ? null : { version, ...modelOf(registry, version) },
    data: {
      fresh: fresh.map(toExample),
      old: rehearsed.map(toExample),
      recent: [...recentByDevice.values()].flat(),
    },
    recentByDevice,
    lately: ofEach(() => 0),
    labelled: ofEach(firstLabel),
    championSaid: version === null ? [] : saidBy(registry, version, fresh, task),
    origins: fresh.map(({ device, label }) => ({ device, source: label.source })),
    memory: memory.map(toExample),
    regimes: [...judging].map(([name, samples]) => ({ name, examples: samples.map(toExample) })),
    isShared: shared,
    mustPass: all
      .filter(({ label, device }) => label.source === MUST_PASS && members.has(device))
      .map((sample) => ({
        ...toExample(sample),
        name: sampleText(sample),
      })),
    samples: [...fresh, ...rehearsed],
  };
}

/** What a scope runs: its own champion, or that of the wider scope that serves it. */
export function championOf(registry: Registry, task: string, scope: Scope): string | null {
  return (
    registry.champion(task, scope) ?? registry.champion(task, { kind: 'fleet', id: '' }) ?? null
  );
}

/**
 * Labels that are evidence: of what the version that runs was given, what it says, too. One that came
 * after it has been through no gate, and one that it contradicts taught it nothing: its audit may have
 * found that somebody mixes classes up.
 */
function accepted(
  registry: Registry,
  version: string | null,
  settled: readonly LabelledSample[],
  seed: number,
  task: Task,
): LabelledSample[] {
  if (version === null) return [];
  const answers = answersOf(task);
  const { at } = registry.get(version);
  const given = settled.filter(({ label }) => label.firstAt <= at);
  const predict = createPredictor(registry.parts(version));
  return reservoir(given, groupBy(answers), KEPT.compare, seed).filter((sample) => {
    const { window, length } = padded(sample, task);
    return answers.isRight(answers.of(predict(window, length)), sample.label.cls);
  });
}

/** What the champion says of windows that it was not trained on; -1 for the others. */
function saidBy(
  registry: Registry,
  version: string,
  samples: readonly LabelledSample[],
  task: Task,
): number[] {
  const predict = createPredictor(registry.parts(version));
  const { at } = registry.get(version);
  return samples.map((sample) => {
    if (sample.label.firstAt <= at) return -1;
    const { window, length } = padded(sample, task);
    return predict(window, length).cls;
  });
}

/** Windows of one device that are alike: of one class, or of one part of a target's range. */
const groupBy =
  (answers: Answers) =>
  ({ device, label }: LabelledSample): string =>
    `${device}/${answers.group(label.cls)}`;

/** A fair memory of each group of each device; one part teaches, the other judges. */
function remember(
  old: readonly LabelledSample[],
  answers: Answers,
  seed: number,
): { rehearsed: LabelledSample[]; judging: Map<string, LabelledSample[]> } {
  const groupOf = groupBy(answers);
  const kept = reservoir(old, groupOf, KEPT.rehearse + KEPT.judge, seed);
  const judging = new Map<string, LabelledSample[]>();
  const rehearsed: LabelledSample[] = [];
  const count = new Map<string, number>();
  const share = KEPT.judge / (KEPT.rehearse + KEPT.judge);
  for (const sample of kept) {
    const n = (count.get(groupOf(sample)) ?? 0) + 1;
    count.set(groupOf(sample), n);
    const judges = Math.floor(n * share) > Math.floor((n - 1) * share);
    if (judges) judging.set(sample.device, [...(judging.get(sample.device) ?? []), sample]);
    else rehearsed.push(sample);
  }
  return { rehearsed, judging };
}

function example(sample: LabelledSample, task: Task): Example {
  return { ...padded(sample, task), cls: sample.label.cls };
}

/** The store keeps what was measured; a model sees the window filled up with zeros. */
function padded({ window, length }: Sample, task: Task): Window {
  const full = new Int8Array(task.window.samples * task.sensor.axes.length);
  full.set(window ?? []);
  return { window: full, length };
}
