import type { Alarm, AlarmKind } from './alarm.ts';

/** Alarms that came together: one cause, one report. */
export interface AlarmGroup {
  what: AlarmKind;
  /** earliest beginning, ms since 1970 */
  since: number;
  devices: string[];
  alarms: Alarm[];
}

/** Who watches whom: what a group is compared with. */
export interface Fleet {
  /** devices that the monitor knows */
  devices: readonly string[];
  cohortOf(device: string): string | null;
}

/** Alarms as they come together. */
export interface AlarmGroups {
  /** @returns devices of the group that the alarm is part of, this one included */
  add(alarm: Alarm): number;
  /** @returns groups that are complete by now, each once */
  complete(now: number): AlarmGroup[];
  state(): AlarmGroup[];
}

/** Least devices that can be a fleet or cohort, and the share of it beyond which it is all of it. */
const least = 2;
const most = 0.5;

/**
 * Groups alarms that come within a time of the first. Sick sensors are no drift, so they are groups of
 * their own.
 *
 * @param groupMs how long a group is open
 * @param state to go on from
 */
export function alarmGroups(groupMs: number, state: readonly AlarmGroup[] = []): AlarmGroups {
  let open: AlarmGroup[] = structuredClone([...state]);
  const isSensor = (what: AlarmKind) => what === 'sensor';
  return {
    add(alarm) {
      const { what, since, at, device } = alarm;
      const same = open.find(
        (g) => isSensor(g.what) === isSensor(what) && at < g.alarms[0].at + groupMs,
      );
      if (same === undefined) {
        open.push({ what, since, devices: [device], alarms: [alarm] });
        return 1;
      }
      if (!same.devices.includes(device)) same.devices.push(device);
      same.alarms.push(alarm);
      same.since = Math.min(same.since, since);
      return same.devices.length;
    },
    complete(now) {
      const done = open.filter((g) => now >= g.alarms[0].at + groupMs);
      open = open.filter((g) => now < g.alarms[0].at + groupMs);
      return done;
    },
    state: () => structuredClone(open),
  };
}

/**
 * Where a group of alarms is: more than half of the fleet is the fleet, all in one cohort and more than
 * half of it is the cohort, else it is these devices.
 *
 * @returns 'fleet', 'cohort:NAME', or the first device
 * @example scopeOf(['a', 'b'], { devices: ['a', 'b', 'c', 'd'], cohortOf: (id) => (id < 'c' ? 'left' : null) }) // 'cohort:left'
 */
export function scopeOf(devices: readonly string[], fleet: Fleet): string {
  if (devices.length < least) return devices[0];
  if (devices.length > most * fleet.devices.length) return 'fleet';
  const cohort = fleet.cohortOf(devices[0]);
  if (cohort === null || devices.some((id) => fleet.cohortOf(id) !== cohort)) return devices[0];
  const all = fleet.devices.filter((id) => fleet.cohortOf(id) === cohort).length;
  return devices.length > most * all ? `cohort:${cohort}` : devices[0];
}
