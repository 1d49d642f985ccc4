import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type Run, runTarget } from './run-target.ts';

/**
 * A thread that hands over the cases of one run and answers with its result.
 *
 * `workerData` is `{ run, progress }`; it writes the index of the present case into `progress`, so that
 * one that never ends can be named.
 */
const { run, progress } = workerData as { run: Run; progress: SharedArrayBuffer };
const now = new Int32Array(progress);
const directory = mkdtempSync(join(tmpdir(), 'whetstone-bytes-'));
try {
  const result = await runTarget(run, directory, (index) => {
    now[0] = index;
  });
  parentPort?.postMessage(result);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
