/** What of a task says what is measured. */
export interface SensorTask {
  sensor: { name: string; axes: readonly string[]; rateHz: number; countsPerG?: number };
}

/** How one of a board's sensors is read. */
interface Driver {
  /** the task's sensor that it stands for */
  reads: string;
  /** its module, beside build.ts */
  path: string;
  /** rates in Hz that it has; a task's may be this much off: see NEAR */
  rates: readonly number[] | 'any';
  /** int8 counts for one unit of the driver */
  scale: (sensor: SensorTask['sensor']) => number | undefined;
  /** reads pins that are named at the start, one for each axis */
  pins?: true;
}

/** Counts of the chip's for one g, at its range of ±4 g. */
const PUCK_COUNTS_PER_G = 8192;
/** Counts from the lowest int8 to the highest. */
const RANGE = 255;
/** Windows of a rate that is off by more are not those that the model has learned. */
const NEAR = 0.1;

const drivers: Record<string, Driver> = {
  'bangle-accelerometer': {
    reads: 'accelerometer',
    path: './espruino/bangle.ts',
    rates: [12.5],
    scale: ({ countsPerG }) => countsPerG,
  },
  'puck-accelerometer': {
    reads: 'accelerometer',
    path: './espruino/puck.ts',
    rates: [1.6, 12.5, 26, 52, 104, 208],
    scale: ({ countsPerG }) => countsPerG && countsPerG / PUCK_COUNTS_PER_G,
  },
  'analogue-input': {
    reads: 'analogue',
    path: './espruino/analogue.ts',
    rates: 'any',
    scale: () => RANGE,
    pins: true,
  },
};

/** What of a board feeds a task, or why nothing does and the application has to. */
export type SensorOf =
  | { name: string; path: string; scale: number; rateHz: number; pins: boolean }
  | { lacks: string };

/**
 * Chooses the driver that reads a task's sensor on a board.
 *
 * @returns the driver with the rate that it will have, or what is lacking, in a few words
 */
export function sensorOf(board: { sensors: readonly string[] }, { sensor }: SensorTask): SensorOf {
  const found = board.sensors.find((name) => drivers[name]?.reads === sensor.name);
  if (found === undefined) {
    return { lacks: `no driver for '${sensor.name}' on this board` };
  }
  const { path, rates, scale, pins = false } = drivers[found] as Driver;
  const of = (rate: number): number => Math.abs(rate / sensor.rateHz - 1);
  const rateHz = rates === 'any' ? sensor.rateHz : rates.reduce((a, b) => (of(b) < of(a) ? b : a));
  if (of(rateHz) > NEAR) {
    return { lacks: `${found} has no rate near ${sensor.rateHz} Hz, the nearest is ${rateHz}` };
  }
  const counts = scale(sensor);
  if (counts === undefined) return { lacks: "the task's sensor has no countsPerG" };
  return { name: found, path, scale: counts, rateHz, pins };
}
