import { describe, expect, test } from 'vitest';
import { axisFaults, type SensorWatch, sensorWatch } from '../../../gateway/monitor/sensor.ts';
import { mulberry } from './streams.ts';

const sensor = { axes: ['x', 'y', 'z'], min: -100, max: 100 };
const falseAlarm = 1e-5;
type Fault = 'none' | 'dead' | 'stuck' | 'saturated';

/** 20 samples of three axes, of which y may be at fault. */
function raw(random: () => number, fault: Fault = 'none'): Int8Array {
  return Int8Array.from({ length: 60 }, (_, i) => {
    const value = Math.round(60 * random() - 30);
    if (i % 3 !== 1 || fault === 'none') return value;
    if (fault === 'dead') return 0;
    return fault === 'stuck' ? 17 : Math.max(-100, Math.min(100, 8 * value));
  });
}

function feed(watch: SensorWatch, n: number, from: number, fault: Fault, random: () => number) {
  for (let i = 0; i < n; i++) {
    const found = watch.raw({ window: raw(random, fault), at: from + i });
    if (found !== undefined) return { found, after: i + 1 };
  }
  return undefined;
}

describe('axisFaults()', () => {
  test('names the axis and what is wrong with it', () => {
    const random = mulberry(2);
    expect(axisFaults(raw(random), sensor)).toEqual([]);
    expect(axisFaults(raw(random, 'dead'), sensor)).toEqual([
      { axis: 'y', fault: 'dead', atEnds: 0 },
    ]);
    expect(axisFaults(raw(random, 'stuck'), sensor)).toEqual([
      { axis: 'y', fault: 'stuck', atEnds: 0 },
    ]);
    const [saturated] = axisFaults(raw(random, 'saturated'), sensor);
    expect(saturated).toMatchObject({ axis: 'y', fault: 'saturated' });
    expect(saturated.atEnds).toBeGreaterThan(0.25);
  });

  test('takes bytes for int8, and says nothing of a few samples', () => {
    const bytes = Uint8Array.from(raw(mulberry(3), 'saturated'));
    expect(axisFaults(bytes, sensor).map(({ fault }) => fault)).toEqual(['saturated']);
    expect(axisFaults(new Int8Array(21), sensor)).toEqual([]);
    expect(axisFaults(new Int8Array(24), sensor).length).toBe(3);
  });
});

describe('sensorWatch()', () => {
  test.each(['dead', 'stuck', 'saturated'] as const)(
    'raw() alarms within 5 windows of a %s axis',
    (fault) => {
      const random = mulberry(4);
      const watch = sensorWatch(sensor, falseAlarm);
      expect(feed(watch, 30, 0, 'none', random)).toBeUndefined();
      const { found, after } = feed(watch, 20, 100, fault, random)!;
      expect(after).toBeLessThanOrEqual(5);
      expect(found).toMatchObject({ axes: ['y'], since: 100 });
      expect(found.reason).toMatch(
        fault === 'saturated' ? /^y at an end of its range in \d+ % of/ : `y is ${fault}`,
      );
      expect(found.evidence).toBeLessThan(falseAlarm);
      expect(watch.isSick).toBe(true);
      expect(feed(watch, 50, 200, fault, random)).toBeUndefined();
    },
  );

  test('raw() is quiet while one window in ten is sick, and learns that this is normal', () => {
    let alarms = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = mulberry(seed);
      const watch = sensorWatch(sensor, falseAlarm);
      for (let i = 0; i < 500; i++) {
        const fault = i % 10 === 7 ? 'saturated' : 'none';
        alarms += Number(watch.raw({ window: raw(random, fault), at: i }) !== undefined);
      }
    }
    expect(alarms).toBe(0);
  });

  test('raw() finds it well again after three good windows in a row, but not by older ones', () => {
    const random = mulberry(6);
    const watch = sensorWatch(sensor, falseAlarm);
    feed(watch, 10, 0, 'none', random);
    feed(watch, 10, 100, 'dead', random);
    feed(watch, 9, 50, 'none', random); // asked for later
    expect(watch.isSick).toBe(true);
    feed(watch, 2, 200, 'none', random);
    feed(watch, 1, 202, 'dead', random);
    feed(watch, 2, 203, 'none', random);
    expect(watch.isSick).toBe(true);
    feed(watch, 1, 205, 'none', random);
    expect(watch.isSick).toBe(false);
    expect(feed(watch, 20, 300, 'dead', random)).toBeDefined();
  });

  test('window() finds windows that are exactly alike, where they never were', () => {
    const random = mulberry(7);
    const watch = sensorWatch(sensor, falseAlarm);
    const embedding = () => Int8Array.from({ length: 6 }, () => Math.round(40 * random()));
    const said = () => `3 ${Math.floor(6 * random())} ${Math.floor(99 * random())}`;
    for (let i = 0; i < 100; i++) {
      expect(watch.window({ key: said(), embedding: embedding(), at: i })).toBeUndefined();
    }
    const frozen = { key: '3 2 40', embedding: embedding() };
    const found = Array.from({ length: 9 }, (_, i) => watch.window({ ...frozen, at: 100 + i }));
    expect(found.findIndex((one) => one !== undefined)).toBe(4);
    expect(found[4]).toMatchObject({ since: 100, axes: ['x', 'y', 'z'], windows: 5 });
    expect(watch.isSick).toBe(true);
    for (let i = 0; i < 3; i++) watch.window({ key: said(), embedding: embedding(), at: 200 + i });
    expect(watch.isSick).toBe(false);
  });

  test('window() is quiet where a sensor often rests, and where only the answer repeats', () => {
    const random = mulberry(8);
    const [resting, sure] = [sensorWatch(sensor, falseAlarm), sensorWatch(sensor, falseAlarm)];
    let state = 0;
    let alarms = 0;
    for (let i = 0; i < 3000; i++) {
      // rests of some ten windows
      if (random() > 0.9) state++;
      const at = { key: 'a', embedding: Int8Array.of(state % 120, 1), at: i };
      alarms += Number(resting.window(at) !== undefined);
      const other = Int8Array.of(Math.floor(100 * random()), Math.floor(100 * random()));
      const embedding = i % 4 === 0 ? other : null;
      alarms += Number(sure.window({ key: '3 0 255', embedding, at: i }) !== undefined);
    }
    expect(alarms).toBe(0);
  });

  test('missing is the share of windows lost of late', () => {
    const watch = sensorWatch(sensor, falseAlarm);
    for (let i = 0; i < 500; i++) {
      watch.window({ key: `${i}`, embedding: null, at: i });
      if (i % 4 === 3) watch.lost(1);
    }
    expect(watch.missing).toBeCloseTo(0.2, 2);
  });

  test('state() carries everything over a restart', () => {
    const run = (restart: boolean) => {
      const random = mulberry(9);
      let watch = sensorWatch(sensor, falseAlarm);
      const told: unknown[] = [];
      for (let i = 0; i < 120; i++) {
        if (restart && i % 7 === 3) {
          watch = sensorWatch(sensor, falseAlarm, JSON.parse(JSON.stringify(watch.state())));
        }
        const fault = i > 40 && i < 70 ? 'stuck' : 'none';
        const embedding = i > 90 ? Int8Array.of(1, 2) : Int8Array.of(i, 2);
        told.push(watch.raw({ window: raw(random, fault), at: i }));
        told.push(watch.window({ key: 'a', embedding, at: i }), watch.isSick);
      }
      return told;
    };
    expect(run(false).filter((one) => typeof one === 'object').length).toBe(2);
    expect(run(true)).toEqual(run(false));
  });
});
