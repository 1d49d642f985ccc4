import type { Monitor } from '../monitor/monitor.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import type { Task } from '../task.ts';
import { fallsShort } from '../versions.ts';

/** What devices are short of. */
export interface Needs {
  /** Its model was released below the task's aim, and labels since have not shown otherwise. */
  isShort(device: string): boolean;
  /**
   * It has an alarm, or a model that is better than the last and not yet good. Not while its sensor is
   * sick: nothing that it gives is worth a label.
   */
  wantsLabels(device: string): boolean;
}

/** @param parts what is known of devices, of the models they run, and the aim */
export function needsOf(parts: {
  task: Pick<Task, 'gate'>;
  store: Pick<Store, 'devices'>;
  registry: Registry;
  monitor: Pick<Monitor, 'accuracy' | 'alarmOf' | 'isSick'>;
}): Needs {
  const { task, store, registry, monitor } = parts;

  const isShort = (device: string): boolean =>
    fallsShort(registry, store.devices.get(device)?.version ?? null) &&
    (monitor.accuracy(device).windowed ?? 0) < task.gate.minAccuracy;

  return {
    isShort,
    wantsLabels: (device) =>
      !monitor.isSick(device) && (monitor.alarmOf(device) !== null || isShort(device)),
  };
}
