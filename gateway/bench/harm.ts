import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { upperBound, wilson } from '../statistics.ts';
import {
  DRIFTS,
  FEW_WRONG,
  HOLDOUTS,
  SHARES,
  TROUBLES,
  type Trial,
  type TrialResult,
  WRONGS,
} from './harm-trial.ts';
import { type BenchOptions, type BenchReport, type BenchRow, machine, round } from './report.ts';

/** A promotion that costs some scope more than this of its true accuracy is harm. */
const HARM = 0.02;
/** At least so many promotions, of which the 95 % upper bound of harm is at most this. */
const PROMOTIONS = 500;
const MOST_HARM = 0.02;
/** Where so much is to be gained with so few wrong labels, so many trials have to end promoted. */
const TO_GAIN = 0.05;
const LEAST_HELP = 0.8;
/** Windows made of each class: a quarter of the task's recipe, for the time that 1,000 trials take. */
const PER_CLASS = 100;

export interface HarmOptions extends BenchOptions {
  /** promotions to reach */
  promotions?: number;
  /** trials at most; default as many as the promotions take */
  seeds?: number;
  /** windows made of each class's labels */
  perClass?: number;
  threads?: number;
}

/**
 * Proves that the loop does no harm and still helps: seeded trials on SYNTHETIC wearers through store,
 * monitor, schedule-free training, gate and rollout, with wrong labels, few labels, late labels, sensor
 * faults and nothing at all, until enough versions were promoted. Where the gateway asks for labels after a
 * refusal, whoever labels answers, with the same share of wrong ones.
 *
 * What is counted: every version that came to the end of its rollout. Harm is a loss of more than two
 * points of true accuracy, on 1,200 windows of each wearer that nothing else sees, for the scope or for
 * any device in it.
 *
 * @returns rows as `whetstone bench harm` prints them
 */
export async function benchHarm(options: HarmOptions = {}): Promise<BenchReport> {
  const results = await runTrials(options);
  return { bench: 'harm', machine: machine(), rows: harmRows(results) };
}

/** Runs the trials of seeds 1, 2, … until the promotions of all so far are enough, or the trials. */
async function runTrials(options: HarmOptions): Promise<TrialResult[]> {
  const { promotions = PROMOTIONS, perClass = PER_CLASS, seeds = Infinity } = options;
  const threads = options.threads ?? availableParallelism();
  const done = new Map<number, TrialResult>();
  /** results of the first seeds without a gap: what ran ahead must not depend on the machine's speed */
  const whole: TrialResult[] = [];
  let promoted = 0;
  let next = 1;
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(join(import.meta.dirname, 'harm-worker.ts'), {
        workerData: { perClass },
      });
      const finished = new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', (message: { result?: TrialResult; seed?: number; error?: string }) => {
          const { result } = message;
          if (result === undefined) {
            return reject(new Error(`trial ${message.seed}: ${message.error}`));
          }
          done.set(result.seed, result);
          const isOver = () => promoted >= promotions || whole.length >= seeds;
          for (let one = done.get(whole.length + 1); one !== undefined && !isOver(); ) {
            whole.push(one);
            promoted += one.promotions.length;
            if (whole.length % 25 === 0) {
              const { harmful, helped, toHelp } = tally(whole);
              const so = `${promoted} of ${promotions} promotions, ${harmful} harmful`;
              options.onProgress?.(`${whole.length} trials, ${so}; helped ${helped} of ${toHelp}`);
            }
            one = done.get(whole.length + 1);
          }
          if (isOver() || next > seeds) resolve();
          else worker.postMessage(next++);
        });
      });
      worker.postMessage(next++);
      return finished.finally(() => worker.terminate());
    }),
  );
  return whole;
}

