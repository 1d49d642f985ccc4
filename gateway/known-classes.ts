import { GatewayError } from './errors.ts';
import type { Registry } from './registry/registry.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';
import { classesOf } from './train/new-class.ts';
import { modelOf } from './versions.ts';

/** Where the names are kept; one list a task. */
const STATE = 'classes';

/**
 * Compares a task's classes with those that the stored windows, labels and models were named by, and
 * remembers them. Whatever is stored means a class by its place in the list: names may be added behind
 * the others, and none may be taken away, renamed or moved.
 *
 * @throws GatewayError 'bad-task' if the list is no continuation of the stored one
 */
export function checkClasses(store: Store, registry: Registry, task: Task): void {
  if (task.kind !== 'classification') return;
  const all = store.states.load<Record<string, string[]>>(STATE) ?? {};
  const known = all[task.name];
  const champion = registry.champion(task.name, { kind: 'fleet', id: '' });
  // a store that is older than this list still has its models; a damaged one keeps nobody from starting
  const isWhole = champion !== undefined && registry.verify(champion).ok;
  const outputs = !isWhole ? 0 : classesOf(modelOf(registry, champion).model);
  const moved = known?.findIndex((name, i) => task.classes[i] !== name) ?? -1;
  if (moved >= 0 || outputs > task.classes.length) {
    const before = known === undefined ? `${outputs} of them` : known.join(', ');
    const now = task.classes[moved] ?? 'nothing';
    const where = moved < 0 ? '' : `; number ${moved + 1} was '${known![moved]}' and is ${now}`;
    throw new GatewayError('bad-task', `task '${task.name}' was begun with other classes${where}`, {
      hint: `keep ${before}, add new ones behind them, or begin in another --data-dir`,
    });
  }
  if (known?.length === task.classes.length) return;
  // where it cannot be written now, the next start does
  store.states.save(STATE, { ...all, [task.name]: task.classes }).catch(() => {});
}
