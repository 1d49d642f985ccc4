import { expect, test } from 'vitest';
import { measureFootprint } from '../../../gateway/bench/footprint.ts';
import { loadBoard } from '../../../gateway/board.ts';
import { loadTask } from '../../../gateway/task.ts';
import { hasSocat, skippedSocat } from '../../support/pty.ts';

const path = process.env.WHETSTONE_ESPRUINO_2630;
const skipped = path ? skippedSocat : ' (skipped: WHETSTONE_ESPRUINO_2630 is not set)';

/**
 * Between the device's start and its worst moment, where 1,179 were measured (2,419 - 1,240), and of
 * the device at rest, where 573 were (1,240 - 667): a twentieth more is taken for noise.
 */
const WORST = 1240;
const AT_REST = 600;

test.skipIf(!path || !hasSocat)(
  `measureFootprint() fits runtime, model, ring and an update into 2,630 variables when they run on a real Espruino${skipped}`,
  async () => {
    const board = loadBoard('puckjs');
    const found = await measureFootprint({ path: path!, board, task: loadTask('gesture') });
    expect(found.total).toBe(board.variables);
    expect(found.tier).toBe('thumb');
    expect(found.predictions.count).toBeGreaterThan(board.ring);
    expect(found.predictions.equal).toBe(found.predictions.count);
    expect(found.statuses).toEqual([1, 2, 3, 4, 5]); // accepted, …, self-test equal, …, confirmed
    expect(found.errors).toEqual([]);
    const used = (stage: string): number => found.stages.find((row) => row.stage === stage)!.used;
    const created = used('device created');
    expect(created - used('bundle loaded')).toBeLessThan(AT_REST);
    expect(found.peak - created).toBeLessThan(WORST);
    expect(found.free).toBeGreaterThan(100);
  },
  120_000,
);
