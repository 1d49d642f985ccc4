import { availableParallelism, loadavg, platform } from 'node:os';
import { sysFiles } from './files.ts';
import { type Power, readPower, readSupplies, type Supplies } from './power.ts';
import { readTemperatures, type Temperature } from './thermal.ts';

/** How a machine is, as far as it says; what it has no sensor for is empty or null. */
export interface Readings extends Supplies {
  temperatures: Temperature[];
  /** of the last minute, for each processor */
  load: number | null;
  power: Power[];
  /** files that are there and could not be used, with why */
  problems: string[];
}

/** @param nowMs any clock's time; power from a counter needs the time between two readings */
export type Sensors = (nowMs: number) => Readings;

/** Where sensors are read; tests have a tree of their own. */
export interface SensorOptions {
  /** default '/' */
  root?: string;
  load?: () => number | null;
  ignoreZones?: readonly string[];
}

/** Windows has no load average: Node gives zeros. */
const ownLoad = (): number | null =>
  platform() === 'win32' ? null : loadavg()[0]! / availableParallelism();

/**
 * The sensors of a machine: Linux's /sys and the load average. Nothing is written.
 *
 * @returns reads all of them; never throws
 */
export function createSensors(options: SensorOptions = {}): Sensors {
  const { root = '/', load = ownLoad, ignoreZones = [] } = options;
  const counters = new Map<string, { microjoules: number; atMs: number }>();
  return (nowMs) => {
    const sys = sysFiles(root);
    const temperatures = readTemperatures(sys, ignoreZones);
    const power = readPower(sys, counters, nowMs);
    const supplies = readSupplies(sys);
    return { temperatures, power, ...supplies, load: load(), problems: sys.problems };
  };
}
