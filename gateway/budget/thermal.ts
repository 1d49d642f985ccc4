import type { SysFiles } from './files.ts';

/** A thermal zone. */
export interface Temperature {
  /** its type: 'cpu-thermal', 'x86_pkg_temp' */
  name: string;
  celsius: number;
  /** where the kernel begins to slow the machine down; null where it does not say */
  throttleCelsius: number | null;
  /** where the kernel switches it off; null where it does not say */
  criticalCelsius: number | null;
}

/** Outside of this no electronics of ours runs: whatever is read there is no temperature. */
const PLAUSIBLE = { min: -50, max: 150 };
/** Firmware leaves trip points that it does not use at 0 or at room temperature. */
const LEAST_TRIP = 50;
/** The unit is m°C; a value so close to zero comes from a driver that gives whole degrees. */
const TOO_SMALL = 200;

/**
 * The thermal zones of a machine.
 *
 * @param sys its files
 * @param ignore types of zones that are left out
 * @source Linux, Documentation/driver-api/thermal/sysfs-api.rst and ABI/testing/sysfs-class-thermal:
 *   temp and trip_point_N_temp in millidegrees Celsius, mode 'disabled'
 */
export function readTemperatures(sys: SysFiles, ignore: readonly string[]): Temperature[] {
  const base = 'sys/class/thermal';
  const zones = sys.names(base).filter((name) => name.startsWith('thermal_zone'));
  return zones.flatMap((zone): Temperature[] => {
    const folder = `${base}/${zone}`;
    const name = sys.text(`${folder}/type`) || zone;
    if (ignore.includes(name) || sys.text(`${folder}/mode`) === 'disabled') return [];
    const raw = sys.integer(`${folder}/temp`);
    if (raw === undefined) return [];
    const celsius = raw / 1000;
    if (raw > 0 && raw <= TOO_SMALL) {
      sys.problems.push(`/${folder}/temp: ${raw} is in no millidegrees`);
      return [];
    }
    if (celsius < PLAUSIBLE.min || celsius > PLAUSIBLE.max) {
      sys.problems.push(`/${folder}/temp: ${celsius} °C is no temperature of a machine`);
      return [];
    }
    const trips = readTrips(sys, folder);
    const lowest = (...types: string[]): number | null => {
      const of = trips.filter(({ type }) => types.includes(type)).map((trip) => trip.celsius);
      return of.length === 0 ? null : Math.min(...of);
    };
    const [throttleCelsius, criticalCelsius] = [lowest('passive'), lowest('hot', 'critical')];
    return [{ name, celsius, throttleCelsius, criticalCelsius }];
  });
}

function readTrips(sys: SysFiles, folder: string): { type: string; celsius: number }[] {
  return sys.names(folder).flatMap((file) => {
    const [, n] = /^trip_point_(\d+)_type$/.exec(file) ?? [];
    if (n === undefined) return [];
    const type = sys.text(`${folder}/${file}`);
    const raw = sys.integer(`${folder}/trip_point_${n}_temp`);
    if (type === undefined || raw === undefined || raw / 1000 < LEAST_TRIP) return [];
    return [{ type, celsius: raw / 1000 }];
  });
}
