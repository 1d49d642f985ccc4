import type { Alarm } from './alarm.ts';
import { type AlarmGroup, alarmGroups } from './alarm-groups.ts';
import { type CalibratorState, calibrator, fromFleet } from './calibrator.ts';
import { type Estimate, together } from './estimator.ts';
import {
  type DeviceMonitor,
  type DeviceState,
  deviceMonitor,
  type Recovered,
} from './monitor-device.ts';
import { type Prequential, type PrequentialState, prequential } from './prequential.ts';
import { pooled, type Quality } from './quality.ts';
import {
  type Evidence,
  type MonitorSettings,
  monitorDefaults,
  type Promised,
  type SeenLabel,
  type SeenWindow,
  type Watched,
  watchedDefaults,
} from './settings.ts';

export type { Alarm, AlarmKind } from './alarm.ts';
export type { AlarmGroup } from './alarm-groups.ts';
export type { Estimate, PastEstimates } from './estimator.ts';
export type { DeviceState, Recovered } from './monitor-device.ts';
export type { ClassQuality, Quality, Reliability } from './quality.ts';
export type {
  Evidence,
  MonitorSettings,
  Promised,
  SeenLabel,
  SeenWindow,
  Watched,
} from './settings.ts';
export { monitorDefaults, watchedDefaults } from './settings.ts';

/** What the monitor remembers, as plain JSON. */
export interface MonitorState extends SharedState {
  devices: Record<string, DeviceState>;
}

/** What it remembers of all devices together. */
export interface SharedState {
  open: AlarmGroup[];
  fleet: PrequentialState;
  /** from a score to the probability of being right, as all devices' labels taught it */
  curve?: CalibratorState;
}

/** Watches all devices of one task. */
export interface Monitor {
  /** A release is confirmed on a device: its episode is over and a new reference begins. */
  installed(device: string, release: number, promised: Promised | null): void;
  /** Takes one window. @returns an alarm, once an episode */
  window(device: string, seen: SeenWindow): Alarm | undefined;
  /**
   * Takes a raw window that no {@link window} brought: the check set it aside, or it was asked for.
   *
   * @returns an alarm of its sensor; one that was raised for another reason turns into it
   */
  raw(device: string, seen: { window: ArrayLike<number>; at: number }): Alarm | undefined;
  /** Takes the truth of one prediction. @returns an alarm, once an episode */
  label(device: string, seen: SeenLabel): Alarm | undefined;
  /** Windows that a device had to forget before they were stored. */
  lost(device: string, windows: number): void;
  /** @returns groups of alarms that are complete by now, each once */
  groups(now: number): AlarmGroup[];
  /** @returns devices whose alarms came together with the newest one, itself included */
  companions(): number;
  /** @returns alarms that are over by themselves, each once */
  recovered(): Recovered[];
  /** The alarm of a device's episode, if it is in one. */
  alarmOf(device: string): Alarm | null;
  /** How near a device is to an alarm by its scores, 0 to 1, and 1 in an episode; null if unknown. */
  drift(device: string): number | null;
  /** Whether a device's sensor is sick: nothing is to be learned from it now. */
  isSick(device: string): boolean;
  /** Share of a device's windows that were lost of late. */
  missing(device: string): number;
  /**
   * What the watchers that need no label say of a device since its last confirmed release: a second
   * witness beside the labels.
   */
  evidence(device: string): Evidence;
  /** Prequential accuracy of one device, or of all together. */
  accuracy(device?: string): Pick<Prequential, 'windowed' | 'fading' | 'n'>;
  /** What the newest labels of some devices say; of all without a list. */
  quality(devices?: readonly string[]): Quality;
  /** Estimated accuracy of some devices without labels; undefined before there are windows enough. */
  estimate(devices?: readonly string[]): Estimate | undefined;
  /** Devices that it knows. */
  readonly devices: readonly string[];
  /** Forgets a device, after its data was erased. */
  forget(device: string): void;
  state(): MonitorState;
  /** The parts of {@link Monitor.state}: of all together, and of one device that it knows. */
  shared(): SharedState;
  stateOf(device: string): DeviceState;
}

/**
 * Makes the monitor of one task.
 *
 * @param settings when to speak; a task's `monitor` settings
 * @param groupMs alarms within this time of the first are one report
 * @param state to go on from: a restart loses nothing
 * @param watched what is known of the task
 */
export function createMonitor(
  settings: MonitorSettings = monitorDefaults,
  groupMs = 30_000,
  state?: MonitorState,
  watched: Watched = watchedDefaults,
): Monitor {
  const devices = new Map<string, DeviceMonitor>();
  const groups = alarmGroups(groupMs, state?.open);
  const fleet = prequential(200, 0.995, state?.fleet);
  const curve = calibrator(state?.curve);
  let companions = 0;
  const known = (id: string, saved?: DeviceState): DeviceMonitor =>
    deviceMonitor(id, settings, watched, fromFleet(curve.state()), saved);
  for (const [id, saved] of Object.entries(state?.devices ?? {})) {
    devices.set(id, known(id, saved));
  }

  function of(id: string): DeviceMonitor {
    const found = devices.get(id) ?? known(id);
    devices.set(id, found);
    return found;
  }

  function some(ids?: readonly string[]): DeviceMonitor[] {
    if (ids === undefined) return [...devices.values()];
    return ids.map((id) => devices.get(id)).filter((one) => one !== undefined);
  }

  const shared = (): SharedState => ({
    ...{ open: groups.state(), fleet: fleet.state(), curve: curve.state() },
  });

  function group(alarm: Alarm | undefined): Alarm | undefined {
    // what was told of already only has another reason now
    if (alarm !== undefined && alarm.raisedAs === null) companions = groups.add(alarm);
    return alarm;
  }

  return {
    installed: (device, release, promised) =>
      of(device).installed(release, promised, fromFleet(curve.state())),
    window: (device, seen) => group(of(device).window(seen)),
    raw: (device, seen) => group(of(device).raw(seen)),
    label(device, seen) {
      const right = watched.reads.isRight(seen.said, seen.truth);
      fleet.update(right);
      const mine = of(device);
      if (watched.isMargin && !mine.isSick) curve.update(seen.score, right);
      return group(mine.label(seen));
    },
    lost: (device, windows) => of(device).lost(windows),
    groups: groups.complete,
    companions: () => companions,
    recovered: () =>
      [...devices.values()].flatMap((device) => {
        const over = device.recovered();
        return over === undefined ? [] : [over];
      }),
    alarmOf: (device) => devices.get(device)?.alarm ?? null,
    drift: (device) => devices.get(device)?.drift ?? null,
    isSick: (device) => devices.get(device)?.isSick ?? false,
    missing: (device) => devices.get(device)?.missing ?? 0,
    evidence: (device) => devices.get(device)?.evidence ?? 'unknown',
    accuracy: (device) => (device === undefined ? fleet : of(device).accuracy),
    quality: (ids) => pooled(some(ids).map(({ quality }) => quality)),
    estimate: (ids) =>
      together(
        some(ids).flatMap((device) => {
          const estimate = device.estimate();
          return estimate === undefined ? [] : [estimate];
        }),
      ),
    get devices() {
      return [...devices.keys()];
    },
    forget: (device) => void devices.delete(device),
    state: () => ({
      devices: Object.fromEntries([...devices].map(([id, monitor]) => [id, monitor.state()])),
      ...shared(),
    }),
    shared,
    stateOf: (device) => of(device).state(),
  };
}
