import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSensors } from '../../../gateway/budget/sensors.ts';
import { fakeSys, supply, zone } from './fake-sys.ts';

/** What is read of a tree with these files. */
function readingsOf(files: Record<string, string | number>) {
  const { root } = fakeSys(files);
  return createSensors({ root, load: () => 0.25, ignoreZones: [] })(0);
}

describe('createSensors()', () => {
  it('finds nothing in a machine without sensors, and complains of nothing', () => {
    expect(readingsOf({})).toEqual({
      ...{ temperatures: [], load: 0.25, batteries: [], onMains: null, power: [], problems: [] },
    });
  });

  it('reads this machine without throwing', () => {
    const { load, temperatures } = createSensors()(Date.now());
    expect(load === null || load >= 0).toBe(true);
    for (const { celsius } of temperatures) expect(Math.abs(celsius)).toBeLessThanOrEqual(150);
  });
});

describe('a thermal zone', () => {
  it('is read in millidegrees, with the lowest trip points that mean something', () => {
    const { temperatures, problems } = readingsOf({
      ...zone(0, 'cpu-thermal', 84_250, { passive: 85_000, critical: 105_000, active: 55_000 }),
      ...zone(1, 'frost', -12_500, { passive: 0, hot: 20_000 }),
      ...zone(10, 'gpu-thermal', 0, { hot: 90_000, critical: 99_000 }),
    });
    expect(temperatures).toEqual([
      { name: 'cpu-thermal', celsius: 84.25, throttleCelsius: 85, criticalCelsius: 105 },
      { name: 'frost', celsius: -12.5, throttleCelsius: null, criticalCelsius: null },
      { name: 'gpu-thermal', celsius: 0, throttleCelsius: null, criticalCelsius: 90 },
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['', "'' is no integer"],
    ['hot', "'hot' is no integer"],
    ['84.5', "'84.5' is no integer"],
    [84, '84 is in no millidegrees'],
    [999_000, '999 °C is no temperature of a machine'],
    [-274_000, '-274 °C is no temperature of a machine'],
  ])('that reads %o is not used, and said', (temp, why) => {
    const { temperatures, problems } = readingsOf({
      ...zone(0, 'broken', temp),
      ...zone(1, 'cpu', 41_000),
    });
    expect(temperatures.map(({ name }) => name)).toEqual(['cpu']);
    expect(problems).toEqual([`/sys/class/thermal/thermal_zone0/temp: ${why}`]);
  });

  it('that cannot be read is said', () => {
    const { root } = fakeSys(zone(1, 'cpu', 41_000));
    mkdirSync(join(root, 'sys/class/thermal/thermal_zone0/temp'), { recursive: true });
    const { temperatures, problems } = createSensors({ root })(0);
    expect(temperatures).toHaveLength(1);
    expect(problems).toEqual(['/sys/class/thermal/thermal_zone0/temp: EISDIR']);
  });

  it('that is disabled, ignored or gone is left out', () => {
    const { root, write } = fakeSys({
      ...zone(0, 'off', 99_000),
      'sys/class/thermal/thermal_zone0/mode': 'disabled',
      ...zone(1, 'PMIC-Die', 100_000),
      ...zone(2, 'usb', 40_000),
      ...zone(3, 'cpu', 41_000),
      'sys/class/thermal/cooling_device0/type': 'fan',
    });
    const read = createSensors({ root, ignoreZones: ['PMIC-Die'] });
    expect(read(0).temperatures.map(({ name }) => name)).toEqual(['usb', 'cpu']);
    write({ 'sys/class/thermal/thermal_zone2': null });
    expect(read(1).temperatures.map(({ name }) => name)).toEqual(['cpu']);
    write({ 'sys/class/thermal/thermal_zone3/temp': null });
    expect(read(2)).toMatchObject({ temperatures: [], problems: [] });
  });
});

describe('a power supply', () => {
  const battery = (fields: Record<string, string | number>) =>
    supply('BAT0', { type: 'Battery', ...fields });

  it.each([
    [{ capacity: 55, status: 'Discharging' }, undefined, true, false],
    [{ capacity: 55, status: 'Charging' }, undefined, false, true],
    [{ capacity: 55, status: 'Unknown' }, undefined, true, null],
    [{ capacity: 55, status: 'Unknown' }, 1, false, true],
    [{ capacity: 55, status: 'Unknown' }, 0, true, false],
    [{ capacity: 55 }, 0, true, false],
    [{ capacity: 0, status: 'Discharging' }, 1, true, true],
  ])('%o with mains %o is used: %o, on mains: %o', (fields, online, isUsed, onMains) => {
    const readings = readingsOf({
      ...battery(fields),
      ...(online !== undefined && supply('AC', { type: 'Mains', online })),
    });
    expect(readings.batteries).toEqual([{ name: 'BAT0', percent: fields.capacity, isUsed }]);
    expect(readings.onMains).toBe(onMains);
  });

  it('that is no battery of this machine does not count', () => {
    const mouse = { type: 'Battery', scope: 'Device', capacity: 3, status: 'Discharging' };
    expect(readingsOf(supply('hid-mouse', mouse))).toMatchObject({ batteries: [], onMains: null });
  });

  it.each([
    ['lots', "'lots' is no integer"],
    [131, '131 is no percentage'],
  ])('with a capacity of %o is not used, and said', (capacity, why) => {
    const { batteries, problems } = readingsOf(battery({ capacity, status: 'Discharging' }));
    expect(batteries).toEqual([]);
    expect(problems).toEqual([`/sys/class/power_supply/BAT0/capacity: ${why}`]);
  });

  it('is fed where any of several supplies is online', () => {
    const supplies = {
      ...supply('AC', { type: 'Mains', online: 0 }),
      ...supply('usb', { type: 'USB', online: 1 }),
    };
    expect(readingsOf(supplies).onMains).toBe(true);
  });
});

describe('power', () => {
  it('is read from monitors of rails: as watts, or as volts and amperes', () => {
    const chip = (n: number, file: string) => `sys/class/hwmon/hwmon${n}/${file}`;
    const { power, problems } = readingsOf({
      [chip(0, 'name')]: 'ina3221',
      [chip(0, 'in1_label')]: 'VDD_IN',
      [chip(0, 'in1_input')]: 5000,
      [chip(0, 'curr1_input')]: 1640,
      [chip(0, 'in2_input')]: 5000,
      [chip(0, 'curr2_input')]: 320,
      [chip(0, 'curr4_input')]: 9999,
      [chip(1, 'name')]: 'amdgpu',
      [chip(1, 'power1_label')]: 'PPT',
      [chip(1, 'power1_input')]: 14_500_000,
      [chip(1, 'power2_input')]: 'x',
    });
    expect(power).toEqual([
      { name: 'VDD_IN', watts: 8.2 },
      { name: 'ina3221 2', watts: 1.6 },
      { name: 'PPT', watts: 14.5 },
    ]);
    expect(problems).toEqual(["/sys/class/hwmon/hwmon1/power2_input: 'x' is no integer"]);
  });

  it('is read from an older Jetson, and from a battery that is emptied', () => {
    const rail = 'sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0';
    const battery = { type: 'Battery', status: 'Discharging' };
    const { power } = readingsOf({
      [`${rail}/rail_name_0`]: 'POM_5V_IN',
      [`${rail}/in_power0_input`]: 3125,
      ...supply('BAT0', { ...battery, power_now: 9_750_000 }),
      ...supply('BAT1', { ...battery, current_now: -500_000, voltage_now: 12_000_000 }),
      ...supply('BAT2', { type: 'Battery', status: 'Charging', power_now: 40_000_000 }),
    });
    expect(power).toEqual([
      { name: 'POM_5V_IN', watts: 3.125 },
      { name: 'BAT0', watts: 9.75 },
      { name: 'BAT1', watts: 6 },
    ]);
  });

  it('comes from a counter of energy at the second reading, also where it wraps', () => {
    const folder = 'sys/class/powercap/intel-rapl:0';
    const { root, write } = fakeSys({
      [`${folder}/name`]: 'package-0',
      [`${folder}/energy_uj`]: 1_000_000,
      [`${folder}/max_energy_range_uj`]: 50_000_000,
      'sys/class/powercap/intel-rapl:0:0/energy_uj': 1,
    });
    const read = createSensors({ root });
    expect(read(1000).power).toEqual([]);
    write({ [`${folder}/energy_uj`]: 31_000_000 });
    expect(read(3000).power).toEqual([{ name: 'package-0', watts: 15 }]);
    write({ [`${folder}/energy_uj`]: 1_000_000 });
    expect(read(5000).power).toEqual([{ name: 'package-0', watts: 10 }]);
  });
});
