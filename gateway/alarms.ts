import { GatewayError } from './errors.ts';
import type { Clock } from './link/port.ts';
import { type Alarm, type AlarmKind, alarmText } from './monitor/alarm.ts';
import { type AlarmGroup, alarmGroups, scopeOf } from './monitor/alarm-groups.ts';
import type { Monitor } from './monitor/monitor.ts';
import { parseScope } from './registry/manifest.ts';
import type { EventKind } from './store/event-kinds.ts';
import { takesNothing } from './store/failure.ts';
import type { Store } from './store/store.ts';

/** A wish not to be told of alarms for a while. They are raised, recorded and healed all the same. */
export interface Silence {
  /** a device, 'cohort:NAME' or 'fleet' */
  subject: string;
  /** one kind of alarm; null for every kind */
  what: AlarmKind | null;
  /** ms since 1970 */
  at: number;
  until: number;
}

/** An alarm that is not over, or several of one cause. */
export interface OpenAlarm {
  /** the device; 'fleet' or 'cohort:NAME' where it is all over them */
  subject: string;
  devices: string[];
  /** the first of them; earliest beginning */
  alarm: Alarm;
  since: number;
  lastAt: number;
  /** how often watchers spoke */
  count: number;
  /** end of the silence that covers all of its devices; null where one may be told */
  silencedUntil: number | null;
}

/** Tells of alarms: each cause once, and not to those who do not want to hear it. */
export interface Alarms {
  /** An alarm was raised, or turned into one of a sensor. */
  raised(alarm: Alarm): void;
  /** A device's episode ends with a release. */
  ended(device: string, release: number): void;
  /** Time passed: groups close, alarms are over by themselves, silences end. */
  tick(): void;
  /** What is not over, the newest first. */
  open(): OpenAlarm[];
  silences(): Silence[];
  /** End of the silence that covers a device's alarms of a kind, ms since 1970; null without one. */
  silencedUntil(device: string, what: AlarmKind): number | null;
  /** @throws GatewayError 'not-found' if there is no such device, or nobody in the cohort */
  silence(wish: Pick<Silence, 'subject' | 'what' | 'until'>, by?: string): Silence;
  /**
   * @returns what was ended: of one kind, or all of the subject
   * @throws GatewayError 'not-found' if nothing of it is silenced
   */
  unsilence(wish: { subject: string; what?: AlarmKind }, by?: string): Silence[];
}

/** What telling works with. */
export interface AlarmParts {
  task: { name: string };
  store: Store;
  monitor: Monitor;
  clock: Pick<Clock, 'now'>;
  write(kind: EventKind, subject: string, data: Record<string, unknown>): void;
  /** a device is as it was before its alarm, and nothing was done to it */
  onOver(device: string): void;
}

/** Devices of one cause that are told of one by one; more of them are told of together. */
const ONE_BY_ONE = 2;
/** Alarms within this time of the first are one report; as the monitor groups them. */
export const GROUP_MS = 30_000;

/**
 * Tells of alarms. The first two devices of one cause are told of at once; those that follow within
 * half a minute are named together when it is over, with where it is: devices, a cohort or the fleet.
 *
 * @param parts where alarms come from, and where they are written
 */
