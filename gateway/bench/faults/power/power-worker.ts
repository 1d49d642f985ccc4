import { parentPort, workerData } from 'node:worker_threads';
import { createExplorer } from './explore.ts';
import { scenarios } from './scenarios.ts';
import type { Codes } from './world.ts';

/**
 * A thread that cuts: it is sent `{ scenario, segment, op }`, the scenario by its index, and answers
 * each with its counts.
 *
 * `workerData` is `{ codes, short, everyDouble }`: see scenarios and createExplorer.
 */
const { codes, short, everyDouble } = workerData as {
  codes: Codes;
  short: boolean;
  everyDouble: number;
};
const all = scenarios(codes, short);
const explorer = createExplorer(everyDouble, !short);

parentPort?.on(
  'message',
  async ({ scenario, segment, op }: { scenario: number; segment: number; op: number }) => {
    const counts = await explorer.cut(all[scenario]!, segment, op);
    parentPort?.postMessage({ scenario, counts });
  },
);
