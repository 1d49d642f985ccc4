import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FaultsOptions } from '../part.ts';
import type { TargetName } from './all-targets.ts';
import type { Run, RunResult } from './run-target.ts';

/** A case that takes longer than this will never end. */
const HANGS_MS = 60_000;
const LOOK_MS = 2_000;
/** Looks at the memory of a thread, from which its slope is taken. */
const LOOKS = 40;

/**
 * Runs the cases of a target in worker threads, each its own share.
 *
 * @param seed of all cases: with an index it gives the bytes again
 * @returns a result for each thread; a hang is a failure of its case, and ends its thread
 */
export function runInThreads(
  target: TargetName,
  cases: number,
  seed: number,
  { threads = availableParallelism() }: FaultsOptions,
): Promise<RunResult[]> {
  return Promise.all(
    Array.from({ length: threads }, (_, k) => {
      const [from, to] = [k, k + 1].map((n) => Math.floor((n * cases) / threads));
      return runInThread({ target, seed, from: from!, to: to!, looks: LOOKS });
    }),
  );
}

async function runInThread(run: Run): Promise<RunResult> {
  const progress = new SharedArrayBuffer(4);
  const now = new Int32Array(progress);
  const begun = performance.now();
  const worker = new Worker(join(import.meta.dirname, 'bytes-worker.ts'), {
    workerData: { run, progress },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      let last = -1;
      let since = performance.now();
      timer = setInterval(() => {
        const index = now[0]!;
        if (index !== last) since = performance.now();
        last = index;
        if (performance.now() - since < HANGS_MS) return;
        const failures = [{ index, problem: `no end within ${HANGS_MS} ms`, bytes: '' }];
        const ms = performance.now() - begun;
        resolve({
          cases: index - run.from,
          taken: 0,
          slowestMs: HANGS_MS,
          ms,
          failures,
          looks: [],
        });
      }, LOOK_MS);
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
