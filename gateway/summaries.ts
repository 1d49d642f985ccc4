import type {
  DeviceSummary,
  DeviceView,
  EstimatedView,
  MeasuredView,
  RolloutSummary,
  RolloutView,
} from './calls.ts';

/** Accuracies that a device's line beside its name has, and devices up to which lines are drawn. */
const LATELY = 30;
const WITH_LINES = 100;
/** Devices of a rollout that its summary lists; the others are counted. */
export const LISTED = 12;
/** Rollouts that a status tells of beside those that go on: the newest. */
export const NEWEST = 10;

/** Where nothing more will become of a device, for good or for bad; the bad first. */
const DONE = ['confirmed', 'spared'];
const BAD = ['refused', 'failed', 'reverting', 'returning', 'back'];

const digits = (value: number): number => Math.round(value * 1e4) / 1e4;
const rounded = <T extends MeasuredView | EstimatedView>(one: T | null): T | null =>
  one && {
    ...one,
    ...{ accuracy: digits(one.accuracy), low: digits(one.low), high: digits(one.high) },
  };

/**
 * A device as the status tells of it: `device()` has the rest.
 *
 * @param fleet devices in all: of very many no line is drawn
 */
export function deviceSummary(device: DeviceView, fleet: number): DeviceSummary {
  const { history, wear: _, link, measured, estimated, score, accuracy, ...rest } = device;
  const every = Math.max(1, Math.ceil(history.length / LATELY));
  const lately = history.filter((_, i) => (history.length - 1 - i) % every === 0);
  const share = (value: number | null): number | null => value && digits(value);
  const estimate = rounded(estimated);
  return {
    ...{ ...rest, accuracy: share(accuracy), score: share(score), measured: rounded(measured) },
    estimated: estimate && {
      accuracy: estimate.accuracy,
      low: estimate.low,
      high: estimate.high,
      windows: estimate.windows,
    },
    link: { suite: link.suite, weak: link.weak },
    lately: fleet > WITH_LINES ? [] : lately.map((point) => share(point.accuracy)),
  };
}

/** A rollout as the status tells of it: `rollout()` has every device. */
export function rolloutSummary(rollout: RolloutView): RolloutSummary {
  const { devices } = rollout;
  const rank = ({ state }: { state: string }): number =>
    BAD.includes(state) ? 0 : DONE.includes(state) ? 2 : 1;
  return {
    ...rollout,
    devices: devices.toSorted((a, b) => rank(a) - rank(b)).slice(0, LISTED),
    total: {
      devices: devices.length,
      done: devices.filter(({ state }) => DONE.includes(state)).length,
      wireBytes: devices.reduce((sum, { wireBytes }) => sum + wireBytes, 0),
    },
  };
}
