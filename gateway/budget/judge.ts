import type { BudgetLimits } from './limits.ts';
import type { Readings } from './sensors.ts';

/** A limit that is crossed; see `Crossed` of the schedule. */
export interface CrossedLimit {
  limit: string;
  sentence: string;
  firm: boolean;
}

/** What the readings say about a training. */
export interface Judged {
  waits: CrossedLimit[];
  stops: string[];
}

/** How far below its limit a reading must be before what waited may start: no flapping. */
const MARGIN = { celsius: 5, share: 0.1, percent: 5 };
/** A running training heats by itself: only so far above the limit it has to stop. */
const HARD_CELSIUS = 10;
/** As far below the point where the kernel switches the machine off. */
const BELOW_CRITICAL = 5;

/** A number for people: at most one digit behind the point. */
const plain = (value: number): string => String(Math.round(value * 10) / 10);

/**
 * Compares readings with limits.
 *
 * A training that runs stops for a hard temperature, for a battery that goes on falling and, where
 * only mains will do, without them. Not for load and power: they are its own.
 *
 * @param limits see {@link BudgetLimits}
 * @param readings of now; what is not read limits nothing
 * @param waiting limits that were crossed at the last look: they hold until there is room again
 */
export function judge(
  limits: BudgetLimits,
  readings: Readings,
  waiting: ReadonlySet<string>,
): Judged {
  const waits: CrossedLimit[] = [];
  const stops: string[] = [];
  const { maxLoad, maxWatts, minBatteryPercent, onlyOnMains } = limits;

  for (const zone of readings.temperatures) {
    const { name, celsius, throttleCelsius, criticalCelsius } = zone;
    const start = Math.min(limits.maxCelsius, throttleCelsius ?? Infinity);
    const critical = (criticalCelsius ?? Infinity) - BELOW_CRITICAL;
    const hard = Math.max(start, Math.min(limits.maxCelsius + HARD_CELSIUS, critical));
    const limit = `temperature ${name}`;
    const below = start - MARGIN.celsius;
    const reading = `${name} ${plain(celsius)} °C`;
    if (celsius >= (waiting.has(limit) ? below : start)) {
      const sentence = `${reading}, starts below ${plain(below)} °C`;
      waits.push({ limit, sentence, firm: celsius >= hard });
    }
    if (celsius >= hard) stops.push(`${reading}, at most ${plain(hard)} °C`);
  }

  const { load } = readings;
  const lower = (max: number, limit: string) => max * (waiting.has(limit) ? 1 - MARGIN.share : 1);
  if (maxLoad !== null && load !== null && load >= lower(maxLoad, 'load')) {
    const below = maxLoad * (1 - MARGIN.share);
    const sentence = `load ${load.toFixed(2)} a processor, starts below ${below.toFixed(2)}`;
    waits.push({ limit: 'load', sentence, firm: false });
  }

  for (const { name, percent, isUsed } of readings.batteries) {
    if (!isUsed) continue;
    const limit = `battery ${name}`;
    const from = Math.min(100, minBatteryPercent + MARGIN.percent);
    if (percent < (waiting.has(limit) ? from : minBatteryPercent)) {
      const sentence = `${name} ${percent} % and used, starts from ${plain(from)} %`;
      waits.push({ limit, sentence, firm: true });
    }
    if (percent < minBatteryPercent - MARGIN.percent) stops.push(`${name} ${percent} % and used`);
  }
  if (onlyOnMains && readings.onMains === false) {
    const sentence = 'runs on a battery, starts on the mains';
    waits.push({ limit: 'mains', sentence, firm: true });
    stops.push('runs on a battery');
  }

  // a rail that feeds others reads more than any of them: the highest is the machine's
  const highest = readings.power.toSorted((a, b) => b.watts - a.watts)[0];
  if (maxWatts !== null && highest !== undefined && highest.watts >= lower(maxWatts, 'power')) {
    const below = plain(maxWatts * (1 - MARGIN.share));
    const sentence = `${highest.name} ${plain(highest.watts)} W, starts below ${below} W`;
    waits.push({ limit: 'power', sentence, firm: false });
  }
  return { waits, stops };
}
