import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { searchRows } from '../../../gateway/bench/search.ts';
import { candidatesOf } from '../../../gateway/train/search-candidates.ts';
import { writeFolder } from '../../support/recordings-folder.ts';
import { quickTask } from '../../support/tasks.ts';

it('searchRows() says why there is no value when there are no recordings', async () => {
  for (const data of [undefined, join(tmpdir(), 'nothing-is-here')]) {
    const rows = await searchRows({ ...(data && { data }) });
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      expect(row.skipped).toMatch(/^no /);
      expect(row.value).toBeUndefined();
    }
  }
});

it('searchRows() judges the chosen net on windows that came after those of the search', async () => {
  const data = mkdtempSync(join(tmpdir(), 'whetstone-bench-'));
  try {
    const task = quickTask();
    writeFolder(join(data, 'bangle-gestures'), task, [10, 10]);
    const wanted = ['task (motion)', 'motion 4', 'motion 32', 'statistics linear'];
    const candidates = candidatesOf(task).filter(({ name }) => wanted.includes(name));
    const told: string[] = [];
    const rows = await searchRows(
      { data, seeds: 2, onProgress: (what) => told.push(what) },
      { task, candidates, people: ['ann', 'bob'] },
    );
    const [accuracy, largest, bytes, bytesLargest] = rows;
    expect(accuracy).toMatchObject({ unit: 'share', peer: "the task's own: task (motion)" });
    expect(largest?.peer).toBe('motion 32');
    expect(accuracy?.perSeed).toHaveLength(2);
    // 3 later windows of 6 classes of two people
    for (const share of accuracy!.perSeed!) expect((share * 36) % 1).toBeCloseTo(0, 9);
    for (const row of [accuracy!, largest!]) {
      expect(row.met).toBe(row.peerValue! - row.value! <= 0.01);
    }
    expect(bytes?.peerValue).toBe(728);
    expect(bytesLargest).toMatchObject({ peerValue: 2388, met: true });
    expect(bytesLargest?.ratio).toBeCloseTo(2388 / bytesLargest!.value!, 2);
    expect(told.some((what) => what.startsWith('search, later windows: motion 32'))).toBe(true);
  } finally {
    rmSync(data, { recursive: true });
  }
});
