import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  audit,
  auditModels,
  type Released,
} from '../../../../../gateway/bench/faults/fleet/audit.ts';
import type { CoreDevice, Life } from '../../../../../gateway/bench/faults/fleet/core-device.ts';
import { tinyModel, walk } from '../../../../../gateway/bench/faults/tiny-model.ts';
import { openStore } from '../../../../../gateway/store/store.ts';
import { createPredictor } from '../../../../../gateway/train/model.ts';
import { temporary } from '../../../../support/loop-world.ts';

const AXES = 3;
const [pre, backbone, head] = tinyModel(1, 1).parts as [Uint8Array, Uint8Array, Uint8Array];
const parts = { pre, backbone, head };
const predict = createPredictor(parts);
const version = '0100000000000000';
const released = new Map<number, Released>([[1, { version, parts }]]);
const pool = [1, 2, 3, 4].map((seed) => ({
  ...{ cls: 0, length: 50, window: walk(seed), file: '', line: 0 },
}));

/** A device that made the whole pool in one life, was told of the first three, and dropped none. */
function device(change: Partial<Life> = {}): CoreDevice {
  const life: Life = {
    ...{ session: 7, isWelcome: true, told: 3, heldFrom: 1, dropped: 0, excused: new Set() },
    made: pool.map((_, window) => ({ window, t: window * 1000 })),
    ...change,
  };
  return { id: 'one', lives: [life] } as unknown as CoreDevice;
}

/** What the store has of it: rows of these seqs, changed as the case wants. */
async function stored(seqs: readonly number[], change: Record<string, unknown> = {}) {
  const directory = join(temporary(), 'data');
  const store = openStore({ directory, durability: 'process' });
  onTestFinished(() => store.close());
  for (const seq of seqs) {
    const { window, length } = pool[seq - 1] ?? pool[0]!;
    const { cls, score, embedding } = predict(window, length);
    const row = {
      ...{ device: 'one', session: 7, seq, task: 'gesture', at: 1, t: (seq - 1) * 1000 },
      ...{ release: 1, version: null, cls, score, length, label: null, quarantine: null },
      ...{ embedding: Int8Array.from(embedding), window, ...change },
    };
    const added = store.samples.add(row);
    store.flush();
    await added;
  }
  return {
    store,
    look: (of = device()) => audit(join(directory, 'store.db'), [of], pool, AXES, released),
  };
}

const clean = { missing: 0, twice: 0, invented: 0, different: 0, foreign: 0, miscounted: 0 };

describe('audit()', () => {
  it('finds nothing where the store has what the device made', async () => {
    const { look } = await stored([1, 2, 3, 4]);
    expect(look()).toMatchObject({ ...clean, windows: 4, stored: 4, told: 3, damage: 0 });
  });

  it('finds a window missing that the device was told of', async () => {
    const { look } = await stored([1, 3, 4]);
    expect(look()).toMatchObject({ ...clean, missing: 1 });
  });

  it('takes a window for dropped only if the device had said so, and counts what it said', async () => {
    const { look, store } = await stored([1, 3, 4]);
    const dropped = device({ excused: new Set([2]), dropped: 1 });
    expect(look(dropped)).toMatchObject({ missing: 0, reported: 1 });
    store.samples.noteDropped('one', 7, 1, 3);
    expect(look(dropped)).toMatchObject(clean);
    store.samples.noteDropped('one', 7, 2, 3);
    expect(look(dropped)).toMatchObject({ ...clean, miscounted: 1 });
  });

  it('finds rows that the device never made', async () => {
    const { look } = await stored([1, 2, 3, 4, 5]);
    expect(look()).toMatchObject({ ...clean, invented: 1 });
    expect(look(device({ session: 8 })).invented).toBe(5);
  });

  it.each([
    ['another time', { t: 5 }, { different: 4 }],
    ['another window', { window: walk(9) }, { different: 4 }],
    ['another length', { length: 49 }, { different: 4 }],
    ['another embedding', { embedding: new Int8Array(12) }, { foreign: 4 }],
    ['a margin of no model', { score: 256 }, { foreign: 4 }],
    ['a release that was never given', { release: 2 }, { foreign: 4 }],
  ])('finds rows with %s', async (_name, change, found) => {
    const { look } = await stored([1, 2, 3, 4], change);
    expect(look()).toMatchObject({ ...clean, ...found });
  });
});

describe('auditModels()', () => {
  const runs = (release: number, of: string, slots: Uint8Array[]): CoreDevice =>
    ({
      id: 'one',
      ran: new Map([['', { release, version: Buffer.from(of, 'hex'), state: 1 }]]),
      slots: () => [{ release: 1, version, parts: slots }],
    }) as unknown as CoreDevice;
  const given = [pre, backbone, head];

  it.each([
    ['what was released to it', runs(1, version, given), [1], { unreleased: 0, mixed: 0 }],
    ['what was not released to it', runs(1, version, given), [], { unreleased: 1, mixed: 0 }],
    ['another version', runs(1, '02'.repeat(8), given), [1], { unreleased: 1, mixed: 0 }],
    ['a release of nobody', runs(9, version, given), [9], { unreleased: 1, mixed: 0 }],
    ['a mix', runs(1, version, [pre, backbone, tinyModel(2, 1).parts[2]!]), [1], { mixed: 1 }],
  ])('says what is wrong with a device that runs %s', (_name, one, allowed, found) => {
    expect(auditModels([one], released, () => new Set(allowed))).toMatchObject(found);
  });
});
