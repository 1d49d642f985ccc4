import { GatewayError } from './errors.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';

/**
 * Keeps a store to the task that it was begun with: windows and models of another one are of no use to
 * it, and lists, rollbacks and alarms would mix them up with its own.
 *
 * @throws GatewayError 'bad-task' if the store holds windows or models, and none of them of this task
 */
export function checkTask(store: Pick<Store, 'catalogue' | 'samples'>, task: Task): void {
  // not by their manifests: a damaged one keeps no gateway from starting
  const models = store.catalogue.models({}).map((model) => model.task);
  if (models.includes(task.name)) return;
  if (store.samples.find({ task: task.name, limit: 1 }).length > 0) return;
  const windows = store.samples.perTask();
  const [other] = [...windows.keys(), ...models];
  if (other === undefined) return;
  const held = [...new Set([...windows.keys(), ...models])].map((name) => {
    const made = models.filter((of) => of === name).length;
    return `${counted(windows.get(name) ?? 0, 'window')} and ${counted(made, 'model')} of task '${name}'`;
  });
  const message = `the data directory holds ${held.join(', ')}; task '${task.name}' uses none of them`;
  throw new GatewayError('bad-task', message, {
    hint: `begin in another --data-dir; to go on with them: --task ${other}, or a task file whose name is '${other}'`,
  });
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
