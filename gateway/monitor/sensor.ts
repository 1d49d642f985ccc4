import { binomialLowerTail } from '../statistics.ts';

/** The sensor, as its task describes it. */
export interface SensorRange {
  axes: readonly string[];
  /** lowest and highest value */
  min: number;
  max: number;
}

/** What is wrong with an axis in one raw window. */
export interface AxisFault {
  axis: string;
  fault: 'dead' | 'stuck' | 'saturated';
  /** share of its values at an end of the range */
  atEnds: number;
}

/** A sensor is held to be sick. */
export interface Sickness {
  /** for people: 'x is stuck, y at an end of its range in 62 % of the samples' */
  reason: string;
  axes: string[];
  /** when it began, ms since 1970 */
  since: number;
  /** share of sick windows before, and since */
  before: number;
  after: number;
  /** probability that chance alone did it */
  evidence: number;
  windows: number;
}

/** What {@link sensorWatch} remembers. */
export interface SensorState {
  /** of the windows that were looked at and left the newest: how many, and how many were sick */
  raw: { n: number; sick: number };
  newest: { isSick: boolean; at: number; reason: string; axes: string[] }[];
  /** of the windows without raw samples: how often one was just like the one before */
  same: { n: number; repeats: number; after: number; again: number };
  previous: { key: string; embedding: number[]; run: number; since: number } | null;
  /** windows in a row that look well, while sick, and the window that told of it */
  well: number;
  sickAt: number;
  kind: 'raw' | 'frozen' | null;
  /** windows, and those that were lost before they came, fading */
  came: number;
  lost: number;
}

/** Watches whether a sensor still measures. */
export interface SensorWatch {
  /** A raw window came, at once or because it was asked for. */
  raw(seen: { window: ArrayLike<number>; at: number }): Sickness | undefined;
  /** A window came, raw or not. @param seen `key` is what the device said of it, exactly */
  window(seen: {
    key: string;
    embedding: ArrayLike<number> | null;
    at: number;
  }): Sickness | undefined;
  /** Windows that a device had to forget. */
  lost(windows: number): void;
  readonly isSick: boolean;
  /** share of windows that were lost of late */
  readonly missing: number;
  state(): SensorState;
}

/** An axis that stands still this long is stuck; the check's own limits (0.6 s at 12.5 Hz). */
const stuckSamples = 8;
const saturatedShare = 0.25;
/** Raw windows that are judged together. */
const together = 5;
/** Share of sick windows that a sensor is allowed before anything is known of it. */
const allowed = { sick: 1, n: 20 };
/** No share of sick windows is normal beyond this. */
const mostNormal = 0.2;
/** Windows that must look well, one after another, before a sick sensor is well again. */
const wellAgain = 3;
/** Windows before repeats can be told from chance. */
const fewest = 20;
/** Windows that are exactly alike, at least: fewer may be a person who repeats a movement. */
const fewestAlike = 5;
/** What a window still counts, as came or as lost, when the next one comes. */
const fading = 0.99;

/**
 * What is wrong with the axes of one raw window: dead (nothing but 0), stuck (no value differs from the
 * one before) or saturated (too many values at an end of the range).
 *
 * @param window samples × axes, int8
 * @param sensor its axes and range
 * @returns nothing for a window of less than 8 samples, in which anything may stand still
 * @example axisFaults(new Int8Array([1, 5, 2, 5, 3, 5, 4, 5, 5, 5, 6, 5, 7, 5, 8, 5]), { axes: ['x', 'y'], min: -128, max: 127 }) // [{ axis: 'y', fault: 'stuck', atEnds: 0 }]
 */
export function axisFaults(window: ArrayLike<number>, sensor: SensorRange): AxisFault[] {
  const { axes, min, max } = sensor;
  const samples = Math.floor(window.length / axes.length);
  if (samples < stuckSamples) return [];
  return axes.flatMap((axis, k): AxisFault[] => {
    let still = true;
    let ends = 0;
    for (let i = 0; i < samples; i++) {
      const byte = window[i * axes.length + k];
      const value = byte > 127 ? byte - 256 : byte;
      if (byte !== window[k]) still = false;
      if (value <= min || value >= max) ends++;
    }
    const atEnds = ends / samples;
    if (still) return [{ axis, fault: window[k] === 0 ? 'dead' : 'stuck', atEnds }];
    return atEnds > saturatedShare ? [{ axis, fault: 'saturated', atEnds }] : [];
  });
}

/**
 * Watches one sensor: by its raw windows where they come, and by what the device says where they do
 * not: a sensor that no longer measures gives the very same embedding, class and score again and again,
 * as often as chance never did. How often a window was sick, or like the one before, is learned while
 * all is well, so a sensor that often rests does not alarm.
 *
 * @param sensor its axes and range
 * @param falseAlarm false alarms for each window, at most
 * @param state to go on from
 */
