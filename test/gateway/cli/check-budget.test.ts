import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BudgetLimits } from '../../../gateway/budget/limits.ts';
import { createSensors } from '../../../gateway/budget/sensors.ts';
import { checkBudget } from '../../../gateway/cli/check-budget.ts';
import type { Check } from '../../../gateway/cli/checks.ts';
import { fakeSys, supply, zone } from '../budget/fake-sys.ts';
import { whetstone } from './run.ts';

function check(files: Record<string, string | number>, given: Partial<BudgetLimits> = {}) {
  const { root } = fakeSys(files);
  const checks = checkBudget(given, createSensors({ root, load: () => 0.5 })(0));
  return checks.map(({ name, ok, found, means }) => [name.slice(7), ok, found, means]);
}

describe('checkBudget()', () => {
  it('says of each limit that no sensor is there, and that it limits nothing', () => {
    expect(check({})).toEqual([
      ['temperature', true, 'no thermal zone here: it limits nothing', ''],
      ['load', true, '0.50 a processor (no limit is set)', ''],
      ['battery', true, 'no battery here: it limits nothing', ''],
      ['power', true, 'no power sensor here: it limits nothing', ''],
    ]);
  });

  it('calls a limit without a sensor a lack, where somebody set it', () => {
    const checks = check({}, { maxCelsius: 70, minBatteryPercent: 30, maxWatts: 9, maxLoad: 1 });
    expect(checks.map(([name, ok, , means]) => [name, ok, means])).toEqual([
      ['temperature', false, 'maxCelsius in the configuration has no effect'],
      ['load', true, ''],
      ['battery', false, 'minBatteryPercent in the configuration has no effect'],
      ['power', false, 'maxWatts in the configuration has no effect'],
    ]);
  });

  it('shows what is read beside its limit, and what cannot be used', () => {
    const files = {
      ...zone(0, 'cpu', 54_200, { passive: 75_000 }),
      ...zone(1, 'odd', 'x'),
      ...supply('BAT0', { type: 'Battery', capacity: 81, status: 'Discharging' }),
      'sys/class/hwmon/hwmon0/power1_input': 6_500_000,
    };
    expect(check(files, { maxWatts: 9 }).map(([name, ok, found]) => [name, ok, found])).toEqual([
      ['temperature', true, 'cpu 54.2 °C (waits at 75 °C)'],
      ['load', true, '0.50 a processor (no limit is set)'],
      ['battery', true, 'BAT0 81 %, used (waits below 20 %), on a battery'],
      ['power', true, 'hwmon0 1 6.5 W (waits at 9 W)'],
      ['sensor', false, "/sys/class/thermal/thermal_zone1/temp: 'x' is no integer"],
    ]);
  });
});

describe('whetstone doctor --config', () => {
  it('compares the budget of a configuration with this machine', async () => {
    const { root } = fakeSys({});
    const path = join(root, 'whetstone.json');
    writeFileSync(path, JSON.stringify({ budget: { maxLoad: 3.25 } }));
    const { checks } = JSON.parse((await whetstone('doctor', '--json', '--config', path)).out);
    const load = (checks as Check[]).find(({ name }) => name === 'budget load');
    expect(load?.found).toContain('(waits at 3.25)');
    writeFileSync(path, JSON.stringify({ budget: { maxLoad: 'much' } }));
    const { out, status } = await whetstone('doctor', '--config', path);
    expect([status, out]).toEqual([1, expect.stringContaining('budget.maxLoad must be number')]);
  });
});
