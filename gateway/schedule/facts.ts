import { membersOf } from '../dataset.ts';
import type { Regimes } from '../regimes.ts';
import type { Scope } from '../registry/manifest.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { Store } from '../store/store.ts';
import type { Task } from '../task.ts';
import type { ScopeFacts } from './state.ts';

/** What the schedule wants to know of devices and scopes. */
export interface Facts {
  /** Whom a training serves that a device gives reason to. */
  scopeOf(device: string): Scope;
  /** All scopes that the devices of the task give. */
  scopes(): Scope[];
  of(scope: Scope): ScopeFacts;
}

/** @param wantsLabels whether a device has an alarm, or a model that is not good enough yet */
export function factsOf(parts: {
  task: Task;
  store: Store;
  rollouts: Rollouts;
  regimes: Regimes;
  wantsLabels: (device: string) => boolean;
}): Facts {
  const { task, store, rollouts, regimes, wantsLabels } = parts;

  function scopeOf(device: string): Scope {
    const { scope } = task.schedule;
    if (scope === 'fleet') return { kind: 'fleet', id: '' };
    const cohort = scope === 'cohort' ? (store.devices.get(device)?.cohort ?? null) : null;
    return cohort === null ? { kind: 'device', id: device } : { kind: 'cohort', id: cohort };
  }

  return {
    scopeOf,
    scopes() {
      const all = store.devices.list({ task: task.name }).map(({ id }) => scopeOf(id));
      return [...new Map(all.map((scope) => [`${scope.kind}:${scope.id}`, scope])).values()];
    },
    of(scope) {
      const members = membersOf(store, task.name, scope);
      const wanted = members.filter(wantsLabels);
      const known = { task: task.name, labelled: true, quarantined: false };
      const count = (device: string): number => store.samples.count({ ...known, device });
      const approval = members.map(rollouts.waiting).find((id) => id !== undefined);
      return {
        wanted: wanted.length > 0,
        labels: wanted.reduce((sum, device) => sum + regimes.labels(device), 0),
        total:
          scope.kind === 'fleet'
            ? store.samples.count(known)
            : members.reduce((sum, device) => sum + count(device), 0),
        regime: Math.max(0, ...wanted.map(regimes.since)),
        busy: members.some(rollouts.busy),
        ...(approval !== undefined && { approval }),
      };
    },
  };
}
