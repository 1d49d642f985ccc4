import type { Alarms } from '../alarms.ts';
import type { Alarm } from '../monitor/monitor.ts';
import type { MonitorMemory } from '../monitor-memory.ts';
import type { Regimes } from '../regimes.ts';
import type { Scheduler } from '../schedule/scheduler.ts';
import type { RawWindows } from './raw-windows.ts';

/** @returns what an alarm sets going: a new regime, a word to people, raw windows, perhaps a training */
export function createOnAlarm(parts: {
  regimes: Pick<Regimes, 'begin' | 'withdraw'>;
  memory: Pick<MonitorMemory, 'save'>;
  alarms: Pick<Alarms, 'raised'>;
  raw: Pick<RawWindows, 'askNewest'>;
  scheduler: Pick<Scheduler, 'consider'>;
}): (device: string, alarm: Alarm) => void {
  const { regimes, memory, alarms, raw, scheduler } = parts;
  return (device, alarm) => {
    // a sick sensor begins no regime: what it gives is no world to learn
    if (alarm.what !== 'sensor') regimes.begin(device, alarm.since);
    else if (alarm.raisedAs !== null) regimes.withdraw(device);
    memory.save(device);
    alarms.raised(alarm);
    raw.askNewest(device);
    scheduler.consider(device);
  };
}
