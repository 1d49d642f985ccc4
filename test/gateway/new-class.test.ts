import { describe, expect, it } from 'vitest';
import type { Recording } from '../../gateway/recordings.ts';
import type { Scope } from '../../gateway/registry/manifest.ts';
import type { Task } from '../../gateway/task.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const classes = ['swiperight', 'swipeleft', 'upup', 'clap2', 'random', 'waggle'];
const six = quickTask({
  classes,
  rollout: { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 },
});
const NEW = 5;
/** The task before its last class was written down. */
const five = shorter(six);
const { ann } = twoPeople(six, 16, 1);
const old = (windows: readonly Recording[]) => windows.filter(({ cls }) => cls < NEW);
const fresh = [...ann.learn, ...ann.test].filter(({ cls }) => cls === NEW);
const [shown, unseen] = [fresh.slice(0, 5), fresh.slice(5)];

function shorter(task: Task): Task {
  const cut = (layers: Task['architecture']['layers']) =>
    layers.map((layer, i) =>
      i === layers.length - 1 ? { ...layer, units: NEW } : layer,
    ) as typeof layers;
  const { layers, deeper } = task.architecture;
  const architecture = { ...task.architecture, layers: cut(layers), deeper: cut(deeper!) };
  return { ...task, classes: task.classes.slice(0, NEW), architecture };
}

/** A device that was built and taught for five classes, on a gateway that now has six. */
async function taught(ids: string[]): Promise<LoopWorld> {
  const world = await loopWorld({ task: five, ids });
  await world.step();
  await world.teach(old(ann.learn), old(ann.test));
  await world.restart(six);
  await world.feed(old(ann.learn).slice(0, 2)); // the devices say hello again
  return world;
}

/** The device sees windows, and somebody says what each was. */
async function label(world: LoopWorld, windows: readonly Recording[], cls?: number) {
  const [id] = [...world.devices.keys()];
  for (const recording of windows) {
    await world.feed([recording], [id!]);
    const [sample] = world.store.samples.latest(id!, 1);
    const truth = world.loop.truth({
      ...{ sample: sample!.id, cls: cls ?? recording.cls, source: 'person', trust: 1 },
    });
    world.store.flush();
    await truth;
  }
  await world.step(); // the last raw window is fetched
}

const scopes: [string, Scope][] = [
  ['a device', { kind: 'device', id: 'w1' }],
  ['the fleet', { kind: 'fleet', id: '' }],
];

describe('a class that is appended to the task', () => {
  it.each(scopes)(
    'is learnt from five labels for %s, and the others are kept',
    async (_, scope) => {
      const world = await taught(['w1', 'w2']);
      const before = await world.accuracyOf('w1', old(ann.test));
      expect(await world.accuracyOf('w1', unseen)).toBe(0);
      await world.feed(old(ann.learn).slice(0, 20));
      await label(world, shown);
      const { rollout, reason, attempts } = await world.loop.heal(scope);
      expect(rollout, reason).not.toBeNull();
      expect(attempts.map(({ rung }) => rung)).toEqual(['head']);
      expect(attempts[0]!.report.evidence.windows).toBeGreaterThan(20);
      expect(await world.finish(rollout!, [...old(ann.test), ...unseen])).toBe('settled');
      expect(await world.accuracyOf('w1', unseen)).toBeGreaterThanOrEqual(0.9);
      expect(await world.accuracyOf('w1', old(ann.test))).toBeGreaterThanOrEqual(before - 0.02);
      expect((await world.accuracyOf('w2', unseen)) > 0).toBe(scope.kind === 'fleet');
      const tests = world.events({ kind: 'device.selftest' });
      expect(tests.length).toBeGreaterThan(2);
      expect(tests.every(({ data }) => data.equal === true)).toBe(true);
      const quarantined = world.store.samples.find({ quarantined: true });
      expect(quarantined).toEqual([]);
    },
  );

  it('is not learnt where its labels name an old gesture anew', async () => {
    const world = await taught(['w1']);
    await label(world, ann.learn.filter(({ cls }) => cls === 0).slice(0, 8), NEW);
    const { version, reason } = await world.loop.heal(scopes[0]![1]);
    expect(version, reason).toBeNull();
    expect(reason).toMatch(/learns waggle|keeps recordings|class swiperight/);
  });

  it('waits for five labels, and says so', async () => {
    const world = await taught(['w1']);
    await label(world, shown.slice(0, 4));
    expect(await world.loop.heal(scopes[0]![1])).toMatchObject({
      ...{ version: null, attempts: [] },
      reason: `a new class is learnt from 5 labels, in the order of the task's classes: ${six.classes[NEW]} has 4`,
    });
  });

  it('may not be taken away again, nor any be renamed', async () => {
    const world = await taught(['w1']);
    await expect(world.restart(five)).rejects.toThrow("number 6 was 'waggle' and is nothing");
    const renamed = six.classes.with(0, 'slap');
    await expect(world.restart({ ...six, classes: renamed })).rejects.toThrow(
      "task 'gesture' was begun with other classes; number 1 was 'swiperight' and is slap",
    );
    await world.restart(six);
  });
});
