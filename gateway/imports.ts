import type { Recording } from './recordings.ts';
import { checkSample } from './store/check.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';

/**
 * Puts labelled recordings into the store, as samples of a device that is none: they teach a first
 * model, and are rehearsed by later ones.
 *
 * @param name of the recordings, 'recordings:ann'
 * @param at ms since 1970
 * @returns how many are stored, and how many of them the check set aside
 * @throws GatewayError 'disk-full' if there is no room
 */
export async function importRecordings(
  store: Store,
  task: Task,
  name: string,
  recordings: readonly Recording[],
  at: number,
): Promise<{ stored: number; quarantined: number }> {
  const axes = task.sensor.axes.length;
  const stepMs = (1000 * task.window.samples) / task.sensor.rateHz;
  const session = 1 + store.samples.count({ device: name });
  let quarantined = 0;
  const added = recordings.map(({ cls, length, window }, i) => {
    const sample = {
      ...{ seq: i + 1, t: Math.round(i * stepMs), cls, length, label: cls },
      score: task.kind === 'regression' ? cls : 0, // a score is a regression's answer
      ...{ embedding: null, window: window.slice(0, length * axes) },
    };
    const quarantine = checkSample(sample, task);
    if (quarantine !== null) quarantined++;
    const origin = { task: task.name, device: name, session, at, release: 0, version: null };
    return store.samples.add({ ...origin, ...sample, quarantine });
  });
  store.flush();
  await Promise.all(added);
  return { stored: recordings.length, quarantined };
}
