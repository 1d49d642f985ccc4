import { championOf, gather } from '../dataset.ts';
import type { HealParts } from '../heal.ts';
import type { Recording } from '../recordings.ts';
import type { Scope } from '../registry/manifest.ts';
import { startAsking } from '../train/choose-windows.ts';
import { modelOf } from '../versions.ts';

/** What a replay asks with. */
export type AskParts = Pick<HealParts, 'task' | 'store' | 'registry' | 'regime' | 'seed'>;

/**
 * Asks for one label after the other, as a person would give them at the gateway: each window is chosen
 * with the scores of a head that was trained on the labels before it.
 *
 * @param parts the gateway's
 * @param scope whom the model will serve
 * @param samples windows that the gateway has, with the id of their sample
 * @param count labels in all
 * @param signal stops it
 * @returns the windows in the order in which they were asked for
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function askOneByOne(
  parts: AskParts,
  scope: Scope,
  samples: readonly { recording: Recording; id: number }[],
  count: number,
  signal?: AbortSignal,
): Promise<Recording[]> {
  const { task, store, registry, regime, seed } = parts;
  const version = championOf(registry, task.name, scope);
  if (version === null) throw new TypeError('nothing runs yet: there is nobody to ask for');
  const { data } = gather(parts, scope, regime, seed);
  const windows = samples.flatMap(({ recording, id }) => {
    const { embedding, score } = store.samples.get(id)!;
    return embedding === null ? [] : [{ recording, embedding, score }];
  });
  if (windows.length === 0) return [];
  const { model } = modelOf(registry, version);
  const asking = startAsking({ task, champion: model, seed, ...(signal && { signal }) }, windows);
  const taken: number[] = [];
  while (taken.length < Math.min(count, windows.length)) {
    const fresh = taken.map((i) => windows[i]!.recording);
    const known = new Set(fresh.map(({ cls }) => cls));
    // as gather() has it: a personal head rehearses what its wearer has not labelled
    const old = data.old.filter(({ cls }) => scope.kind !== 'device' || !known.has(cls));
    taken.push(...(await asking.next({ ...data, fresh, old }, 1, taken)));
  }
  return taken.map((i) => windows[i]!.recording);
}
