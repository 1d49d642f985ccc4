import { createRandom, type Random } from '../random.ts';
import type { Recording } from '../recordings.ts';
import type { Scope } from '../registry/manifest.ts';
import { syntheticRecordings } from '../synthetic/recordings.ts';
import { someoneElse, type Wearer, wearer } from '../synthetic/wearer.ts';
import type { Task } from '../task.ts';
import { createPredictor, type Predictor } from '../train/model.ts';
import { type FirstModel, openWorld } from './harm-world.ts';
import { shareOfRight } from './share-of-right.ts';
import { average } from './spread.ts';

/** How the world of a trial changes. */
export const DRIFTS = ['none', 'mild', 'strong'] as const;
/**
 * How labels are wrong. random: any other class. swap: each class has a partner whose name it gets.
 * exchange: two of six classes change names, from 40 % on for good, which makes a third of all labels.
 * poisoned: as swap, but on one device of four, which gives most of the labels.
 */
export const WRONGS = ['random', 'swap', 'exchange', 'poisoned'] as const;
/** How many labels there are, and of what. */
export const HOLDOUTS = ['usual', 'tiny', 'single'] as const;
/** What else goes wrong. */
export const TROUBLES = ['none', 'late', 'stuck', 'saturated'] as const;

/** One trial, as its seed draws it. */
export interface Trial {
  seed: number;
  drift: (typeof DRIFTS)[number];
  wrong: (typeof WRONGS)[number];
  /** share of wrong labels, 0 to 0.6 */
  share: number;
  holdout: (typeof HOLDOUTS)[number];
  trouble: (typeof TROUBLES)[number];
  scope: 'device' | 'fleet';
}

/** What became of it. */
export interface TrialResult extends Trial {
  /** true accuracy of the scope before, 0 to 1 */
  before: number;
  /** best true gain of a candidate that was trained on these labels */
  toGain: number;
  /** true change of each promotion: of the scope, and of its device that lost most */
  promotions: { change: number; worst: number; why: string }[];
  /** why the gate refused, each time */
  refusals: string[];
  /** windows that the gateway asked for after a refusal, and somebody labelled */
  answered: number;
  /** the same of releases that were taken back on trial */
  takenBack: { change: number; worst: number }[];
}

/** Shares of wrong labels. */
export const SHARES = [0, 0.1, 0.2, 0.4, 0.6];
/** Windows of each class that measure the true accuracy: 200 of each leave 0.6 points of error. */
const TRUTH = 200;
const DEVICES = ['d1', 'd2', 'd3', 'd4'] as const;
/** Labels after which somebody retrains. */
const BATCHES = { usual: [12, 24, 48, 96], tiny: [4, 6, 9, 12, 18, 24], single: [8, 16] } as const;
/** With more wrong labels than this nobody has to be helped. */
export const FEW_WRONG = 0.2;
/** Trainings that somebody starts by hand before the loop decides. */
const BY_HAND = 2;
/** Windows seen for each that is labelled, and after a release until it is given up. */
const SEEN_PER_LABEL = 2;
const TRIAL_WINDOWS = 120;
/** Windows of each class of what taught the first model, and of a stream. */
const LEARNED = 40;
const STREAM = 40;

/** Draws the trial of a seed. */
export function drawTrial(seed: number): Trial {
  const random = createRandom(seed, 77);
  const one = <T>(of: readonly T[]): T => of[random.integer(of.length)]!;
  const wrong = one(WRONGS);
  const scope = wrong === 'poisoned' ? 'fleet' : one(['device', 'device', 'fleet'] as const);
  return {
    ...{ seed, wrong, scope, share: one(SHARES) },
    drift: one(['none', 'mild', 'strong', 'strong', 'strong']),
    holdout: one(['usual', 'usual', 'usual', 'usual', 'tiny', 'single']),
    trouble: one(['none', 'none', 'none', 'late', 'stuck', 'saturated']),
  };
}

/** Wearers whose first models are trained once. */
const FIRST_WEARERS = 8;
/** Windows of each device before the change: what is normal. */
const BEFORE = 80;

/** What the first model of a wearer learns from. */
export function learnedFrom(task: Task, who: number): Recording[] {
  return syntheticRecordings(task, wearer(who), LEARNED, 10 + who);
}

