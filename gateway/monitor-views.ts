import type { Alarms } from './alarms.ts';
import { answersOf } from './answers.ts';
import type { AlarmsView, EstimatedView, MeasuredView, QualityView } from './calls.ts';
import { alarmText } from './monitor/alarm.ts';
import type { Estimate, Monitor, Quality } from './monitor/monitor.ts';
import type { Task } from './task.ts';

/** What labels say, or null where there are none. */
export function measuredOf({ accuracy, low, high, labels }: Quality): MeasuredView | null {
  return accuracy === null || low === null || high === null
    ? null
    : { accuracy, low, high, labels };
}

/** What scores let expect, or null. It is never mixed with what labels say. */
export function estimatedOf(estimate: Estimate | undefined): EstimatedView | null {
  return estimate ?? null;
}

/** What is wrong, each cause once. */
export function viewOfAlarms(alarms: Pick<Alarms, 'open' | 'silences'>): AlarmsView {
  return {
    alarms: alarms
      .open()
      .map(({ subject, devices, alarm, since, lastAt, count, silencedUntil }) => {
        const { what, at, also, where, before, after, windows, evidence, release } = alarm;
        return {
          ...{ subject, devices, what, since, at, lastAt, count, also, where, before, after },
          ...{ windows, evidence, release, silencedUntil, message: alarmText(alarm) },
        };
      }),
    silences: alarms.silences(),
  };
}

/**
 * How well the devices of a scope do.
 *
 * @param devices of the scope
 * @param task whose classes, or parts of a target's range, are named
 */
export function viewOfQuality(
  monitor: Monitor,
  scope: string,
  devices: string[],
  task: Task,
): QualityView {
  const quality = monitor.quality(devices);
  const { groups } = answersOf(task);
  return {
    ...{ scope, devices, measured: measuredOf(quality) },
    estimated: estimatedOf(monitor.estimate(devices)),
    classes: quality.classes.map(({ cls, ...rest }) => ({ ...rest, cls: groups[cls] ?? `${cls}` })),
    ...{ calibrationError: quality.calibrationError, reliability: quality.reliability },
    witnesses: devices.map((device) => ({
      ...{ device, evidence: monitor.evidence(device), missing: monitor.missing(device) },
      sensor: monitor.isSick(device) ? 'sick' : 'well',
    })),
  };
}
