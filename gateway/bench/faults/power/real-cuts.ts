import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flatImage } from '../../../link/virtual/flash.ts';
import type { TinyModel } from '../tiny-model.ts';
import type { Failure } from './explore.ts';
import { FLASH_FILE, type Life } from './field.ts';
import { LATER } from './survive.ts';
import { type Cut, cutsAt } from './tears.ts';
import { BOARD, type Build, bootReal } from './world.ts';

/** Real Espruinos at once. */
const AT_ONCE = 2;

/**
 * Boots real Espruinos, each in a folder of its own, on what cuts in the life of one left of its flash. The
 * queue between the threads of the Linux build breaks now and then, and its process hears nothing any more: then
 * another boots on the same flash, and that is counted.
 *
 * @param most a sample of so many cuts, spread over all
 */
export async function realCuts(
  espruino: string,
  build: Build,
  life: Life,
  most: number,
): Promise<{ cuts: number; of: number; failures: Failure[]; hung: number }> {
  const all = life.phases.flatMap(({ name, from, models, keys }, i) => {
    const to = life.phases[i + 1]?.from ?? life.flash.ops.length + 1;
    return Array.from({ length: to - from }, (_, k) => [...cutsAt(life.flash, from + k, false)])
      .flat()
      .map((cut) => ({ name, cut, models, keys, empty: i === 0 }));
  });
  const sample = Array.from({ length: Math.min(most, all.length) }, (_, k) => {
    return all[Math.floor(((k + 0.5) * all.length) / Math.min(most, all.length))]!;
  });
  const failures: Failure[] = [];
  let hung = 0;
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < sample.length) {
        const { name, cut, models, keys, empty } = sample[next++]!;
        const booted = { code: build.code, ...(keys && { keys }) };
        try {
          const survives = () => survivesReal(espruino, booted, cut, models, empty);
          await survives().catch((error: unknown) => {
            if (!/does not answer/.test((error as Error).message)) throw error;
            hung++; // what the cut left would hang the next process, too; what its threads did would not
            return survives();
          });
        } catch (error) {
          const problem = (error as Error).message;
          failures.push({ scenario: `real Espruino, ${name}`, where: cut.where, problem });
        }
      }
    }),
  );
  return { cuts: sample.length, of: all.length, failures, hung };
}

async function survivesReal(
  espruino: string,
  build: Build,
  { image }: Cut,
  models: readonly TinyModel[],
  emptyIsFine: boolean,
): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'whetstone-cut-'));
  try {
    await writeFile(join(cwd, FLASH_FILE), flatImage(BOARD.flash, image));
    const world = await bootReal(espruino, build, cwd);
    try {
      const runs = (await world.runs(models))?.offer[0] ?? 0;
      const hello = world.hellos.at(-1);
      const says = hello?.state === 0 ? 0 : hello?.release;
      if (runs !== says) throw new Error(`release ${runs} runs, the device says ${says}`);
      if (runs === 0 && !emptyIsFine) throw new Error('no model runs');
      if (runs > 0 && hello?.state === 2) await world.confirm(runs);
      await world.update(LATER[0]);
      if ((await world.runs([LATER[0]])) === undefined)
        throw new Error('the later one does not run');
    } finally {
      await world.end();
    }
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
