import { describe, expect, it } from 'vitest';
import { newClassRows, tasksOf } from '../../../gateway/bench/new-class.ts';

describe('newClassRows()', () => {
  it('says of each figure that there are no recordings', async () => {
    for (const options of [{}, { data: '/nowhere' }]) {
      const rows = await newClassRows(options);
      expect(rows).toHaveLength(6);
      for (const row of rows) expect(row).toMatchObject({ skipped: 'skipped: no recordings' });
    }
  });
});

describe('tasksOf()', () => {
  it('appends the gesture as a user would', () => {
    const { before, after } = tasksOf({ person: 'james-v2', gesture: 'snap' });
    expect(after.classes).toEqual([...before.classes, 'snap']);
    expect(after.recordings.ignore).not.toContain('snap');
    expect(after.architecture.layers.at(-1)).toMatchObject({ units: 7 });
  });
});
