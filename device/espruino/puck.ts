import type { Device } from '../core/device.ts';
import type { Reading } from './globals.ts';

declare const Puck: {
  accelOn: (rateHz: number) => void;
  on: (event: 'accel', callback: (reading: { acc: Reading }) => void) => void;
};

/** Counts for one g at the driver's range of ±4 g. */
const PUCK_COUNTS_PER_G = 8192;

/**
 * Feeds the accelerometer of a Puck.js v2. Read from documentation, not run.
 *
 * @param countsPerG int8 counts for one g
 * @param rateHz one of 1.6, 12.5, 26, 52, 104, 208
 * @source espruino.com/Puck.js and Reference, Puck.accelOn: 8192 counts are one g
 */
export function connectSensor(device: Device, countsPerG: number, rateHz: number): void {
  Puck.on('accel', (a) => {
    const k = countsPerG / PUCK_COUNTS_PER_G;
    const acc = a.acc;
    device.sample([acc.x, acc.y, acc.z].map((v) => Math.round(v * k)));
  });
  Puck.accelOn(rateHz);
}
