import { describe, expect, test } from 'vitest';
import { createFleet, four, ordered, settings } from './fleet.ts';

describe('a version that does harm', () => {
  test('is taken back from the canary when its labels say so, before anyone else has it', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, true);
    for (const twin of fleet.twins.values()) twin.worse = { score: 80, right: false };
    const { id, version } = fleet.start(2);
    const [canary] = ordered(fleet, id);
    fleet.windows(10, true);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned' });
    expect(fleet.rollouts.get(id)?.why).toMatch(/0 % of 9 labelled windows, before: 9\d % of/);
    expect(fleet.stages(id)[canary]).toBe('back');
    expect(fleet.calls).toEqual([`offer ${canary} 2`, `revert ${canary} 2`]);
    expect(fleet.registry.get(version).stage).toBe('rolledback');
    expect(fleet.registry.get(fleet.first).stage).toBe('champion');
  });

  test('is taken back when its scores collapse and nobody gives labels', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, false);
    for (const twin of fleet.twins.values()) twin.worse = { score: 10, right: false };
    const { id } = fleet.start(2);
    fleet.windows(10);
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    expect(fleet.rollouts.get(id)?.why).toMatch(/mean score 1\d, expected 8\d/);
  });

  test('is compared with the days since the drift, where that is known', async () => {
    const harmless = async (since: number | undefined) => {
      const fleet = createFleet(['w1'], { settings });
      await fleet.past('w1', 40, true);
      fleet.twins.set('w1', { release: 1, trial: null, online: true });
      const { id } = fleet.start(2, { since });
      for (let i = 0; i < 10; i++) {
        fleet.rollouts.label('w1', { release: 2, correct: i < 3 });
      }
      fleet.windows(10);
      return fleet.rollouts.get(id)?.stage;
    };
    expect(await harmless(undefined)).toBe('returned');
    expect(await harmless(1001)).toBe('settled');
  });

  test('is not blamed for what the unchanged devices suffer as well', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, false);
    const { id } = fleet.start(2);
    for (let i = 0; i < 10; i++) {
      for (const [name, twin] of fleet.twins) {
        fleet.rollouts.window(name, { release: twin.trial ?? twin.release, score: 12 + (i % 5) });
      }
    }
    fleet.pump();
    expect(fleet.rollouts.get(id)?.stage).toBe('rest');
  });

  test('is undone everywhere when too many of the rest fail', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, true);
    const { id } = fleet.start(2);
    const [canary, ...rest] = ordered(fleet, id);
    fleet.windows(10, true);
    for (const name of rest) {
      const twin = fleet.twins.get(name);
      if (twin !== undefined) twin.worse = { score: 80, right: false };
    }
    fleet.windows(12, true);
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    expect(fleet.twins.get(canary)).toMatchObject({ release: 3, trial: null });
    expect(fleet.registry.releaseOf(3)?.version).toBe(fleet.first);
    for (const name of rest)
      expect(fleet.twins.get(name)).toMatchObject({ release: 1, trial: null });
  });
});
