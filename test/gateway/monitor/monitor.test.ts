import { describe, expect, test } from 'vitest';
import { createMonitor, monitorDefaults } from '../../../gateway/monitor/monitor.ts';
import { prequential } from '../../../gateway/monitor/prequential.ts';
import { mulberry, scores } from './streams.ts';

const promised = { accuracy: 0.96, windows: 200 };
type Monitor = ReturnType<typeof createMonitor>;

const plain = { release: 3, cls: 0, score: 60, at: 0, embedding: null, window: null };
/** A label that says whether the device was right. */
const judged = (correct: boolean, at = 0) => ({
  ...{ release: 3, said: 1, truth: correct ? 1 : 2, score: 60, at },
});

function feed(monitor: Monitor, device: string, next: () => number, n: number, from: number) {
  for (let i = 0; i < n; i++) {
    const alarm = monitor.window(device, { ...plain, score: next(), at: from + i * 1000 });
    if (alarm !== undefined) return { alarm, after: i + 1 };
  }
  return undefined;
}

describe('createMonitor()', () => {
  test('window() raises an alarm within 30 windows of another wearer, in 19 of 20 streams', () => {
    // Quantiles as measured with a model of one wearer on the windows of both.
    const delays: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const random = mulberry(seed);
      const monitor = createMonitor();
      monitor.installed('w1', 3, promised);
      expect(feed(monitor, 'w1', scores(random, 63, 13), 120, 0)).toBeUndefined();
      const found = feed(monitor, 'w1', scores(random, 30, 13), 100, 120_000);
      delays.push(found?.after ?? 999);
    }
    expect(delays.filter((delay) => delay <= 30).length).toBeGreaterThanOrEqual(19);
  });

  test('window() raises no alarm in 1,000 windows of the same wearer, in 19 of 20 streams', () => {
    let quiet = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const monitor = createMonitor();
      monitor.installed('w1', 3, promised);
      const found = feed(monitor, 'w1', scores(mulberry(seed), 54, 18), 1000, 0);
      quiet += Number(found === undefined);
    }
    expect(quiet).toBeGreaterThanOrEqual(19);
  });

  test('the alarm says what changed, since when and on what evidence', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 100, 10), 200, 0);
    const alarm = feed(monitor, 'w1', scores(random, 40, 10), 50, 200_000)?.alarm;
    expect(alarm).toMatchObject({ device: 'w1', what: 'score', release: 3 });
    expect(alarm?.before).toBeCloseTo(100, -1);
    expect(alarm?.after).toBeLessThan(60);
    expect(Math.abs((alarm?.since ?? 0) - 200_000)).toBeLessThan(8000);
    expect(alarm?.evidence).toBeGreaterThan(1 / monitorDefaults.falseAlarm);
  });

  test('one alarm an episode; a confirmed release ends it and begins a new reference', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 100, 10), 100, 0);
    expect(feed(monitor, 'w1', scores(random, 40, 10), 100, 100_000)).toBeDefined();
    expect(feed(monitor, 'w1', scores(random, 20, 10), 300, 200_000)).toBeUndefined();
    for (let i = 0; i < 20; i++) {
      expect(monitor.label('w1', judged(false, 1))).toBeUndefined();
    }
    expect(monitor.alarmOf('w1')).not.toBeNull();
    monitor.installed('w1', 3, promised);
    expect(monitor.alarmOf('w1')).toBeNull();
    expect(feed(monitor, 'w1', scores(random, 70, 5), 100, 600_000)).toBeUndefined();
    expect(feed(monitor, 'w1', scores(random, 30, 5), 100, 700_000)).toBeDefined();
  });

  test('windows of a release that is not confirmed pass by', () => {
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(mulberry(1), 100, 10), 100, 0);
    for (let i = 0; i < 100; i++) {
      expect(monitor.window('w1', { ...plain, release: 4, score: 1, at: i })).toBeUndefined();
    }
  });

  test('label() raises an alarm when the promised accuracy is not kept, and says by how much', () => {
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    const outcomes = [true, true, false, false, false, false];
    const alarms = outcomes.map((correct, i) => monitor.label('w1', judged(correct, 10 * i)));
    expect(alarms.slice(0, 5).every((alarm) => alarm === undefined)).toBe(true);
    expect(alarms[5]).toMatchObject({
      ...{ what: 'accuracy', before: 0.96, after: 1 / 3, since: 20, at: 50, windows: 6 },
    });
  });

  test('label() is quiet for 1,000 labels while the promise is kept', () => {
    const random = mulberry(8);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    for (let i = 0; i < 1000; i++) {
      const seen = judged(random() < 0.955, i);
      expect(monitor.label('w1', seen)).toBeUndefined();
    }
    expect(monitor.accuracy('w1').n).toBe(1000);
    expect(monitor.accuracy().fading).toBeCloseTo(0.955, 1);
  });

  test('label() does not take a perfect score on few windows at its word', () => {
    const monitor = createMonitor();
    monitor.installed('w1', 3, { accuracy: 1, windows: 6 });
    const alarms = [true, true, true, true, false, true].map((correct) =>
      monitor.label('w1', judged(correct)),
    );
    expect(alarms.every((alarm) => alarm === undefined)).toBe(true);
  });

  test('evidence() is unknown, then steady, drifted once a fall is seen, and unknown anew', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    const feedOn = (mean: number, n: number) => feed(monitor, 'w1', scores(random, mean, 10), n, 0);
    feedOn(100, 49);
    expect(monitor.evidence('w1')).toBe('unknown');
    feedOn(100, 1);
    expect(monitor.evidence('w1')).toBe('steady');
    expect(feedOn(40, 50)).toBeDefined();
    expect(monitor.evidence('w1')).toBe('drifted');
    feedOn(100, 200);
    expect(monitor.evidence('w1')).toBe('drifted');
    monitor.installed('w1', 3, promised);
    expect(monitor.evidence('w1')).toBe('unknown');
    expect(monitor.evidence('nobody')).toBe('unknown');
  });

  test('evidence() sees drift without labels in an episode that labels began, and only that', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 100, 10), 100, 0);
    for (let i = 0; i < 20; i++) monitor.label('w1', judged(false));
    expect(monitor.alarmOf('w1')?.what).toBe('accuracy');
    expect(monitor.evidence('w1')).toBe('steady');
    expect(feed(monitor, 'w1', scores(random, 40, 10), 50, 0)).toBeUndefined();
    expect(monitor.evidence('w1')).toBe('drifted');
  });

  test('an episode counts what else is said in it, and who said it', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 100, 10), 100, 0);
    feed(monitor, 'w1', scores(random, 40, 10), 100, 100_000);
    for (let i = 0; i < 20; i++) monitor.label('w1', judged(false, 300_000));
    const alarm = monitor.alarmOf('w1');
    expect(alarm).toMatchObject({ what: 'score', also: ['accuracy'], lastAt: 300_000 });
    expect(alarm!.count).toBeGreaterThanOrEqual(2);
    expect(alarm!.at).toBeLessThan(200_000);
  });

  test('a sick sensor takes the place of an alarm, is no drift, and ends when it is well', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 100, 10), 100, 0);
    expect(feed(monitor, 'w1', scores(random, 40, 10), 50, 100_000)).toBeDefined();
    expect(monitor.evidence('w1')).toBe('drifted');
    const raw = (isWell: boolean) =>
      Int8Array.from({ length: 60 }, (_, i) => (i % 3 === 2 && !isWell ? 9 : 90 * random()));
    const seen = (isWell: boolean, n: number, at: number) =>
      Array.from({ length: n }, (_, i) =>
        monitor.raw('w1', { window: raw(isWell), at: at + i }),
      ).filter((one) => one !== undefined);
    expect(seen(false, 20, 200_000)).toMatchObject([
      { what: 'sensor', raisedAs: 'score', where: ['z'], reason: 'z is stuck' },
    ]);
    expect(monitor.isSick('w1')).toBe(true);
    expect(monitor.evidence('w1')).toBe('unknown');
    // what a sick sensor gives is watched by nobody, and labels of it raise nothing
    expect(feed(monitor, 'w1', scores(random, 5, 2), 200, 300_000)).toBeUndefined();
    for (let i = 0; i < 20; i++) expect(monitor.label('w1', judged(false))).toBeUndefined();
    expect(monitor.recovered()).toEqual([]);
    expect(seen(true, 3, 900_000)).toEqual([]);
    expect(monitor.isSick('w1')).toBe(false);
    expect(monitor.recovered()).toMatchObject([
      { alarm: { what: 'sensor', device: 'w1' }, since: null },
    ]);
    expect(monitor.recovered()).toEqual([]);
    expect(monitor.alarmOf('w1')).toBeNull();
    // and goes on from what was normal before
    expect(feed(monitor, 'w1', scores(random, 100, 10), 60, 1_000_000)).toBeUndefined();
    expect(monitor.evidence('w1')).toBe('steady');
    expect(feed(monitor, 'w1', scores(random, 40, 10), 50, 2_000_000)).toBeDefined();
  });

  /** Another wearer, then the first one again: what came back, and after how many windows. */
  function away(seed: number, windowsBack: number) {
    const random = mulberry(seed);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 63, 13), 120, 0);
    const raised = feed(monitor, 'w1', scores(random, 30, 13), 300, 120_000);
    for (let i = 0; i < 200; i++)
      feed(monitor, 'w1', scores(random, 30, 13), 1, 500_000 + 1000 * i);
    const tooEarly = monitor.recovered();
    const own = scores(random, 63, 13);
    for (let i = 0; i < windowsBack; i++) {
      feed(monitor, 'w1', own, 1, 1_000_000 + 1000 * i);
      const [over] = monitor.recovered();
      if (over !== undefined) return { monitor, raised, tooEarly, over, after: i + 1, own };
    }
    return { monitor, raised, tooEarly, over: undefined, after: Infinity, own };
  }

  test('an episode is over by itself within 60 windows of the first wearer, never before, in 19 of 20 streams', () => {
    let good = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { monitor, raised, tooEarly, over, after } = away(seed, 100);
      expect(raised).toBeDefined();
      const isRight = tooEarly.length === 0 && after >= 16 && after <= 60;
      // the other wearer's last windows may pass for the first one's: they ended at 699_000
      const isDated = (over?.since ?? 0) >= 697_000;
      good += Number(isRight && isDated && monitor.alarmOf('w1') === null);
    }
    expect(good).toBeGreaterThanOrEqual(19);
  });

  test('what came back is told once, is normal from then on, and may go again', () => {
    const { monitor, over, own } = away(4, 100);
    expect(over).toMatchObject({ alarm: { device: 'w1', what: 'score' } });
    expect(monitor.recovered()).toEqual([]);
    expect(monitor.evidence('w1')).toBe('drifted');
    expect(feed(monitor, 'w1', own, 200, 2_000_000)).toBeUndefined();
    const again = feed(monitor, 'w1', scores(mulberry(9), 30, 13), 100, 3_000_000);
    expect(again?.alarm.before).toBeGreaterThan(50);
  });

  test('labels end what labels began: scores do not, and the wrong ones of before do not count', () => {
    const random = mulberry(4);
    let monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 63, 13), 100, 0);
    for (let i = 0; i < 10; i++) monitor.label('w1', judged(false, 1000 + i));
    feed(monitor, 'w1', scores(random, 63, 13), 300, 100_000);
    expect(monitor.alarmOf('w1')?.what).toBe('accuracy');
    for (let i = 0; i < 8; i++) monitor.label('w1', judged(true, 500_000 + i));
    expect(monitor.recovered()).toEqual([]);
    monitor = createMonitor(monitorDefaults, 30_000, monitor.state()); // a restart forgets nothing
    expect(monitor.label('w1', judged(true, 500_008))).toBeUndefined();
    // nine of ten are right, and the wrong one is of before
    expect(monitor.recovered()).toMatchObject([{ alarm: { what: 'accuracy' }, since: 500_000 }]);
    for (let i = 0; i < 5; i++) {
      expect(monitor.label('w1', judged(i !== 2, 600_000 + i))).toBeUndefined();
    }
    expect(monitor.alarmOf('w1')).toBeNull();
  });

  test('all that was said in an episode has to be back', () => {
    const random = mulberry(4);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    feed(monitor, 'w1', scores(random, 63, 13), 100, 0);
    feed(monitor, 'w1', scores(random, 20, 13), 60, 100_000);
    for (let i = 0; i < 10; i++) monitor.label('w1', judged(false, 200_000 + i));
    expect(monitor.alarmOf('w1')).toMatchObject({ what: 'score', also: ['accuracy'] });
    feed(monitor, 'w1', scores(random, 63, 13), 200, 300_000);
    expect(monitor.alarmOf('w1')?.what).toBe('score');
    for (let i = 0; i < 10; i++) monitor.label('w1', judged(true, 600_000 + i));
    expect(monitor.alarmOf('w1')).toBeNull();
  });

  test('features that moved are back when the surest of them is', () => {
    const random = mulberry(6);
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    const see = (shift: number, n: number, from: number) => {
      for (let i = 0; i < n; i++) {
        const embedding = Int8Array.from({ length: 4 }, (_, k) => {
          return Math.round(30 * random()) + (k === 2 ? shift : 0);
        });
        monitor.window('w1', { ...plain, embedding, at: from + i });
      }
    };
    see(0, 100, 0);
    see(40, 60, 1000);
    expect(monitor.alarmOf('w1')).toMatchObject({ what: 'features', where: ['feature 2'] });
    see(40, 100, 2000);
    expect(monitor.alarmOf('w1')?.what).toBe('features');
    see(-40, 40, 3000);
    expect(monitor.alarmOf('w1')?.what).toBe('features');
    see(0, 40, 4000);
    expect(monitor.alarmOf('w1')).toBeNull();
    expect(monitor.recovered()).toMatchObject([{ alarm: { what: 'features' } }]);
  });

  test('label() learns nothing about scores from windows of a sick sensor', () => {
    const monitor = createMonitor();
    monitor.installed('w1', 3, promised);
    monitor.installed('w2', 3, promised);
    for (let i = 0; i < 9; i++) monitor.raw('w1', { window: new Int8Array(60), at: i });
    expect(monitor.isSick('w1')).toBe(true);
    const before = monitor.state().curve;
    for (let i = 0; i < 9; i++) monitor.label('w1', judged(false));
    expect(monitor.state().curve).toEqual(before);
    monitor.label('w2', judged(false));
    expect(monitor.state().curve).not.toEqual(before);
  });

  test('quality() and estimate() are of a device, of some, or of all', () => {
    const random = mulberry(12);
    const monitor = createMonitor();
    for (const [id, right] of [
      ['w1', 0.9],
      ['w2', 0.5],
    ] as const) {
      monitor.installed(id, 3, { accuracy: right, windows: 200 });
      feed(monitor, id, scores(random, 100 * right - 30, 12), 60, 0);
      for (let i = 0; i < 40; i++) monitor.label(id, judged(i % 10 < 10 * right, i));
    }
    expect(monitor.quality(['w1'])).toMatchObject({ labels: 40, accuracy: 0.9 });
    expect(monitor.quality()).toMatchObject({ labels: 80, accuracy: 0.7 });
    expect(monitor.quality(['w2', 'nobody']).accuracy).toBe(0.5);
    const [one, two, all] = [['w1'], ['w2'], undefined].map((ids) => monitor.estimate(ids)!);
    expect(one).toMatchObject({ windows: 60, labels: 40, past: { estimates: 4 } });
    expect(one.accuracy).toBeGreaterThan(two.accuracy + 0.15);
    expect(all.windows).toBe(120);
    expect(all.accuracy).toBeCloseTo((one.accuracy + two.accuracy) / 2, 12);
    expect(monitor.estimate(['nobody'])).toBeUndefined();
  });

  test('window() starts an estimate at what was promised, before any label', () => {
    const random = mulberry(2);
    const estimates = [0.5, 0.97].map((accuracy) => {
      const monitor = createMonitor();
      monitor.installed('w1', 3, { accuracy, windows: 200 });
      feed(monitor, 'w1', scores(random, 60, 10), 30, 0);
      return monitor.estimate(['w1'])!;
    });
    expect(estimates[0].accuracy).toBeCloseTo(0.5, 1);
    expect(estimates[1].accuracy).toBeGreaterThan(0.9);
    expect(estimates.map(({ labels, past }) => [labels, past])).toEqual([
      [0, null],
      [0, null],
    ]);
  });

  test('groups() reports alarms that come together once, together', () => {
    const monitor = createMonitor(monitorDefaults, 5000);
    const fail = (device: string, at: number) => {
      monitor.installed(device, 3, promised);
      for (let i = 0; i < 5; i++) monitor.label(device, judged(false, at));
    };
    fail('w1', 1000);
    fail('w2', 4000);
    fail('w3', 6500);
    expect(monitor.groups(5999)).toEqual([]);
    expect(monitor.groups(6600).map((g) => [g.devices, g.since])).toEqual([[['w1', 'w2'], 1000]]);
    expect(monitor.groups(6600)).toEqual([]);
    expect(monitor.groups(99_999).map((g) => g.devices)).toEqual([['w3']]);
  });

  test('state() carries everything over a restart', () => {
    const run = (restart: boolean) => {
      const random = mulberry(6);
      let monitor = createMonitor();
      monitor.installed('w1', 3, promised);
      feed(monitor, 'w1', scores(random, 100, 10), 90, 0);
      monitor.label('w1', judged(false, 5));
      if (restart) {
        const saved = JSON.parse(JSON.stringify(monitor.state()));
        monitor = createMonitor(monitorDefaults, 30_000, saved);
      }
      const found = feed(monitor, 'w1', scores(random, 40, 10), 100, 90_000);
      return [found, monitor.groups(1e9), monitor.accuracy().n];
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe('prequential()', () => {
  test('slides and fades', () => {
    const measure = prequential(2, 0.5);
    expect([measure.windowed, measure.fading]).toEqual([undefined, undefined]);
    for (const correct of [true, true, false]) measure.update(correct);
    expect([measure.windowed, measure.fading, measure.n]).toEqual([0.5, 0.75 / 1.75, 3]);
  });
});
