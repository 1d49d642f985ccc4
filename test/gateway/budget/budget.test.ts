import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../gateway/budget/budget.ts';
import type { BudgetLimits } from '../../../gateway/budget/limits.ts';
import { createSensors } from '../../../gateway/budget/sensors.ts';
import { fakeSys, supply, zone } from './fake-sys.ts';

/** A budget on a tree that changes. */
function budgetOn(files: Record<string, string | number>, limits: Partial<BudgetLimits> = {}) {
  const { root, write } = fakeSys(files);
  let load = 0;
  let now = 0;
  const budget = createBudget(limits, createSensors({ root, load: () => load }));
  const look = () => {
    const { waits, stops } = budget.look(now++);
    return { waits: waits.map(({ sentence }) => sentence), firm: waits.map((w) => w.firm), stops };
  };
  return {
    look,
    write,
    setLoad: (to: number) => {
      load = to;
    },
  };
}

describe('createBudget()', () => {
  it('lets everything start where there is no sensor', () => {
    const limits = { maxLoad: 0.5, minBatteryPercent: 50, onlyOnMains: true, maxWatts: 5 };
    expect(budgetOn({}, limits).look()).toEqual({ waits: [], firm: [], stops: [] });
  });

  it('waits for a hot machine, and does not flap', () => {
    const { look, write } = budgetOn(zone(0, 'cpu', 79_900));
    const waitsAt = (milli: number): string[] => {
      write(zone(0, 'cpu', milli));
      return look().waits;
    };
    expect(look().waits).toEqual([]);
    expect(waitsAt(84_000)).toEqual(['cpu 84 °C, starts below 75 °C']);
    expect(waitsAt(79_000)).toHaveLength(1);
    expect(waitsAt(75_000)).toHaveLength(1);
    expect(waitsAt(74_900)).toEqual([]);
    expect(waitsAt(79_900)).toEqual([]);
    expect(waitsAt(80_000)).toHaveLength(1);
  });

  it('heeds the point where the kernel throttles, and stops below where it switches off', () => {
    const trips = { passive: 70_000, critical: 85_000 };
    const { look, write } = budgetOn(zone(0, 'cpu', 69_900, trips));
    expect(look().waits).toEqual([]);
    write(zone(0, 'cpu', 79_900, trips));
    expect(look()).toEqual({
      ...{ waits: ['cpu 79.9 °C, starts below 65 °C'], firm: [false], stops: [] },
    });
    write(zone(0, 'cpu', 80_000, trips));
    expect(look()).toMatchObject({ firm: [true], stops: ['cpu 80 °C, at most 80 °C'] });
  });

  it('stops ten degrees above the limit where no trip point says otherwise', () => {
    const { look, write } = budgetOn(zone(0, 'cpu', 69_900), { maxCelsius: 60 });
    expect(look().stops).toEqual([]);
    write(zone(0, 'cpu', 70_000));
    expect(look().stops).toEqual(['cpu 70 °C, at most 70 °C']);
  });

  it('forgets a zone that vanished', () => {
    const { look, write } = budgetOn(zone(0, 'cpu', 95_000));
    expect(look().waits).toHaveLength(1);
    write({ 'sys/class/thermal/thermal_zone0': null });
    expect(look().waits).toEqual([]);
  });

  it('waits for load only where a limit is set, and never stops for it', () => {
    const free = budgetOn({});
    free.setLoad(9);
    expect(free.look().waits).toEqual([]);
    const { look, setLoad } = budgetOn({}, { maxLoad: 0.8 });
    setLoad(0.8);
    expect(look()).toEqual({
      ...{ waits: ['load 0.80 a processor, starts below 0.72'], firm: [false], stops: [] },
    });
    setLoad(0.73);
    expect(look().waits).toHaveLength(1);
    setLoad(0.71);
    expect(look().waits).toEqual([]);
    setLoad(0.73);
    expect(look().waits).toEqual([]);
  });

  it('waits for a battery that is used, not for one that is charged', () => {
    const battery = (capacity: number, status: string) =>
      supply('BAT0', { type: 'Battery', capacity, status });
    const { look, write } = budgetOn(battery(19, 'Discharging'));
    expect(look()).toEqual({
      ...{ waits: ['BAT0 19 % and used, starts from 25 %'], firm: [true], stops: [] },
    });
    write(battery(24, 'Discharging'));
    expect(look().waits).toHaveLength(1);
    write(battery(25, 'Discharging'));
    expect(look().waits).toEqual([]);
    write(battery(14, 'Discharging'));
    expect(look().stops).toEqual(['BAT0 14 % and used']);
    write(battery(3, 'Charging'));
    expect(look()).toMatchObject({ waits: [], stops: [] });
  });

  it('waits for mains where only they will do', () => {
    const mains = (online: number) => supply('AC', { type: 'Mains', online });
    const { look, write } = budgetOn(mains(0), { onlyOnMains: true });
    expect(look()).toEqual({
      ...{ waits: ['runs on a battery, starts on the mains'], firm: [true] },
      stops: ['runs on a battery'],
    });
    write(mains(1));
    expect(look().waits).toEqual([]);
  });

  it('compares the highest power, which is that of the rail that feeds the others', () => {
    const rails = (total: number) => ({
      'sys/class/hwmon/hwmon0/power1_input': 3e6,
      'sys/class/hwmon/hwmon0/power2_input': total * 1e6,
    });
    const { look, write } = budgetOn(rails(9.9), { maxWatts: 10 });
    expect(look().waits).toEqual([]);
    write(rails(12.5));
    expect(look().waits).toEqual(['hwmon0 2 12.5 W, starts below 9 W']);
    write(rails(9.5));
    expect(look().waits).toHaveLength(1);
    write(rails(8.9));
    expect(look().waits).toEqual([]);
  });
});
