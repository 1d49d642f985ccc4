import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import { importRecordings } from './imports.ts';
import { readRecordings } from './recordings.ts';

/**
 * Learns the fleet's first model from labelled recordings; where it has had one, does nothing.
 *
 * A board without a model says nothing of its windows, so labels cannot teach the first one.
 * The recordings stay in the store, and are rehearsed by later models.
 *
 * @param gateway with its task
 * @param dir the folder, see {@link readRecordings}
 * @throws GatewayError 'bad-recordings' if they cannot be read, or what they teach does not pass the
 *   gate; 'disk-full'
 */
export async function learnFirstModel(
  { task, store, registry, loop, clock }: Composed,
  dir: string,
): Promise<void> {
  const fleet = { kind: 'fleet', id: '' } as const;
  if (registry.list({ task: task.name, scope: fleet }).length > 0) return;
  for (const [person, windows] of Object.entries(readRecordings(dir, task).people)) {
    const name = `recordings:${person}`;
    // a start that was cut short, or whose model did not pass, has read them in already
    if (store.samples.count({ device: name }) > 0) continue;
    await importRecordings(store, task, name, windows, clock.now());
  }
  const { rollout, reason } = await loop.heal(fleet);
  if (rollout === null) {
    throw new GatewayError('bad-recordings', `no first model from ${dir}: ${reason}`, {
      hint: 'record more windows of each class, and begin in another --data-dir',
    });
  }
}