export function createAlarms({ task, store, monitor, clock, write, onOver }: AlarmParts): Alarms {
  let silences: Silence[] = store.states.load<Silence[]>('silences') ?? [];
  const cohortOf = (id: string): string | null => store.devices.get(id)?.cohort ?? null;

  function keep(next: Silence[]): void {
    silences = next;
    store.states.save('silences', silences).catch((error: unknown) => {
      // a full disk: it holds until the gateway ends, and is stored with the next change
      if (!takesNothing(error)) throw error;
    });
  }

  function covers({ subject, what }: Silence, device: string, kind: AlarmKind): boolean {
    if (what !== null && what !== kind) return false;
    return (
      subject === 'fleet' || subject === device || subject === `cohort:${cohortOf(device) ?? ''}`
    );
  }

  function silencedUntil(device: string, kind: AlarmKind): number | null {
    const now = clock.now();
    const ends = silences
      .filter((silence) => silence.until > now && covers(silence, device, kind))
      .map(({ until }) => until);
    return ends.length === 0 ? null : Math.max(...ends);
  }

  function told(alarm: Alarm): Record<string, unknown> {
    const until = silencedUntil(alarm.device, alarm.what);
    return { ...alarm, message: alarmText(alarm), ...(until !== null && { silencedUntil: until }) };
  }

  const fleet = () => ({
    devices: store.devices.list({ task: task.name }).map(({ id }) => id),
    cohortOf,
  });

  function view({ devices, alarms, since }: AlarmGroup): OpenAlarm[] {
    const subject = scopeOf(devices, fleet());
    // a few devices of many: each is a case of its own
    const parts = devices.includes(subject) ? alarms.map((alarm) => [alarm]) : [alarms];
    return parts.map((part) => {
      const untils = part.map(({ device, what }) => silencedUntil(device, what));
      return {
        subject: part.length === 1 ? part[0].device : subject,
        devices: part.map(({ device }) => device),
        alarm: part[0],
        since: part.length === 1 ? part[0].since : since,
        lastAt: Math.max(...part.map(({ lastAt }) => lastAt)),
        count: part.reduce((sum, { count }) => sum + count, 0),
        silencedUntil: untils.includes(null) ? null : Math.min(...(untils as number[])),
      };
    });
  }

  return {
    raised(alarm) {
      const { device, raisedAs } = alarm;
      if (raisedAs !== null) return write('alarm.explained', device, told(alarm));
      if (monitor.companions() <= ONE_BY_ONE) write('alarm.raised', device, told(alarm));
    },
    ended(device, release) {
      const alarm = monitor.alarmOf(device);
      if (alarm === null || alarm.what === 'sensor') return;
      write('alarm.ended', device, { release, what: alarm.what });
    },
    tick() {
      for (const { devices, what, since, alarms } of monitor.groups(clock.now())) {
        if (devices.length <= 1) continue;
        const silenced = alarms.every((alarm) => silencedUntil(alarm.device, alarm.what) !== null);
        const subject = scopeOf(devices, fleet());
        write('alarm.group', subject, { devices, what, since, ...(silenced && { silenced }) });
      }
      for (const { alarm, since } of monitor.recovered()) {
        const { device, what } = alarm;
        const isSensor = since === null;
        const reason = isSensor ? 'its sensor measures again' : 'back to normal';
        write('alarm.ended', device, { what, reason, ...(!isSensor && { since }) });
        if (!isSensor) onOver(device);
      }
      const now = clock.now();
      if (silences.some(({ until }) => until <= now)) {
        keep(silences.filter(({ until }) => until > now));
      }
    },
    open() {
      const groups = alarmGroups(GROUP_MS);
      const all = monitor.devices
        .map((id) => monitor.alarmOf(id))
        .filter((alarm) => alarm !== null)
        .sort((a, b) => a.at - b.at);
      for (const alarm of all) groups.add(alarm);
      return groups.complete(Number.POSITIVE_INFINITY).flatMap(view).reverse();
    },
    silencedUntil,
    silences: () => silences.filter(({ until }) => until > clock.now()),
    silence({ subject, what, until }, by) {
      const scope = parseScope(/^(fleet$|cohort:)/.test(subject) ? subject : `device:${subject}`);
      const known =
        scope.kind === 'fleet' ||
        fleet().devices.some((id) => (scope.kind === 'device' ? id : cohortOf(id)) === scope.id);
      if (!known) {
        const what = scope.kind === 'cohort' ? 'no device in' : 'no device';
        throw new GatewayError('not-found', `${what} '${subject}'`, {
          hint: 'it is a device, cohort:NAME or fleet; see: whetstone devices',
        });
      }
      const silence = { subject, what, at: clock.now(), until };
      const others = silences.filter((one) => one.subject !== subject || one.what !== what);
      keep([...others, silence]);
      write('alarm.silenced', subject, { what, until, ...(by !== undefined && { who: by }) });
      return silence;
    },
    unsilence({ subject, what }, by) {
      const meant = (one: Silence): boolean =>
        one.subject === subject && (what === undefined || one.what === what);
      const held = silences.filter(({ until }) => until > clock.now());
      const gone = held.filter(meant);
      if (gone.length === 0) {
        const kind = what === undefined ? 'no' : `no ${what}`;
        const named = held.map((one) => one.subject + (one.what === null ? '' : ` (${one.what})`));
        throw new GatewayError('not-found', `${kind} alarms of '${subject}' are silenced`, {
          hint: named.length === 0 ? 'nothing is' : `silenced are: ${named.join(', ')}`,
        });
      }
      keep(silences.filter((one) => !meant(one)));
      const who = by !== undefined && { who: by };
      write('alarm.unsilenced', subject, { what: what ?? null, ...who });
      return gone;
    },
  };
}
