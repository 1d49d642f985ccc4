import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose } from '../../gateway/compose.ts';
import { importRecordings } from '../../gateway/imports.ts';
import { realClock } from '../../gateway/link/port.ts';
import type { Recording } from '../../gateway/recordings.ts';
import type { Task } from '../../gateway/task.ts';
import { decodeModel } from '../../gateway/train/model.ts';
import { temporary } from './loop-world.ts';
import { registerModel } from './model-gateway.ts';

/**
 * A data directory whose fleet has a champion, trained on Ann, and a candidate, which is a little else.
 *
 * @param learn what it is trained on
 */
export async function fleetData(
  task: Task,
  learn: readonly Recording[],
): Promise<{
  directory: string;
  file: string;
  version: string;
  next: string;
}> {
  const folder = temporary();
  const directory = join(folder, 'data');
  mkdirSync(directory);
  const options = { task, clock: realClock, automatic: false, seed: 1 };
  const trainer = compose({ ...options, directory: ':memory:' });
  await importRecordings(trainer.store, task, 'ann', learn, Date.now());
  const healed = await trainer.loop.heal({ kind: 'fleet', id: '' });
  const parts = trainer.registry.parts(healed.version!);
  await trainer.close();
  const gateway = compose({ ...options, directory });
  await importRecordings(gateway.store, task, 'ann', learn, Date.now());
  const { registry } = gateway;
  const version = registerModel(gateway, decodeModel(parts));
  registry.setStage(version, 'trial', { who: 'test', why: 'it comes from another gateway' });
  registry.setStage(version, 'champion', { who: 'test', why: 'it comes from another gateway' });
  registry.release(version, 'the first');
  const other = decodeModel(parts);
  const head = other.layers.at(-1)!;
  if (!('bias' in head)) throw new Error('the last layer is no dense one');
  head.bias[0]! += 9;
  const next = registerModel(gateway, other);
  await gateway.close();
  const file = join(folder, 'task.json');
  writeFileSync(file, JSON.stringify(task));
  return { directory, file, version, next };
}
