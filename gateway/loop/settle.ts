import type { Alarms } from '../alarms.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { MonitorMemory } from '../monitor-memory.ts';
import type { Registry } from '../registry/registry.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import { reportOf } from '../versions.ts';
import type { Needs } from './needs.ts';

/** confirm: a device runs a release for good, as the store has it already. */
export type Settle = (device: string, release: number) => void;

/** Who is told of it. */
export interface SettleParts {
  registry: Registry;
  monitor: Pick<Monitor, 'installed'>;
  memory: Pick<MonitorMemory, 'save'>;
  alarms: Pick<Alarms, 'ended'>;
  scheduler: Pick<Scheduler, 'healed'>;
  needs: Pick<Needs, 'isShort'>;
  /** release that each device is watched under; is kept up to date here */
  watched: Map<string, number>;
}

/** State of a device that runs a confirmed model; see the message `hello`. */
export const CONFIRMED = 1;

/** @returns what makes the promise of a confirmed release the new reference, and ends an alarm; once */
export function createSettle(parts: SettleParts): Settle {
  const { registry, monitor, memory, alarms, scheduler, needs, watched } = parts;
  return (device, release) => {
    const version = registry.releaseOf(release)?.version;
    if (watched.get(device) === release) return;
    watched.set(device, release);
    const evidence = version === undefined ? undefined : reportOf(registry, version)?.evidence;
    const promised = evidence && { accuracy: evidence.candidate, windows: evidence.windows };
    alarms.ended(device, release);
    monitor.installed(device, release, promised ?? null);
    if (!needs.isShort(device)) scheduler.healed(device);
    memory.save(device);
  };
}