/** Runs one trial through store, monitor, training, gate and rollout; only the link is left out. */
export async function runTrial(
  task: Task,
  trial: Trial,
  firstModel: (who: number) => Promise<FirstModel>,
): Promise<TrialResult> {
  const { seed, drift, scope: kind, holdout } = trial;
  const random = createRandom(seed, 78);
  const who = 1 + random.integer(FIRST_WEARERS);
  const first = wearer(who);
  const other = drift === 'mild' ? wearer(100 + seed) : someoneElse(first, seed);
  const members: readonly string[] = kind === 'fleet' ? DEVICES : ['d1'];
  // in half of the fleets only two devices change
  const some = kind === 'fleet' && random.uniform(0, 1) < 0.5;
  const moved = drift === 'none' ? [] : some ? DEVICES.slice(0, 2) : DEVICES;
  const worn = (id: string): Wearer => (moved.some((one) => one === id) ? other : first);
  const truth = [...new Set(members.map(worn))].map((by) => ({
    ...{ by, windows: syntheticRecordings(task, by, TRUTH, 5000 + seed) },
  }));
  const measure = createMeasure(truth, members.map(worn), TRUTH);
  const measureRoughly = createMeasure(truth, members.map(worn), TRUTH / 4);
  const world = await openWorld(task, await firstModel(who), DEVICES, seed);
  const says = mislabeller(task, trial, random);
  const result: TrialResult = {
    ...trial,
    before: 0,
    toGain: 0,
    promotions: [],
    refusals: [],
    answered: 0,
    takenBack: [],
  };
  const streamOf = createStreams(task);
  const streams = new Map<string, () => Recording>();
  const late: { sample: number; cls: number }[] = [];
  const truths = new Map<number, { cls: number; id: string }>();
  /** A device sees its next window, and perhaps somebody says what it was. */
  async function step(id: string, isLabelled: boolean): Promise<boolean> {
    const recording = streams.get(id)!();
    const sample = await world.see(id, spoilt(trial, recording, task, id, random));
    const { cls } = recording;
    if (sample !== null) truths.set(sample, { cls, id });
    if (!isLabelled || sample === null) return false;
    if (holdout === 'single' && cls !== seed % task.classes.length) return false;
    const old = trial.trouble === 'late' && random.uniform(0, 1) < 0.5 ? late.pop() : undefined;
    const what = old ?? { sample, cls };
    await world.label(what.sample, says(what.cls, id));
    return true;
  }
  /**
   * What the gateway asked for is labelled as fast and as wrong as the rest. Where labels are late, half of
   * it comes after the next training. @returns how many
   */
  async function answer(): Promise<number> {
    let answered = 0;
    for (const sample of world.asked()) {
      for (let i = 0; i < SEEN_PER_LABEL; i++) await step(whose(trial, members, random), false);
      if (trial.trouble === 'late' && random.uniform(0, 1) < 0.5) continue;
      const { cls, id } = truths.get(sample)!;
      await world.label(sample, says(cls, id));
      answered++;
    }
    result.answered += answered;
    return answered;
  }
  async function heal(scope: Scope) {
    const running = members.map((id) => world.runs(id));
    const healed = await world.gateway.loop.heal(scope);
    const served = (candidate: Predictor) =>
      members.map((id, i) => (healed.spared.includes(id) ? running[i]! : candidate));
    for (const { parts } of trial.share <= FEW_WRONG ? healed.attempts : []) {
      const now = average(measureRoughly(served(createPredictor(parts))));
      result.toGain = Math.max(result.toGain, now - result.before);
    }
    if (healed.rollout === null) result.refusals.push(healed.reason);
    return { ...healed, running, served };
  }
  try {
    const before = measure(members.map((id) => world.runs(id)));
    result.before = average(before);
    for (const id of members) {
      const next = streamOf(first, seed);
      for (let i = 0; i < BEFORE; i++) {
        const recording = next();
        const sample = await world.see(id, recording);
        if (sample !== null) truths.set(sample, { cls: recording.cls, id });
        if (id === 'd1' && sample !== null) late.push({ sample, cls: recording.cls });
      }
      streams.set(id, streamOf(worn(id), seed + 1000));
    }
    const scope: Scope = kind === 'fleet' ? { kind, id: '' } : { kind, id: 'd1' };
    let labels = 0;
    for (const [attempt, until] of BATCHES[holdout].entries()) {
      for (let patience = 40 * until; labels < until && patience > 0; patience--) {
        const id = whose(trial, members, random);
        if (await step(id, patience % SEEN_PER_LABEL === 0)) labels++;
      }
      // by hand at first, whatever anybody says; then where the loop itself would
      const { wantsLabels } = world.gateway.loop;
      if (attempt >= BY_HAND && !members.some(wantsLabels)) continue;
      let healed = await heal(scope);
      while (healed.rollout === null && healed.asked > 0 && (await answer()) > 0) {
        if (attempt >= BY_HAND && !members.some(wantsLabels)) break;
        healed = await heal(scope);
      }
      if (healed.rollout === null) continue;
      world.obey();
      const id = healed.rollout;
      const stage = () => world.gateway.loop.rollouts.get(id)!.stage;
      const isOpen = () => stage() === 'canary' || stage() === 'rest';
      for (let i = 0; i < TRIAL_WINDOWS * members.length && isOpen(); i++) {
        await step(members[i % members.length]!, i % SEEN_PER_LABEL === 0);
      }
      const candidate = createPredictor(world.gateway.registry.parts(healed.version!));
      const was = measure(healed.running);
      const changes = measure(healed.served(candidate)).map((now, i) => now - was[i]!);
      const what = { change: average(changes), worst: Math.min(...changes) };
      if (stage() === 'settled') result.promotions.push({ ...what, why: healed.reason });
      else result.takenBack.push(what);
      if (isOpen()) break; // nobody labels enough to decide
    }
    return result;
  } finally {
    await world.close();
  }
}

