import type { Device } from '../core/device.ts';
import type { Reading } from './globals.ts';

declare const Bangle: { on: (event: 'accel', callback: (reading: Reading) => void) => void };

/**
 * Feeds the accelerometer of a Bangle.js. Read from documentation, not run.
 *
 * @param countsPerG int8 counts for one g
 * @source espruino.com/Reference, Bangle 'accel': x, y and z in g, at 12.5 Hz unless changed
 */
export function connectSensor(device: Device, countsPerG: number): void {
  Bangle.on('accel', (a) => {
    device.sample([a.x, a.y, a.z].map((v) => Math.round(v * countsPerG)));
  });
}