export function sensorWatch(
  sensor: SensorRange,
  falseAlarm: number,
  state?: SensorState,
): SensorWatch {
  const s: SensorState = structuredClone(
    state ?? {
      ...{ raw: { n: 0, sick: 0 }, newest: [], previous: null, well: 0, sickAt: 0, kind: null },
      ...{ same: { n: 0, repeats: 0, after: 0, again: 0 }, came: 0, lost: 0 },
    },
  );

  function recover(looksWell: boolean): void {
    s.well = looksWell ? s.well + 1 : 0;
    if (s.well < wellAgain) return;
    s.kind = null;
    s.newest = [];
    s.previous = null;
  }

  function sicken(kind: 'raw' | 'frozen', at: number): void {
    s.kind = kind;
    s.sickAt = at;
    s.well = 0;
  }

  return {
    raw({ window, at }) {
      const faults = axisFaults(window, sensor);
      const isSick = faults.length > 0;
      if (s.kind !== null) {
        // an older one, which was asked for later, says nothing of now
        if (at > s.sickAt) recover(!isSick);
        return undefined;
      }
      s.newest.push({ isSick, at, reason: say(faults), axes: faults.map(({ axis }) => axis) });
      if (s.newest.length > together) {
        s.raw.n++;
        s.raw.sick += Number(s.newest.shift()!.isSick);
      }
      const sick = s.newest.filter((one) => one.isSick);
      const normal = Math.min(mostNormal, (s.raw.sick + allowed.sick) / (s.raw.n + allowed.n));
      const [n, well] = [s.newest.length, s.newest.length - sick.length];
      // at least as many sick ones as these is at most as many well ones
      const evidence = binomialLowerTail(well, n, 1 - normal);
      if (!isSick || evidence >= falseAlarm) return undefined;
      sicken('raw', Math.max(...s.newest.map((one) => one.at)));
      const axes = [...new Set(sick.flatMap((one) => one.axes))];
      const { reason } = s.newest.at(-1)!;
      const after = sick.length / n;
      const since = Math.min(...sick.map((one) => one.at));
      return { reason, axes, since, before: normal, after, evidence, windows: n };
    },
    window({ key, embedding, at }) {
      s.came = s.came * fading + 1;
      s.lost *= fading;
      const last = s.previous;
      const isAlike = last?.key === key && (embedding === null || equal(last.embedding, embedding));
      if (isAlike && embedding === null) return undefined; // it may be the same, and proves nothing
      const run = isAlike ? last.run + 1 : 0;
      s.previous = embedding && {
        ...{ key, embedding: copyOf(embedding), run, since: isAlike ? last.since : at },
      };
      if (s.kind !== null) {
        if (s.kind === 'frozen') recover(!isAlike);
        return undefined;
      }
      if (!isAlike) {
        // how long runs last is known once one has ended
        const ended = last?.run ?? 0;
        s.same.n++;
        s.same.repeats += Number(ended > 0);
        s.same.after += ended;
        s.same.again += Math.max(0, ended - 1);
        return undefined;
      }
      if (s.same.n < fewest || run + 1 < fewestAlike) return undefined;
      const first = (s.same.repeats + 1) / (s.same.n + 2);
      const next = (s.same.again + 2 * first) / (s.same.after + 2);
      const evidence = first * next ** (run - 1);
      if (evidence >= falseAlarm) return undefined;
      sicken('frozen', at);
      return {
        reason: `${run + 1} windows in a row are exactly alike: it no longer measures`,
        axes: [...sensor.axes],
        ...{ since: last.since, before: first, after: 1, evidence, windows: run + 1 },
      };
    },
    lost(windows) {
      s.lost += windows;
    },
    get isSick() {
      return s.kind !== null;
    },
    get missing() {
      return s.came + s.lost === 0 ? 0 : s.lost / (s.came + s.lost);
    },
    state: () => structuredClone(s),
  };
}

/** `Array.from` walks an iterator: for every embedding of every device that is too slow. */
function copyOf(values: ArrayLike<number>): number[] {
  const copy = new Array<number>(values.length);
  for (let i = 0; i < copy.length; i++) copy[i] = values[i];
  return copy;
}

const equal = (a: readonly number[], b: ArrayLike<number>): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

function say(faults: readonly AxisFault[]): string {
  return faults
    .map(({ axis, fault, atEnds }) =>
      fault === 'saturated'
        ? `${axis} at an end of its range in ${Math.round(atEnds * 100)} % of the samples`
        : `${axis} is ${fault}`,
    )
    .join(', ');
}
