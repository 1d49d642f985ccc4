import { type BudgetLimits, budgetDefaults } from './limits.ts';
import type { Readings } from './sensors.ts';

/** One limit of the budget on this machine, for people. */
export interface LimitLine {
  name: 'temperature' | 'load' | 'battery' | 'power';
  /** 'cpu-thermal 54 °C; training waits at 80 °C' */
  found: string;
  /** a limit that somebody set, and that has no effect since no sensor is there: which */
  without: string | null;
}

const plain = (value: number): string => String(Math.round(value * 10) / 10);

/**
 * What each limit of a budget means on this machine.
 *
 * @param given limits of the configuration; what is left out is the default
 * @param readings of now
 */
export function describeBudget(given: Partial<BudgetLimits>, readings: Readings): LimitLine[] {
  const limits = { ...budgetDefaults, ...given };
  const { temperatures, load, batteries, onMains, power } = readings;
  const set = (...names: (keyof BudgetLimits)[]): string | null => {
    const chosen = names.filter((name) => given[name] !== undefined && given[name] !== null);
    return chosen.length === 0 ? null : chosen.join(', ');
  };
  const zones = temperatures.map(({ name, celsius, throttleCelsius }) => {
    const at = Math.min(limits.maxCelsius, throttleCelsius ?? Infinity);
    return `${name} ${plain(celsius)} °C (waits at ${plain(at)} °C)`;
  });
  const packs = batteries.map(({ name, percent, isUsed }) => {
    const how = isUsed ? 'used' : 'not used';
    return `${name} ${percent} %, ${how} (waits below ${plain(limits.minBatteryPercent)} %)`;
  });
  const mains = { true: 'on mains', false: 'on a battery', null: 'nothing says if on mains' };
  const supply = `${mains[`${onMains}`]}${limits.onlyOnMains ? ' (trains only there)' : ''}`;
  const rails = power.map(({ name, watts }) => `${name} ${plain(watts)} W`);
  const none = (what: string): string => `no ${what} here: it limits nothing`;
  const noSupply = batteries.length === 0 && onMains === null;
  return [
    {
      name: 'temperature',
      found: zones.join(', ') || none('thermal zone'),
      without: zones.length > 0 ? null : set('maxCelsius'),
    },
    {
      name: 'load',
      found:
        load === null
          ? none('load average')
          : `${load.toFixed(2)} a processor (${limits.maxLoad === null ? 'no limit is set' : `waits at ${limits.maxLoad.toFixed(2)}`})`,
      without: load !== null ? null : set('maxLoad'),
    },
    {
      name: 'battery',
      found: noSupply ? none('battery') : [...packs, supply].join(', '),
      without: noSupply ? set('minBatteryPercent', 'onlyOnMains') : null,
    },
    {
      name: 'power',
      found:
        rails.length === 0
          ? none('power sensor')
          : `${rails.join(', ')} (${limits.maxWatts === null ? 'no limit is set' : `waits at ${plain(limits.maxWatts)} W`})`,
      without: rails.length > 0 ? null : set('maxWatts'),
    },
  ];
}
