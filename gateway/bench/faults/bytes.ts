import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { openOnnx } from '../../runtimes/onnx.ts';
import { type BenchRow, round } from '../report.ts';
import { TARGETS, type TargetName } from './bytes/all-targets.ts';
import { runInThreads } from './bytes/run-all.ts';
import { type RunResult, runTarget } from './bytes/run-target.ts';
import { slopeOf } from './bytes/slope.ts';
import type { FaultsOptions } from './part.ts';

const CASES = 1_000_000;
export const SHORT_CASES = 100;
export const SEED = 5;
/** Less is no measure of what a million leave behind. */
const CASES_FOR_SLOPE = 100_000;
const MOST_MB = 1;
/** No case may take longer, ms. */
const SLOWEST_MS = 2_000;

/**
 * Bad bytes against everything that reads bytes from outside: a million cases each, of good files
 * or frames that were changed where it hurts, cut, joined or made of noise.
 *
 * What must not happen: an error that is no refusal by name, a case without an end, a damaged message
 * that is taken, a good frame behind a bad one that is lost, memory that stays.
 */
export async function rows(options: FaultsOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const name of Object.keys(TARGETS) as TargetName[]) {
    options.onProgress?.(`bytes: ${name}`);
    if (name === '.onnx files' && !(await hasOnnxRuntime())) {
      rows.push({ name: `bad ${name}`, unit: '', skipped: 'ONNX Runtime is not installed' });
    } else rows.push(...targetRows(name, await runs(name, options), options));
  }
  return rows;
}

async function runs(name: TargetName, options: FaultsOptions): Promise<RunResult[]> {
  if (!options.short) {
    return runInThreads(name, CASES, SEED, options);
  }
  const directory = await mkdtemp(join(tmpdir(), 'whetstone-bytes-'));
  try {
    return [await runTarget({ target: name, seed: SEED, from: 0, to: SHORT_CASES }, directory)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function hasOnnxRuntime(): Promise<boolean> {
  return openOnnx(new Uint8Array(0)).then(
    () => true,
    (error: unknown) => !(error instanceof GatewayError && error.code === 'missing-tool'),
  );
}

function targetRows(
  name: TargetName,
  results: readonly RunResult[],
  { onProgress }: FaultsOptions,
): BenchRow[] {
  const sum = (of: (result: RunResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const failures = results.flatMap((result) => result.failures);
  for (const { index, problem, bytes } of failures) {
    onProgress?.(`bytes: ${name}, seed ${SEED}, case ${index}: ${problem}; smallest: ${bytes}`);
  }
  const cases = sum((result) => result.cases);
  const slowest = Math.max(...results.map((result) => result.slowestMs));
  const rows: BenchRow[] = [
    {
      name: `bad ${name}: crashes, hangs, forgeries, losses (seed ${SEED})`,
      ...{ value: failures.length, unit: '', aim: '0', met: failures.length === 0 },
    },
    { name: `${name}: cases`, value: cases, unit: '' },
    { name: `${name}: of those, sound enough to be taken`, value: sum((r) => r.taken), unit: '' },
    {
      ...{ name: `${name}: the slowest case`, value: round(slowest, 1), unit: 'ms' },
      ...{ aim: `below ${SLOWEST_MS}`, met: slowest < SLOWEST_MS },
    },
    {
      ...{ name: `${name}: throughput`, unit: 'cases/s' },
      value: round(
        sum((r) => (1000 * r.cases) / Math.max(1, r.ms)),
        0,
      ),
    },
  ];
  if (cases < CASES_FOR_SLOPE) return rows;
  for (const kind of ['heap', 'rss'] as const) {
    const slopes = results.map(({ looks }) => slopeOf(looks, kind));
    // each thread adds its own heap; the process has one rss, and the cases of all threads
    const share = kind === 'rss' ? results.length : 1;
    const value = slopes.reduce((total, slope) => total + slope, 0) / results.length / share;
    const what = kind === 'heap' ? 'heap and buffers' : 'the process';
    rows.push({
      ...{ name: `${name}: memory of ${what} that a million cases leave`, unit: 'MB' },
      ...{ value: round(value, 3), aim: `below ${MOST_MB}`, met: value < MOST_MB },
    });
  }
  return rows;
}