/** @param results of consecutive seeds */
export function harmRows(results: readonly TrialResult[]): BenchRow[] {
  const all = tally(results);
  const [, highest] = wilson(all.harmful, Math.max(1, all.promotions));
  const bound = all.promotions === 0 ? 1 : upperBound(all.harmful, all.promotions, 0.05);
  const share = all.helped / Math.max(1, all.toHelp);
  const rows: BenchRow[] = [
    {
      ...{ name: 'promotions that harm, 95 % upper bound', value: round(bound, 4), unit: 'share' },
      ...{ aim: `at most ${MOST_HARM}`, met: all.promotions > 0 && bound <= MOST_HARM },
      interval: [0, round(highest, 4)],
    },
    {
      ...{ name: 'promotions', value: all.promotions, unit: '' },
      ...{ aim: `at least ${PROMOTIONS}`, met: all.promotions >= PROMOTIONS },
    },
    {
      ...{
        name: `promotions that harm; seeds of the trials: ${all.harmfulSeeds.join(', ') || 'none'}`,
      },
      ...{ value: all.harmful, unit: '' },
    },
    { name: 'greatest loss of a promotion', value: round(100 * all.worst, 1), unit: 'points' },
    {
      ...{ name: 'trials promoted where 5 points were to be gained', value: round(share, 3) },
      ...{ unit: 'share', aim: `at least ${LEAST_HELP}`, met: share >= LEAST_HELP },
      ...(all.toHelp > 0 && {
        interval: wilson(all.helped, all.toHelp).map((b) => round(b, 3)) as [number, number],
      }),
    },
    { name: 'trials where 5 points were to be gained', value: all.toHelp, unit: '' },
    { name: 'trials', value: all.trials, unit: '' },
    { name: 'labels that the gateway asked for after a refusal', value: all.answered, unit: '' },
    { name: 'trials with such labels', value: all.trialsAnswered, unit: '' },
    { name: 'mean gain of a promotion', value: round(100 * all.meanChange, 1), unit: 'points' },
    { name: 'releases taken back on trial', value: all.takenBack, unit: '' },
    { name: 'of those, releases that would have harmed', value: all.takenBackHarmful, unit: '' },
  ];
  const groups: [string, (trial: Trial) => boolean][] = [
    ...DRIFTS.map((d): [string, (t: Trial) => boolean] => [`drift ${d}`, (t) => t.drift === d]),
    ...WRONGS.flatMap((w) =>
      SHARES.filter((s) => s > 0).map((s): [string, (t: Trial) => boolean] => [
        `labels ${w} ${100 * s} %`,
        (t) => t.wrong === w && t.share === s,
      ]),
    ),
    ['labels all right', (t) => t.share === 0],
    ...HOLDOUTS.map((h): [string, (t: Trial) => boolean] => [
      `labels ${h}`,
      (t) => t.holdout === h,
    ]),
    ...TROUBLES.map((x): [string, (t: Trial) => boolean] => [
      `trouble ${x}`,
      (t) => t.trouble === x,
    ]),
    ['scope device', (t) => t.scope === 'device'],
    ['scope fleet', (t) => t.scope === 'fleet'],
  ];
  for (const [name, holds] of groups) {
    const { trials, promotions, harmful, toHelp, helped } = tally(results.filter(holds));
    const told = `${trials} trials, ${promotions} promotions, ${harmful} harmful`;
    rows.push({ name: `${name}: ${told}; helped of ${toHelp}`, value: helped, unit: '' });
  }
  return rows;
}

function tally(results: readonly TrialResult[]) {
  const promotions = results.flatMap((result) => result.promotions);
  const takenBack = results.flatMap((result) => result.takenBack);
  const isHarm = ({ change, worst }: { change: number; worst: number }): boolean =>
    Math.min(change, worst) < -HARM;
  const toHelp = results.filter(({ toGain, share }) => toGain >= TO_GAIN && share <= FEW_WRONG);
  const changes = promotions.map(({ change }) => change);
  return {
    trials: results.length,
    promotions: promotions.length,
    harmful: promotions.filter(isHarm).length,
    harmfulSeeds: results.filter((r) => r.promotions.some(isHarm)).map(({ seed }) => seed),
    worst: Math.min(0, ...promotions.map(({ change, worst }) => Math.min(change, worst))),
    meanChange: changes.length === 0 ? 0 : changes.reduce((a, b) => a + b) / changes.length,
    takenBack: takenBack.length,
    answered: results.reduce((sum, { answered }) => sum + answered, 0),
    trialsAnswered: results.filter(({ answered }) => answered > 0).length,
    takenBackHarmful: takenBack.filter(isHarm).length,
    toHelp: toHelp.length,
    helped: toHelp.filter((result) => result.promotions.length > 0).length,
  };
}
