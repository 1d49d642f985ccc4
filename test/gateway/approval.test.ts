import { expect, it } from 'vitest';
import { createRegimes } from '../../gateway/regimes.ts';
import { factsOf } from '../../gateway/schedule/facts.ts';
import { createService } from '../../gateway/service.ts';
import { loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 20 };
const task = quickTask({ rollout });
const { learn, test: own } = twoPeople(task, 12, 8).ann;
const about = { sentence: 'two watches', startedAt: 0 };

it('approveRollout() is what the rest waits for, and stopRollout() sends a device back', async () => {
  const ids = ['w1', 'w2'];
  const world = await loopWorld({ task, ids, approval: 'canary' });
  await world.step();
  await world.learn(learn);
  const { rollout: first } = await world.loop.heal({ kind: 'fleet', id: '' });
  expect(await world.finish(first!, own)).toBe('awaiting-approval');
  const known = factsOf({
    ...{ task, store: world.store, rollouts: world.loop.rollouts, wantsLabels: () => false },
    regimes: createRegimes(world.store, task),
  });
  expect(known.of({ kind: 'device', id: 'w1' })).toMatchObject({ busy: true, approval: first });
  // beyond the windows after which a trial would have ended by itself
  await world.feed(own.slice(0, 22));
  await world.restart();
  await world.step();
  const running = () => ids.map((id) => world.store.devices.get(id)?.version ?? null);
  expect(running().filter((version) => version !== null)).toHaveLength(1);
  const service = createService(world.gateway, about);
  try {
    const approved = await service.call.approveRollout(first!, 'ann (operator)');
    expect(approved).toMatchObject({ stage: 'rest', reason: 'approved by ann (operator)' });
    expect(await world.finish(first!, own)).toBe('settled');
    const [version] = running();
    expect(running()).toEqual([version, version]);

    // a scope of one device: it is its own canary, and keeps it meanwhile
    const { version: copy } = await copyFor(world, 'w1', version!);
    const { id } = await service.call.promote(copy);
    expect(await world.finish(id, own)).toBe('awaiting-approval');
    expect(running()).toEqual([copy, version]);
    const trainings = () => world.events({ kind: 'train.started' }).length;
    const before = trainings();
    await expect(service.call.train({ scope: 'device:w1' })).rejects.toThrow(
      `rollout ${id.slice(0, 8)} to device:w1 waits for a person`,
    );
    expect(trainings()).toBe(before);
    await service.call.stopRollout(id, { reason: 'not this one' });
    await world.step();
    expect(await world.finish(id, own)).toBe('returned');
    expect(running()).toEqual([version, version]);
    const [rollouts] = (await service.call.rollouts()).slice(-1);
    expect(rollouts?.reason).toBe('stopped by person: not this one');
  } finally {
    service.close();
  }
});

/** The same parts, registered as a version of one device alone. */
async function copyFor(
  { gateway }: Awaited<ReturnType<typeof loopWorld>>,
  device: string,
  version: string,
): Promise<{ version: string }> {
  const { manifest } = gateway.registry.get(version);
  const { golden, taskHash, lineage, budgets } = manifest;
  const made = gateway.registry.register(
    gateway.registry.parts(version),
    {
      ...{ task: task.name, taskHash, golden, budgets, parent: version },
      ...{ scope: { kind: 'device', id: device }, lineage },
    },
    null,
  );
  return { version: made };
}
