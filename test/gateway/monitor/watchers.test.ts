import { describe, expect, test } from 'vitest';
import { monitorDefaults, plainReads, type SeenWindow } from '../../../gateway/monitor/settings.ts';
import { createWatchers, shares, statisticsOf } from '../../../gateway/monitor/watchers.ts';
import { mulberry, scores } from './streams.ts';

const axes = ['x', 'y', 'z'];
const reads = { ...plainReads, groups: ['still', 'walk', 'run', 'jump'] };

/** A device whose embedding has eight features that hang together, and raw windows where wanted. */
function stream(seed: number) {
  const random = mulberry(seed);
  const score = scores(random, 60, 15);
  const noise = scores(random, 100, 20);
  let at = 0;
  return (
    change: { feature?: number; cls?: number; axis?: number; raw?: boolean } = {},
  ): SeenWindow => {
    const common = noise() - 100;
    const embedding = Int8Array.from({ length: 8 }, (_, k) => {
      const value = 0.5 * common + 0.5 * (noise() - 100);
      return Math.round(k === change.feature ? value + 60 : value);
    });
    const window = Int8Array.from({ length: 60 }, (_, i) =>
      Math.round(0.3 * (noise() - 100) + (i % 3 === change.axis ? 25 : 0)),
    );
    return {
      ...{ release: 3, cls: change.cls ?? Math.floor(4 * random()), score: score(), at: at++ },
      ...{ embedding, window: change.raw ? window : null },
    };
  };
}

function until(watchers: ReturnType<typeof createWatchers>, n: number, next: () => SeenWindow) {
  for (let i = 1; i <= n; i++) {
    const found = watchers.update(next());
    if (found.length > 0) return { found, after: i };
  }
  return undefined;
}

describe('createWatchers()', () => {
  test('all watchers together keep the budget of false alarms', () => {
    expect(Object.values(shares).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    const settings = { ...monitorDefaults, falseAlarm: 1e-3 };
    let alarms = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const watchers = createWatchers(settings, reads, axes);
      const next = stream(seed);
      for (let i = 0; i < 1000; i++) alarms += watchers.update(next({ raw: true })).length;
    }
    // 20 are allowed
    expect(alarms).toBeLessThanOrEqual(20);
  });

  test('update() names the feature that moved, from where to where, and since when', () => {
    const watchers = createWatchers(monitorDefaults, reads, axes);
    const next = stream(2);
    expect(until(watchers, 100, next)).toBeUndefined();
    const { found, after } = until(watchers, 60, () => next({ feature: 5 }))!;
    expect(after).toBeLessThanOrEqual(25);
    expect(found.map(({ what }) => what)).toEqual(['features']);
    expect(found[0].where).toEqual(['feature 5']);
    expect(found[0].before).toBeCloseTo(0, -1);
    expect(found[0].after).toBeGreaterThan(30);
    expect(Math.abs(found[0].since - 100)).toBeLessThanOrEqual(20);
  });

  test('update() names the class that took over', () => {
    const watchers = createWatchers(monitorDefaults, reads, axes);
    const next = stream(3);
    expect(until(watchers, 100, next)).toBeUndefined();
    const { found, after } = until(watchers, 60, () => next({ cls: 2 }))!;
    expect(after).toBeLessThanOrEqual(35);
    expect(found[0]).toMatchObject({ what: 'classes', where: ['run'] });
    expect(found[0].after).toBeGreaterThan(0.9);
    expect(Math.abs(found[0].since - 100)).toBeLessThanOrEqual(8);
  });

  test('update() names the axis of raw windows that moved', () => {
    const watchers = createWatchers(monitorDefaults, reads, axes);
    const next = stream(4);
    expect(until(watchers, 100, () => next({ raw: true }))).toBeUndefined();
    const { found } = until(watchers, 60, () => next({ raw: true, axis: 1 }))!;
    expect(found[0].what).toBe('features');
    expect(found[0].where[0]).toBe('mean of y');
  });

  test('update() learns nothing of features from windows that somebody chose', () => {
    const watchers = createWatchers(monitorDefaults, reads, axes);
    const next = stream(5);
    expect(until(watchers, 100, next)).toBeUndefined();
    const chosen = () => ({ ...next({ feature: 5, raw: true }), isChosen: true });
    expect(until(watchers, 60, chosen)).toBeUndefined();
    expect(until(watchers, 60, () => next({ feature: 5 }))).toBeDefined();
  });

  test('state() carries everything over a restart', () => {
    const run = (restart: boolean) => {
      let watchers = createWatchers(monitorDefaults, reads, axes);
      const next = stream(6);
      const told: unknown[] = [];
      for (let i = 0; i < 260; i++) {
        if (restart && i % 41 === 7) {
          const saved = JSON.parse(JSON.stringify(watchers.state()));
          watchers = createWatchers(monitorDefaults, reads, axes, saved);
        }
        const change = i < 100 ? {} : i < 180 ? { feature: 2, axis: 0 } : { cls: 1 };
        told.push(...watchers.update(next({ ...change, raw: true })));
      }
      return told;
    };
    expect(run(false).length).toBeGreaterThanOrEqual(2);
    expect(run(true)).toEqual(run(false));
  });
});

describe('statisticsOf()', () => {
  test('takes bytes for int8', () => {
    const window = Int8Array.of(-3, 10, -5, 10);
    expect(statisticsOf(Uint8Array.from(window), 2)).toEqual(statisticsOf(window, 2));
    expect(statisticsOf(window, 2)).toEqual([-4, 1, 10, 0]);
  });
});
