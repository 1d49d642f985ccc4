import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHUNK, CONFIRM, OFFER, REVERT } from '../../device/core/messages.ts';
import { tinyModel } from '../../gateway/bench/faults/tiny-model.ts';
import { createWear, erasesOf } from '../../gateway/wear.ts';
import { updateBench } from '../support/update-bench.ts';
import { testStore } from './store/support.ts';

const PAGE = 4096;
const most = (erases: readonly number[]): number => Math.max(...erases);

describe('erasesOf()', () => {
  test('is what the machine erases when a device only boots', () => {
    const b = updateBench(PAGE, 1);
    for (let i = 1; i < 1000; i++) b.boot();
    // 64 records in a page, two pages by turns
    expect(b.erases.slice(0, 2)).toEqual([8, 8]);
    expect(b.erases.slice(2)).toEqual([0, 0]);
    expect(erasesOf({ boots: 1000, updates: 0 }, PAGE)).toBe(8);
  });

  test('is twice what the machine erases of a slot when every update is confirmed', () => {
    const b = updateBench(PAGE, 1);
    for (let release = 1; release <= 60; release++) {
      b.deliver(tinyModel(release, release % 3));
      b.step(CONFIRM, [release]);
    }
    expect(b.erases.slice(2)).toEqual([30, 30]);
    expect(most(b.erases.slice(0, 2))).toBe(1);
    expect(erasesOf({ boots: 1, updates: 60 }, PAGE)).toBe(60);
  });

  test('is never less than the machine erases, whatever happens', () => {
    const models = [1, 2, 3, 4].map((n) => tinyModel(n, n));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('boot', 'confirm', 'revert', 'cut', 'again'), { maxLength: 80 }),
        (acts) => {
          const b = updateBench(1024, 2);
          let [boots, updates, release] = [1, 0, 10];
          for (const act of acts) {
            if (act === 'boot' || act === 'cut') {
              if (act === 'cut') {
                const { offer, parts } = models[++release % 4] as (typeof models)[0];
                const made = structuredClone(offer);
                made[0] = release;
                b.step(OFFER, made);
                b.step(CHUNK, [release, 0, 0, parts[0]?.slice(0, 256)]);
                updates++;
              }
              b.boot();
              boots++;
            } else {
              const from = b.said.length;
              const model = structuredClone({ ...models[++release % 4], predict: undefined });
              (model.offer as unknown[])[0] = release;
              b.deliver(model as never);
              if (b.said.slice(from).includes('accepted')) updates++;
              if (act !== 'again') b.step(act === 'confirm' ? CONFIRM : REVERT, [release]);
            }
          }
          expect(most(b.erases)).toBeLessThanOrEqual(erasesOf({ boots, updates }, 1024));
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  test('counts an erase for each record when every boot follows a torn one', () => {
    expect(erasesOf({ boots: 100, updates: 0 }, PAGE, true)).toBe(50);
  });
});

describe('createWear()', () => {
  const hello = (store: ReturnType<typeof testStore>, session: number, board = 'puckjs') =>
    store.devices.hello({
      ...{ id: 'w1', board, task: 'gesture', tier: 't', session, release: 1, version: null },
      ...{ state: 1, at: 1 },
    });

  test('counts boots and transfers, each once, and remembers them', () => {
    const store = testStore();
    const wear = createWear(store);
    expect(wear.of('w1')).toBeNull();
    hello(store, 7);
    wear.booted('w1', 'puckjs', 1);
    for (let i = 0; i < 5; i++) wear.heard('w1', 2, 'accepted', 1);
    expect(wear.of('w1')).toMatchObject({ boots: 1, updates: 1, cycles: 10_000, worn: false });
    wear.heard('w1', 2, 'refused-crc', 1);
    wear.heard('w1', 2, 'accepted', 1); // offered again: erased again
    hello(store, 8);
    wear.booted('w1', 'puckjs', 1);
    wear.heard('w1', 2, 'accepted', 1); // after a boot it begins anew
    expect(wear.of('w1')).toMatchObject({ boots: 2, updates: 3, erases: 3, share: 3 / 10_000 });
    store.flush();
    expect(createWear(store).of('w1')).toMatchObject({ boots: 2, updates: 3 });
    store.erase({ device: 'w1' });
    expect(createWear(store).of('w1')).toBeNull();
  });

  test('raises one alarm when 80 % of what the maker promises are used', async () => {
    const store = testStore();
    hello(store, 7);
    await store.states.save('wear:w1', { board: 'puckjs', boots: 9, updates: 7990, last: '' });
    const wear = createWear(store);
    for (let release = 7991; release <= 8000; release++) {
      expect(store.journal.find({ kind: 'device.worn' })).toEqual([]);
      wear.heard('w1', release, 'accepted', 1);
    }
    expect(wear.of('w1')).toMatchObject({ erases: 8000, share: 0.8, worn: true });
    wear.heard('w1', 9000, 'accepted', 1);
    expect(store.journal.find({ kind: 'device.worn' }).map(({ data }) => data)).toEqual([
      { erases: 8000, cycles: 10_000 },
    ]);
  });

  test('says nothing of a share where the profile knows no cycles', () => {
    const store = testStore();
    hello(store, 7, 'espruino-linux');
    const wear = createWear(store);
    wear.booted('w1', 'espruino-linux', 1);
    expect(wear.of('w1')).toMatchObject({ boots: 1, cycles: null, share: null, worn: false });
  });
});