/** True accuracies, device by device, on many windows that nobody else sees; the first of each class. */
function createMeasure(
  truth: readonly { by: Wearer; windows: readonly Recording[] }[],
  worn: readonly Wearer[],
  perClass: number,
) {
  const windows = truth.map((one) =>
    [...Map.groupBy(one.windows, ({ cls }) => cls).values()].flatMap((of) => of.slice(0, perClass)),
  );
  return (predictors: readonly Predictor[]): number[] => {
    const known = new Map<string, number>();
    const names = [...new Set(predictors)];
    return worn.map((wearer, i) => {
      const kind = truth.findIndex(({ by }) => by === wearer);
      const key = `${kind} ${names.indexOf(predictors[i]!)}`;
      const found = known.get(key) ?? shareOfRight(predictors[i]!, windows[kind]!);
      known.set(key, found);
      return found;
    });
  };
}

/**
 * Endless windows of wearers, in random order. Whoever wears several devices gives all of them the same
 * windows: they are made once.
 */
function createStreams(task: Task): (by: Wearer, seed: number) => () => Recording {
  const made = new Map<Wearer, Map<number, Recording[]>>();
  const windowsOf = (by: Wearer, seed: number): Recording[] => {
    const own = made.get(by) ?? new Map<number, Recording[]>();
    made.set(by, own);
    const found = own.get(seed) ?? syntheticRecordings(task, by, STREAM, seed);
    own.set(seed, found);
    return found;
  };
  return (by, seed) => {
    const random = createRandom(seed, 79);
    let left: Recording[] = [];
    let round = 0;
    return () => {
      if (left.length === 0) left = random.shuffle([...windowsOf(by, 100 * seed + round++)]);
      return left.pop()!;
    };
  };
}

/** What somebody says that a window of a class was. */
function mislabeller(task: Task, { wrong, share }: Trial, random: Random) {
  const n = task.classes.length;
  const order = random.shuffle(Array.from({ length: n }, (_, cls) => cls));
  const partner = (cls: number): number => order[order.indexOf(cls) ^ 1] ?? cls;
  const happens = (p: number): boolean => random.uniform(0, 1) < p;
  const exchanged = order.slice(0, 2);
  return (cls: number, device: string): number => {
    if (share === 0) return cls;
    if (wrong === 'random') return happens(share) ? (cls + 1 + random.integer(n - 1)) % n : cls;
    if (wrong === 'swap') return happens(share) ? partner(cls) : cls;
    if (wrong === 'poisoned') {
      return device === 'd1' && happens(share / shareOfPoisoned(share)) ? partner(cls) : cls;
    }
    const often = Math.min(1, (share * n) / exchanged.length);
    return exchanged.includes(cls) && happens(often) ? partner(cls) : cls;
  };
}

/** Share of all labels that the poisoned device gives. */
const shareOfPoisoned = (share: number): number => Math.max(share, 1 / DEVICES.length);

function whose({ wrong, share }: Trial, members: readonly string[], random: Random): string {
  const poisoned = wrong === 'poisoned' && random.uniform(0, 1) < shareOfPoisoned(share);
  if (poisoned) return 'd1';
  const others = wrong === 'poisoned' ? members.slice(1) : members;
  return others[random.integer(others.length)]!;
}

/** A window as a broken sensor of the first device measures it, half of the time. */
function spoilt(
  { trouble }: Trial,
  recording: Recording,
  task: Task,
  id: string,
  random: Random,
): Recording {
  if (id !== 'd1' || trouble === 'none' || trouble === 'late' || random.uniform(0, 1) < 0.5) {
    return recording;
  }
  const axes = task.sensor.axes.length;
  const window = recording.window.map((value, i) => {
    if (trouble === 'saturated') return Math.max(-128, Math.min(127, 4 * value));
    return i % axes === 0 && i < recording.length * axes ? recording.window[0]! : value;
  });
  return { ...recording, window };
}
