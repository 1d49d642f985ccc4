import type { Device } from '../core/device.ts';
import type { Reading } from './globals.ts';

declare const Bangle: {
  on: (event: 'accel', callback: (reading: Reading) => void) => void;
  setPollInterval: (ms: number) => void;
};

/**
 * Feeds the accelerometer of a Bangle.js. Run on a double of its API, read in the firmware's source.
 *
 * The interval is set even where it is the firmware's own, since that ends power saving, which takes
 * a sample in 800 ms once a watch has lain still for a minute.
 *
 * @param scale int8 counts for one g
 * @param rateHz 12.5: the chip is set to that, and a faster poll would read samples twice
 * @source espruino/Espruino: libs/banglejs/jswrap_bangle.c, Bangle.setPollInterval and event 'accel'
 */
export function connectSensor(device: Device, scale: number, rateHz: number): void {
  Bangle.on('accel', (a) => {
    device.sample([a.x, a.y, a.z].map((v) => Math.round(v * scale)));
  });
  Bangle.setPollInterval(1000 / rateHz);
}
