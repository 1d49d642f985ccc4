import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeTarget, type TargetName } from './all-targets.ts';
import { minimise } from './minimise.ts';
import { mutated } from './mutate.ts';
import type { Target } from './target.ts';

/** A run ends after so many failures: there is enough to be mended. */
const MOST_FAILURES = 5;

/** What a thread is to do. */
export interface Run {
  target: TargetName;
  seed: number;
  /** the first case and the one behind the last */
  from: number;
  to: number;
  /** how often the memory is looked at, which collects all garbage twice; default never */
  looks?: number;
}

/** A case that did what must never happen. */
export interface BadCase {
  index: number;
  problem: string;
  /** the shortest bytes found that do it too, base64 */
  bytes: string;
}

/** Memory after so many cases, bytes: heap and what lies outside it, of this thread; rss of the process. */
export interface Look {
  cases: number;
  heap: number;
  rss: number;
}

export interface RunResult {
  cases: number;
  taken: number;
  slowestMs: number;
  ms: number;
  failures: BadCase[];
  looks: Look[];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Hands a run's cases to its target. @param onCase told the index before each case */
export async function runTarget(
  run: Run,
  directory: string,
  onCase: (index: number) => void = () => {},
): Promise<RunResult> {
  const { seed, from, to, looks = 0 } = run;
  let target = await makeTarget(run.target, directory);
  const result: RunResult = { cases: 0, taken: 0, slowestMs: 0, ms: 0, failures: [], looks: [] };
  const every = looks > 0 ? Math.max(1, Math.floor((to - from) / looks)) : Infinity;
  const begun = performance.now();
  for (let index = from; index < to && result.failures.length < MOST_FAILURES; index++) {
    onCase(index);
    const bytes = mutated(target.corpus, target.mutators, seed, index);
    const before = performance.now();
    try {
      if ((await target.take(bytes)) === 'taken') result.taken++;
    } catch (error) {
      const small = await smallest(run.target, directory, bytes, error);
      result.failures.push({ index, ...small });
      target = await makeTarget(run.target, directory); // what was wrong may have stayed with it
    }
    result.slowestMs = Math.max(result.slowestMs, performance.now() - before);
    result.cases++;
    if (result.cases % every === 0) result.looks.push(look(result.cases));
    if (result.cases % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  result.ms = performance.now() - begun;
  await closing(target, result, to);
  return result;
}

async function closing(target: Target, result: RunResult, index: number): Promise<void> {
  try {
    await target.close?.();
  } catch (error) {
    result.failures.push({ index, problem: problemOf(error), bytes: '' });
  }
}

async function smallest(
  name: TargetName,
  directory: string,
  bytes: Uint8Array,
  error: unknown,
): Promise<Omit<BadCase, 'index'>> {
  const problem = problemOf(error);
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    const target = await makeTarget(name, directory);
    try {
      await target.take(candidate);
      return false;
    } catch (again) {
      return problemOf(again) === problem;
    } finally {
      await Promise.resolve(target.close?.()).catch(() => {}); // it has failed already
    }
  };
  const small = await minimise(bytes, fails);
  return { problem, bytes: Buffer.from(small).toString('base64') };
}

/** An error and the first place in our own code, without its numbers. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return `no error: ${String(error)}`;
  const place = /(?:device|gateway)\/(?!bench)\S+/.exec(
    error.stack?.split('\n    at ').slice(1).join('\n') ?? '',
  );
  const message = error.message.split('\n')[0]!.slice(0, 200).replaceAll(/\d+/g, 'n');
  return `${error.name}: ${message}${place === null ? '' : ` (${place[0].replace(/[:)\d]+$/, '')})`}`;
}

function look(cases: number): Look {
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { cases, heap: heapUsed + external, rss };
}
