import { expect, it } from 'vitest';
import { createService, type Service } from '../../gateway/service.ts';
import { EPOCH_MS, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const rollout = { canaryShare: 1, soakWindows: 3, trialWindows: 40 };
const send = { confidentOneIn: 1, uncertainBelow: 48, rawOneIn: 0 };
const task = quickTask({ rollout, send });
const people = twoPeople(task, 12, 8);
const about = { sentence: 'two watches', startedAt: 0 };

it('history() tells of accuracy, drift and what happened, the same after a restart', async () => {
  const world = await loopWorld({ task, ids: ['w1', 'w2'] });
  let service: Service = createService(world.gateway, about);
  try {
    await world.step();
    await world.teach(people.ann.learn, people.ann.test);
    const began = world.clock.now();
    // somebody else wears one of them, and two of three labels say that it errs
    await world.feed(people.ann.test.slice(0, 5), ['w2']);
    await world.feed(people.ann.test.slice(0, 30), ['w1']);
    const [last] = world.store.samples.latest('w1', 1);
    await world.feed(people.bob.test.slice(0, 30), ['w1']);
    const samples = world.store.samples.find({ device: 'w1', afterId: last!.id });
    for (const [i, { id, cls }] of samples.slice(0, 9).entries()) {
      const truth = i % 3 === 0 ? cls : (cls + 1) % 6;
      const added = world.loop.truth({ sample: id, cls: truth, source: 'person', trust: 1 });
      await world.step(1);
      await added;
    }
    const to = world.clock.now();
    const ask = { scope: 'device:w1', from: began, to, points: 20 };
    const seen = await service.call.history(ask);
    const { points, marks } = seen;
    expect(points).toHaveLength(20);
    expect(points[1]!.at - points[0]!.at).toBe(Math.ceil((to - began) / 20));
    const sum = (name: 'windows' | 'labels') =>
      points.reduce((total, point) => total + point[name], 0);
    const count = world.store.samples.count({ device: 'w1', since: began, until: to });
    expect([sum('windows'), sum('labels')]).toEqual([count, 9]);
    const right = points.reduce(
      (total, { labels, accuracy }) => total + labels * (accuracy ?? 0),
      0,
    );
    expect(right).toBeCloseTo(3);
    for (const { windows, labels, score, accuracy } of points) {
      expect([score === null, accuracy === null]).toEqual([windows === 0, labels === 0]);
    }
    const estimated = points.flatMap((point) => point.estimated ?? []);
    const drift = points.flatMap((point) => point.drift ?? []);
    expect(estimated.length).toBeGreaterThan(1);
    expect(Math.max(...drift)).toBe(1);
    expect(Math.min(...drift)).toBeLessThan(0.5);
    const kinds = marks.map(({ kind, subject }) => [kind, subject]);
    expect(kinds).toContainEqual(['alarm', 'w1']);
    expect(kinds).toContainEqual(['labels', 'w1']);
    expect(kinds.map(([, subject]) => subject)).not.toContain('w2');
    expect(marks.map(({ at }) => at)).toEqual(marks.map(({ at }) => at).toSorted((a, b) => a - b));
    const labels = marks.filter(({ kind }) => kind === 'labels');
    expect(labels.map(({ text }) => Number.parseInt(text, 10)).reduce((a, b) => a + b)).toBe(9);

    // of the fleet from its first window on: recordings that were read in are no windows of it
    const all = await service.call.history({ to });
    const stored = ['w1', 'w2'].map((id) => world.store.samples.count({ device: id, until: to }));
    const windows = all.points.reduce((total, point) => total + point.windows, 0);
    expect(windows).toBe(stored[0]! + stored[1]!);
    const { version } = world.store.devices.get('w1')!;
    const { marks: ever } = await service.call.history({ from: EPOCH_MS, to });
    expect(ever).toContainEqual(expect.objectContaining({ kind: 'update', version }));
    const trial = await service.call.history({ scope: 'device:w2', from: EPOCH_MS, to });
    expect(trial.marks).toContainEqual({
      ...{ at: expect.any(Number), kind: 'update', subject: 'w2', version },
      text: `${version!.slice(0, 8)} runs on trial`,
    });

    service.close();
    await world.restart();
    service = createService(world.gateway, about);
    expect(await service.call.history(ask)).toEqual(seen);
    expect(await service.call.history({ to })).toEqual(all);

    const none = service.call.history({ scope: 'device:w9' });
    await expect(none).rejects.toMatchObject({ code: 'not-found', message: /'device:w9'/ });
  } finally {
    service.close();
  }
});
