import {
  type Alarm,
  type DeviceMonitor,
  type DeviceState,
  deviceMonitor,
  type Evidence,
  type MonitorSettings,
  monitorDefaults,
  type Promised,
  type SeenLabel,
  type SeenWindow,
} from './monitor-device.ts';
import { type Prequential, type PrequentialState, prequential } from './prequential.ts';

export type {
  Alarm,
  Evidence,
  MonitorSettings,
  Promised,
  SeenLabel,
  SeenWindow,
} from './monitor-device.ts';
export { monitorDefaults } from './monitor-device.ts';

/** Alarms that came together: one cause, one report. */
export interface AlarmGroup {
  what: Alarm['what'];
  /** earliest beginning, ms since 1970 */
  since: number;
  devices: string[];
  alarms: Alarm[];
}

/** What the monitor remembers, as plain JSON. */
export interface MonitorState {
  devices: Record<string, DeviceState>;
  open: AlarmGroup[];
  fleet: PrequentialState;
}

/** Watches all devices of one task. */
export interface Monitor {
  /** A release is confirmed on a device: its episode is over and a new reference begins. */
  installed(device: string, release: number, promised: Promised | null): void;
  /** Takes one window. @returns an alarm, once an episode */
  window(device: string, seen: SeenWindow): Alarm | undefined;
  /** Takes the truth of one prediction. @returns an alarm, once an episode */
  label(device: string, seen: SeenLabel): Alarm | undefined;
  /** @returns groups of alarms that are complete by now, each once */
  groups(now: number): AlarmGroup[];
  /** The alarm of a device's episode, if it is in one. */
  alarmOf(device: string): Alarm | null;
  /**
   * What the watchers that need no label say of a device since its last confirmed release: a second
   * witness beside the labels.
   */
  evidence(device: string): Evidence;
  /** Prequential accuracy of one device, or of all together. */
  accuracy(device?: string): Pick<Prequential, 'windowed' | 'fading' | 'n'>;
  /** Forgets a device, after its data was erased. */
  forget(device: string): void;
  state(): MonitorState;
}

/**
 * Makes the monitor of one task.
 *
 * @param settings when to speak; a task's `monitor` settings
 * @param groupMs alarms within this time of the first are one report
 * @param state to go on from: a restart loses nothing
 */
export function createMonitor(
  settings: MonitorSettings = monitorDefaults,
  groupMs = 30_000,
  state?: MonitorState,
): Monitor {
  const devices = new Map<string, DeviceMonitor>();
  let open: AlarmGroup[] = structuredClone(state?.open ?? []);
  const fleet = prequential(200, 0.995, state?.fleet);
  for (const [id, saved] of Object.entries(state?.devices ?? {})) {
    devices.set(id, deviceMonitor(id, settings, saved));
  }

  function of(id: string): DeviceMonitor {
    let known = devices.get(id);
    if (known === undefined) {
      known = deviceMonitor(id, settings);
      devices.set(id, known);
    }
    return known;
  }

  function group(alarm: Alarm | undefined): Alarm | undefined {
    if (alarm === undefined) return undefined;
    const { what, since, at, device } = alarm;
    const same = open.find((g) => g.what === what && at < g.alarms[0].at + groupMs);
    if (same === undefined) open.push({ what, since, devices: [device], alarms: [alarm] });
    else {
      same.devices.push(device);
      same.alarms.push(alarm);
      same.since = Math.min(same.since, since);
    }
    return alarm;
  }

  return {
    installed: (device, release, promised) => of(device).installed(release, promised),
    window: (device, seen) => group(of(device).window(seen)),
    label(device, seen) {
      fleet.update(seen.said === seen.truth);
      return group(of(device).label(seen));
    },
    groups(now) {
      const complete = open.filter((g) => now >= g.alarms[0].at + groupMs);
      open = open.filter((g) => now < g.alarms[0].at + groupMs);
      return complete;
    },
    alarmOf: (device) => devices.get(device)?.alarm ?? null,
    evidence: (device) => devices.get(device)?.evidence ?? 'unknown',
    accuracy: (device) => (device === undefined ? fleet : of(device).accuracy),
    forget: (device) => void devices.delete(device),
    state: () => ({
      devices: Object.fromEntries([...devices].map(([id, monitor]) => [id, monitor.state()])),
      open: structuredClone(open),
      fleet: fleet.state(),
    }),
  };
}
