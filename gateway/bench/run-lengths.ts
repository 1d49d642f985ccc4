import { ddm } from '../monitor/ddm.ts';
import type { Detector } from '../monitor/detector.ts';
import { hddmW } from '../monitor/hddm-w.ts';
import { pageHinkley } from '../monitor/page-hinkley.ts';
import {
  ddmThreshold,
  hddmWConfidence,
  pageHinkleyThreshold,
  simulatedRunLengths,
} from '../monitor/run-lengths.ts';
import { createRandom, type Random } from '../random.ts';
import { type BenchOptions, type BenchReport, type BenchRow, machine, round } from './report.ts';

/** Trials of each stream; the mean of an exponential time is then known to 5 %. */
const TRIALS = 400;
/** A trial ends after so many run lengths. */
const CUT = 4;
/** To spare, for the trials' chance. */
const MARGIN = 1.1;
const STEPS = 8;

type Source = (random: Random) => number;

interface Subject {
  name: string;
  unit: string;
  /** thresholds between which it lies, whatever the run length */
  range: readonly [number, number];
  make: (threshold: number) => Detector;
  table: (runLength: number) => number;
  sources: Source[];
}

const bit =
  (p: number): Source =>
  (random) =>
    Number(random.uniform(0, 1) < p);
/** The same with deviation 1. */
const scaledBit = (p: number): Source => {
  const one = bit(p);
  const deviation = Math.sqrt(p * (1 - p));
  return (random) => one(random) / deviation;
};

const subjects: Subject[] = [
  {
    ...{ name: 'ddm', unit: 'deviations above the best', range: [1, 10] },
    make: (driftThreshold) => ddm({ driftThreshold, minErrors: 30 }),
    table: ddmThreshold,
    sources: [0.02, 0.1, 0.3, 0.5, 0.9].map(bit),
  },
  {
    ...{ name: 'hddm-w', unit: '-ln of its confidence', range: [1, 20] },
    make: (minusLog) => hddmW({ driftConfidence: Math.exp(-minusLog) }),
    table: (runLength) => -Math.log(hddmWConfidence(runLength)),
    sources: [0.02, 0.1, 0.3, 0.5].map(bit),
  },
  {
    ...{ name: 'page-hinkley', unit: 'deviations of the stream', range: [2, 60] },
    make: (threshold) => pageHinkley({ threshold, delta: 0.25, alpha: 1 }),
    table: pageHinkleyThreshold,
    sources: [
      (random) => random.gaussian(),
      (random) => random.uniform(-Math.sqrt(3), Math.sqrt(3)),
      scaledBit(0.5),
      scaledBit(0.1),
    ],
  },
];

/**
 * Is the mean time to the first alarm, cut off, at least so long? Ends as soon as that is settled.
 *
 * @param make the detector
 * @param source values in which nothing changes
 * @param mean values up to the alarm or the cut, in the mean, that are asked for
 * @param cut values after which a trial ends
 * @param trials how many
 * @throws RangeError if the mean could not be reached at all
 */
export function runsFor(
  make: () => Detector,
  source: Source,
  { mean, cut, trials }: { mean: number; cut: number; trials: number },
): boolean {
  if (!(mean <= cut)) throw new RangeError(`a run cut at ${cut} is not ${mean} long in the mean`);
  const asked = mean * trials;
  let total = 0;
  for (let seed = 1; seed <= trials; seed++) {
    const random = createRandom(seed, cut);
    const detector = make();
    let t = 1;
    while (!detector.update(source(random)) && t < cut) t++;
    total += t;
    if (total >= asked) return true;
    if (total + (trials - seed) * cut < asked) return false;
  }
  return false;
}

/**
 * Finds the thresholds of monitor/run-lengths.ts anew: for each run length R the smallest at which the
 * mean of min(first alarm, 4R) is 1.1 R at least, on the worst stream of the detector's family.
 *
 * @param options `seeds` is the number of trials
 * @returns a row each, as `whetstone bench run-lengths` prints them; met where the table is no smaller
 */
export async function benchRunLengths(
  options: BenchOptions & { runLengths?: readonly number[] } = {},
): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  for (const subject of subjects) {
    for (const runLength of options.runLengths ?? simulatedRunLengths) {
      options.onProgress?.(`${subject.name}, run length ${runLength}`);
      const value = worst(subject, runLength, options.seeds ?? TRIALS);
      const table = subject.table(runLength);
      rows.push({
        ...{ name: `${subject.name}, run length ${runLength}`, unit: subject.unit },
        ...{ value: round(value, 2), aim: `at most the table's ${round(table, 2)}` },
        met: value <= table + 0.005,
      });
    }
  }
  return { bench: 'run-lengths', machine: machine(), rows };
}

function worst(subject: Subject, runLength: number, trials: number): number {
  let [found, top] = subject.range;
  for (const source of subject.sources) {
    const asked = { mean: MARGIN * runLength, cut: CUT * runLength, trials };
    const enough = (threshold: number) => runsFor(() => subject.make(threshold), source, asked);
    // streams that the threshold of an earlier one suits need no search
    if (enough(found)) continue;
    let low = found;
    let high = top;
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      if (enough(middle)) high = middle;
      else low = middle;
    }
    found = high;
    top = Math.max(top, found);
  }
  return found;
}
