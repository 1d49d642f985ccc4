import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const rollout = { canaryShare: 0.5, soakWindows: 3, trialWindows: 40 };
// every window travels raw, so that the disk has something to be full of
const task = quickTask({ rollout, send: { confidentOneIn: 1, uncertainBelow: 48, rawOneIn: 1 } });
const { ann } = twoPeople(task, 12, 1);

/** As a disk that is full: SQLite may not use another page on any connection that is open. */
let databases: DatabaseSync[] = [];
const exec = DatabaseSync.prototype.exec;
function allow(pages: number): void {
  for (const db of databases) if (db.isOpen) exec.call(db, `PRAGMA max_page_count = ${pages}`);
}
const fill = (): void => allow(1);
const makeRoom = (): void => allow(1_000_000);

beforeEach(() => {
  databases = [];
  DatabaseSync.prototype.exec = function (sql: string) {
    if (!databases.includes(this)) databases.push(this);
    return exec.call(this, sql);
  };
});
afterEach(() => {
  DatabaseSync.prototype.exec = exec;
});

async function taught(ids: string[]): Promise<LoopWorld> {
  const world = await loopWorld({ task, ids });
  await world.step();
  await world.teach(ann.learn, ann.test);
  return world;
}

/** Feeds windows until the disk takes no more; gives how many the devices have seen by then. */
async function fillUp(world: LoopWorld, id: string): Promise<number> {
  fill();
  for (let i = 0; world.store.fullSince === undefined && i < 300; i++) {
    await world.feed([ann.test[i % ann.test.length]!], [id]);
  }
  expect(world.store.fullSince).toBeDefined();
  return world.device(id).predictions.length;
}

const stored = (world: LoopWorld, id: string) =>
  world.store.samples.find({ device: id }).map(({ seq }) => seq);

describe('a gateway whose disk is full', () => {
  it('acknowledges nothing, and stores every window once when there is room', async () => {
    const world = await taught(['w1']);
    const seen = await fillUp(world, 'w1');
    await world.feed(ann.test.slice(0, 4), ['w1']);
    const made = seen + 4;
    const { session } = world.store.devices.get('w1')!;
    const kept = stored(world, 'w1').length;
    expect(kept).toBeLessThan(made);
    expect(world.store.samples.progress('w1', session).acked).toBeLessThanOrEqual(kept);
    makeRoom();
    for (let i = 0; i < 30; i++) await world.step();
    expect(stored(world, 'w1').sort((a, b) => a - b)).toEqual(
      Array.from({ length: made }, (_, i) => i + 1),
    );
    expect(world.store.fullSince).toBeUndefined();
    const { dropped, acked } = world.store.samples.progress('w1', session);
    expect([dropped, acked]).toEqual([0, made]);
    expect(world.events({ kind: 'store.full' }).length).toBe(1);
  });

  it('counts what a device had to forget meanwhile, once it can write again', async () => {
    const world = await taught(['w1']);
    await fillUp(world, 'w1');
    for (let i = 0; i < 60; i++) await world.feed([ann.test[i % ann.test.length]!], ['w1']);
    makeRoom();
    for (let i = 0; i < 40; i++) await world.step();
    const { session } = world.store.devices.get('w1')!;
    const { dropped } = world.store.samples.progress('w1', session);
    expect(dropped).toBeGreaterThan(0);
    expect(stored(world, 'w1').length + dropped).toBe(world.device('w1').predictions.length);
    const told = world.events({ kind: 'device.dropped' });
    expect(told.reduce((sum, { data }) => sum + (data.windows as number), 0)).toBe(dropped);
  });

  it('stays up: devices that come, go and restart meanwhile are greeted afterwards', async () => {
    const world = await taught(['w1', 'w2']);
    const { session: before } = world.store.devices.get('w2')!;
    await fillUp(world, 'w1');
    world.device('w2').restart();
    for (let i = 0; i < 10; i++) await world.step(10_000);
    await world.feed(ann.test.slice(0, 3), ['w2']);
    makeRoom();
    for (let i = 0; i < 20; i++) await world.step(10_000);
    const { session, state } = world.store.devices.get('w2')!;
    expect(session).not.toBe(before);
    expect(state).toBe(1);
    const own = world.store.samples.find({ device: 'w2' }).filter((s) => s.session === session);
    expect(own.map(({ seq }) => seq).sort()).toEqual([1, 2, 3]);
  });

  it('closes without a fault', async () => {
    const world = await taught(['w1']);
    await fillUp(world, 'w1');
    await world.end();
    makeRoom();
  });
});
