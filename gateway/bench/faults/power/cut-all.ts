import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FaultsOptions } from '../part.ts';
import { type CutCounts, createExplorer } from './explore.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { Codes } from './world.ts';

/** Of the short version: one double cut of so many. */
const EVERY_DOUBLE = 97;

/** What was found in one scenario. */
export interface ScenarioCounts extends CutCounts {
  scenario: string;
  operations: number;
}

interface Job {
  scenario: number;
  segment: number;
  op: number;
}

/**
 * Cuts the power at every flash operation of every scenario, in worker threads; short: in this one.
 *
 * @param codes of the bundles
 */
export async function cutAll(codes: Codes, options: FaultsOptions): Promise<ScenarioCounts[]> {
  const { short = false, onProgress } = options;
  const everyDouble = short ? EVERY_DOUBLE : 1;
  const all = scenarios(codes, short);
  const explorer = createExplorer(everyDouble, !short);
  const jobs: Job[] = [];
  const results: ScenarioCounts[] = [];
  for (const [index, scenario] of all.entries()) {
    const points = await explorer.points(scenario);
    for (const [segment, op] of points) jobs.push({ scenario: index, segment, op });
    results.push(emptyCounts(scenario, points));
  }
  const take = ({ scenario }: Pick<Job, 'scenario'>, counts: CutCounts): void => {
    const result = results[scenario]!;
    for (const key of ['cuts', 'images', 'doubles', 'doubleImages'] as const) {
      result[key] += counts[key];
    }
    result.failures.push(...counts.failures);
  };
  if (short) {
    for (const job of jobs) take(job, await explorer.cut(all[job.scenario]!, job.segment, job.op));
    return results;
  }
  let done = 0;
  let next = 0;
  const threads = options.threads ?? availableParallelism();
  await Promise.all(
    Array.from({ length: Math.min(threads, jobs.length) }, async () => {
      const worker = new Worker(join(import.meta.dirname, 'power-worker.ts'), {
        workerData: { codes, short, everyDouble },
      });
      try {
        while (next < jobs.length) {
          const job = jobs[next++]!;
          take(job, await ask(worker, job));
          done++;
          if (done % 20 === 0) onProgress?.(`power: ${done} of ${jobs.length} operations cut`);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return results;
}

function emptyCounts({ name }: Scenario, points: readonly [number, number][]): ScenarioCounts {
  const boots = new Set(points.map(([segment]) => segment)).size;
  const counts = { cuts: 0, images: 0, doubles: 0, doubleImages: 0, failures: [] };
  return { scenario: name, operations: points.length - boots, ...counts };
}

function ask(worker: Worker, job: Job): Promise<CutCounts> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', ({ counts }: { counts: CutCounts }) => {
      worker.off('error', reject);
      resolve(counts);
    });
    worker.postMessage(job);
  });
}
