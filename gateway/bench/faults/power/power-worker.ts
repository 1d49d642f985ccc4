import { parentPort, workerData } from 'node:worker_threads';
import { createExplorer } from './explore.ts';
import { scenarios } from './scenarios.ts';

/**
 * A thread that cuts: it is sent `{ scenario, segment, op }`, the scenario by its index, and answers
 * each with its counts.
 *
 * `workerData` is `{ code, short, everyDouble }`: see createExplorer.
 */
const { code, short, everyDouble } = workerData as {
  code: string;
  short: boolean;
  everyDouble: number;
};
const all = scenarios(short);
const explorer = createExplorer(code, everyDouble, !short);

parentPort?.on(
  'message',
  async ({ scenario, segment, op }: { scenario: number; segment: number; op: number }) => {
    const counts = await explorer.cut(all[scenario]!, segment, op);
    parentPort?.postMessage({ scenario, counts });
  },
);
