import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { chooseWindows, startAsking } from '../../../gateway/train/choose-windows.ts';
import { createEmbedder, createPredictor, encodeModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { selectUseful, type Unlabelled } from '../../../gateway/train/select.ts';
import { accuracyOf, twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

const task = quickTask();
const people = twoPeople(task, 12, 30);
/** Bob's windows: most of them swipes, as nobody asks people to move in turns. */
const pool = [...people.bob.learn, ...people.bob.test].filter(
  ({ cls }, i) => cls < 2 || i % 4 === 0,
);
const nothing = { fresh: [], old: [], recent: [] };

async function before() {
  const first = { ...nothing, fresh: people.ann.learn };
  const { model } = await trainRung('whole', task, null, first, { seed: 1 });
  const embed = createEmbedder(model, model.cut);
  const predict = createPredictor(encodeModel(model));
  const windows: Unlabelled[] = pool.map(({ window, length }) => ({
    embedding: embed(window, length).slice(),
    score: predict(window, length).score,
  }));
  return { champion: model, windows };
}

let known: Awaited<ReturnType<typeof before>>;
beforeAll(async () => {
  known = await before();
});

describe('chooseWindows()', () => {
  it('goes by the scores at hand while nothing is labelled', async () => {
    const { champion, windows } = known;
    const chosen = await chooseWindows({ task, champion, data: nothing, seed: 3 }, windows, 4);
    expect(chosen).toEqual(selectUseful(windows, { count: 4, seed: 3 }));
  });

  it('goes by what a head of the labels says, not by the scores at hand', async () => {
    const { champion, windows } = known;
    const data = { ...nothing, fresh: people.bob.learn.slice(0, 12) };
    const labelled = data.fresh.map(({ window, length }) =>
      createEmbedder(champion, champion.cut)(window, length).slice(),
    );
    const input = { task, champion, data, seed: 3 };
    const chosen = await chooseWindows(input, windows, 8, labelled);
    const misled = windows.map((window, i) => ({ ...window, score: i % 2 === 0 ? 0 : 255 }));
    expect(await chooseWindows(input, misled, 8, labelled)).toEqual(chosen);
    expect(selectUseful(misled, { count: 8, seed: 3, labelled })).not.toEqual(chosen);
  });

  it('chooses none of none', async () => {
    const { champion } = known;
    expect(await chooseWindows({ task, champion, data: nothing, seed: 1 }, [], 3)).toEqual([]);
  });

  it('throws GatewayError when the signal is raised', async () => {
    const { champion, windows } = known;
    const data = { ...nothing, fresh: people.bob.learn };
    const input = { task, champion, data, seed: 1, signal: AbortSignal.abort() };
    await expect(chooseWindows(input, windows, 1)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('startAsking()', () => {
  it('never asks twice for a window, and finds what teaches sooner than chance', async () => {
    const { champion, windows } = known;
    const BUDGET = 12;
    const accuracyWith = async (indices: readonly number[]): Promise<number> => {
      const data = { ...nothing, fresh: indices.map((i) => pool[i]!) };
      const { model } = await trainRung('head', task, champion, data, { seed: 1 });
      return accuracyOf(model, people.bob.test);
    };
    const asking = startAsking({ task, champion, seed: 1 }, windows);
    const taken: number[] = [];
    while (taken.length < BUDGET) {
      const data = { ...nothing, fresh: taken.map((i) => pool[i]!) };
      taken.push(...(await asking.next(data, 1, taken)));
    }
    expect(new Set(taken).size).toBe(BUDGET);
    const random: number[] = [];
    for (let seed = 1; seed <= 8; seed++) {
      const order = createRandom(seed).shuffle([...pool.keys()]);
      random.push(await accuracyWith(order.slice(0, BUDGET)));
    }
    const mean = random.reduce((sum, value) => sum + value, 0) / random.length;
    expect(await accuracyWith(taken)).toBeGreaterThan(mean + 0.2);
  });
});
