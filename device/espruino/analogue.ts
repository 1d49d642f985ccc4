import type { Device } from '../core/device.ts';

/** 0 to 1, of a pin or its name. */
declare const analogRead: (pin: string) => number;

/**
 * Feeds analogue inputs, a pin for each axis: no volts are -128 counts, the reference voltage 127.
 *
 * @param scale int8 counts for the whole range
 * @param rateHz at which Espruino's timer can follow: its interval has whole milliseconds' worth of
 *   jitter while a model runs
 * @param pins names, in the order of the task's axes
 * @source espruino.com/Reference, analogRead: 0 to 1
 */
export function connectSensor(
  device: Device,
  scale: number,
  rateHz: number,
  pins: readonly string[],
): void {
  const read = (pin: string): number => Math.round(analogRead(pin) * scale) - 128;
  setInterval(() => device.sample(pins.map(read)), 1000 / rateHz);
}
