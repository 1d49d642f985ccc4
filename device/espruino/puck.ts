import type { Device } from '../core/device.ts';
import type { Reading } from './globals.ts';

declare const Puck: {
  accelOn: (rateHz: number) => void;
  on: (event: 'accel', callback: (reading: { acc: Reading }) => void) => void;
};

/**
 * Feeds the accelerometer of a Puck.js v2, an LSM6DS3TR. Run on a double of its API, read in the
 * firmware's source.
 *
 * @param scale int8 counts for one of the chip's, of which 8,192 are one g
 * @param rateHz one that the chip has
 * @source espruino/Espruino: libs/puckjs/jswrap_puck.c, Puck.accelOn and Puck.accel
 */
export function connectSensor(device: Device, scale: number, rateHz: number): void {
  Puck.on('accel', (a) => {
    const acc = a.acc;
    device.sample([acc.x, acc.y, acc.z].map((v) => Math.round(v * scale)));
  });
  Puck.accelOn(rateHz);
}
