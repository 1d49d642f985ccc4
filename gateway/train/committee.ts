import { fitDiscriminant } from './discriminant.ts';
import { fitKernelMachine, type Scorer } from './kernel-machine.ts';
import type { LinearData } from './linear.ts';

/** Labelled samples of one time; times follow each other. */
export interface Batch extends LinearData {
  /** [n] classes */
  labels: Int32Array;
}

/** One way to learn, on some of the features. */
export interface Member {
  name: string;
  /** first feature that it sees, and the first behind that it does not */
  from: number;
  to: number;
  /** a Gaussian kernel of this width, see fitKernelMachine */
  kernel?: { scale: number; cost: number };
  /** a linear discriminant, see fitDiscriminant */
  shrinkage?: number;
}

/** A feature that moves less than this many units is noise, not to be blown up. */
const LEAST_DEVIATION = 1;

/**
 * Fits one member.
 *
 * @param member what and how
 * @param data what teaches
 * @param classes how many
 * @returns scores of other samples, with their features as they are; they spread by about 1, so that
 *   scores of several members can be added
 * @throws RangeError if the member names no way to learn
 */
export function fitMember(member: Member, data: Batch, classes: number): Scorer {
  const { from, to, kernel, shrinkage } = member;
  const features = to - from;
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  for (let s = 0; s < data.n; s++) {
    for (let f = 0; f < features; f++) mean[f]! += data.x[s * data.features + from + f]! / data.n;
  }
  for (let s = 0; s < data.n; s++) {
    for (let f = 0; f < features; f++) {
      deviation[f]! += (data.x[s * data.features + from + f]! - mean[f]!) ** 2 / data.n;
    }
  }
  const step = deviation.map((square) => Math.max(Math.sqrt(square), LEAST_DEVIATION));
  const standardised = (rows: LinearData): LinearData => {
    const x = new Float32Array(rows.n * features);
    for (let i = 0; i < x.length; i++) {
      const f = i % features;
      const at = ((i - f) / features) * rows.features + from + f;
      x[i] = (rows.x[at]! - mean[f]!) / step[f]!;
    }
    return { x, n: rows.n, features };
  };
  const own = standardised(data);
  let score: Scorer;
  if (kernel !== undefined) score = fitKernelMachine(own, data.labels, classes, kernel);
  else if (shrinkage !== undefined) {
    const { weights, bias } = fitDiscriminant(own, data.labels, classes, shrinkage);
    score = ({ x, n }) => {
      const scores = new Float64Array(n * classes);
      for (let i = 0; i < scores.length; i++) {
        const c = i % classes;
        const row = ((i - c) / classes) * features;
        let sum = bias[c]!;
        for (let f = 0; f < features; f++) sum += weights[c * features + f]! * x[row + f]!;
        scores[i] = sum;
      }
      return scores;
    };
  } else throw new RangeError(`member '${member.name}' has neither kernel nor shrinkage`);
  const spread = spreadOf(score(own), classes);
  return (rows) => score(standardised(rows)).map((value) => value / spread);
}

/** Root of the mean square of scores about the mean of their row. */
function spreadOf(scores: Float64Array, classes: number): number {
  let sum = 0;
  for (let at = 0; at < scores.length; at += classes) {
    const row = scores.subarray(at, at + classes);
    const mean = row.reduce((a, b) => a + b, 0) / classes;
    for (const score of row) sum += (score - mean) ** 2;
  }
  return Math.sqrt(sum / scores.length) || 1;
}

/** Members that were fitted to all batches but the last, and what they made of the last. */
export interface Elected {
  members: Member[];
  /** mean accuracy of each member on the batches that it was tried on, in the order of the list */
  accuracy: number[];
}

/**
 * Chooses members by batches alone that are already known: each is fitted to the batches before V and
 * tried on V, for every V but the first; the better half by mean accuracy stays.
 *
 * One or two batches tell ways to learn apart badly: the best on the last drift is often not the best
 * on the next one. So half of the list stays and is added up, instead of the one that was best.
 *
 * @param batches in the order of time, two at least
 * @param members the list
 * @param classes how many
 * @param tried accuracies that are already known, by member and number of batches before V; filled
 * @throws RangeError with fewer than two batches
 */
export function elect(
  batches: readonly Batch[],
  members: readonly Member[],
  classes: number,
  tried: Map<string, number> = new Map(),
): Elected {
  if (batches.length < 2) throw new RangeError('one batch tells nothing about the next');
  const accuracy = members.map((member) => {
    let sum = 0;
    for (let v = 1; v < batches.length; v++) {
      const key = `${member.name} ${v}`;
      let share = tried.get(key);
      if (share === undefined) {
        const batch = batches[v]!;
        const scores = fitMember(member, joined(batches.slice(0, v)), classes)(batch);
        share = shareRight(scores, batch.labels, classes);
        tried.set(key, share);
      }
      sum += share / (batches.length - 1);
    }
    return sum;
  });
  const order = [...members.keys()].sort((a, b) => accuracy[b]! - accuracy[a]! || a - b);
  const half = Math.ceil(members.length / 2);
  return { members: order.slice(0, half).map((m) => members[m]!), accuracy };
}

/**
 * Adds up the scores of several members.
 *
 * @param members as elect() chose them
 * @param data what teaches them
 * @param classes how many
 */
export function fitCommittee(members: readonly Member[], data: Batch, classes: number): Scorer {
  const scorers = members.map((member) => fitMember(member, data, classes));
  return (rows) => {
    const sum = new Float64Array(rows.n * classes);
    for (const scorer of scorers) {
      const scores = scorer(rows);
      for (let i = 0; i < sum.length; i++) sum[i]! += scores[i]! / scorers.length;
    }
    return sum;
  };
}

/** Batches one behind the other. */
export function joined(batches: readonly Batch[]): Batch {
  const n = batches.reduce((sum, batch) => sum + batch.n, 0);
  const features = batches[0]!.features;
  const x = new Float32Array(n * features);
  const labels = new Int32Array(n);
  let at = 0;
  for (const batch of batches) {
    x.set(batch.x, at * features);
    labels.set(batch.labels, at);
    at += batch.n;
  }
  return { x, n, features, labels };
}

/**
 * Share of rows whose greatest score is that of their class.
 *
 * @example shareRight(Float64Array.of(2, 1, 0, 3), Int32Array.of(0, 0), 2) // 0.5
 */
export function shareRight(scores: Float64Array, labels: Int32Array, classes: number): number {
  let right = 0;
  labels.forEach((label, s) => {
    const row = scores.subarray(s * classes, (s + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  });
  return right / labels.length;
}
