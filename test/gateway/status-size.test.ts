import { afterEach, expect, it, vi } from 'vitest';
import { compose } from '../../gateway/compose.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createService } from '../../gateway/service.ts';
import { LISTED, NEWEST } from '../../gateway/summaries.ts';
import { loadTask } from '../../gateway/task.ts';
import { meta, parts } from './registry/support.ts';

const DEVICES = 1000;
/** Bytes of a status that a device may have its share of, and of the rest. */
const PER_DEVICE = 600;
const REST = 60_000;
const ROLLOUTS = 14;

afterEach(() => void vi.useRealTimers());

/** A gateway of many devices that labels come from, which has drawn its lines for two minutes. */
async function crowd(count: number) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const task = loadTask('gesture');
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const gateway = compose({ task, directory: ':memory:', clock, automatic: false, seed: 1 });
  const { store, monitor, registry, loop } = gateway;
  const about = { board: 'banglejs2', task: task.name, tier: 'convolve', version: null };
  store.transaction(() => {
    for (let i = 0; i < count; i++) {
      const at = clock.now();
      store.devices.hello({ id: `watch-${i}`, ...about, session: 7, release: 1, state: 1, at });
    }
  });
  for (let i = 0; i < count; i++) {
    monitor.installed(`watch-${i}`, 1, { accuracy: 0.96, windows: 200 });
    for (let k = 0; k < 30; k++) {
      const seen = { embedding: null, window: null, at: k, cls: 1, score: 60 + ((i + k) % 9) };
      monitor.window(`watch-${i}`, { release: 1, ...seen });
      monitor.label(`watch-${i}`, {
        ...{ release: 1, said: 1, truth: (i + k) % 13 === 0 ? 2 : 1, score: 70, at: k },
      });
    }
  }
  const service = createService(gateway, { sentence: 'a crowd', startedAt: 0 });
  vi.advanceTimersByTime(130_000);
  // updates of the whole fleet, each superseding the one before
  for (let i = 0; i < ROLLOUTS; i++) {
    const version = registry.register(parts(i), meta(), null);
    const id = loop.rollouts.start(version, { who: 'the test', why: 'another' });
    if (i < ROLLOUTS - 1) loop.rollouts.stop(id, { who: 'the test', why: 'the next one' });
  }
  const end = async () => {
    service.close();
    await gateway.close();
  };
  return { service, end };
}

it('status() of a thousand devices has few bytes of each, whatever history there is', async () => {
  const { service, end } = await crowd(DEVICES);
  const status = await service.call.status();
  const bytes = JSON.stringify(status).length;
  const before = JSON.stringify({
    ...status,
    devices: await service.call.devices(),
    rollouts: await service.call.rollouts(),
  }).length;
  console.info(`status of ${DEVICES} devices: ${bytes} bytes; all that it sums up: ${before}`);
  expect(status.devices).toHaveLength(DEVICES);
  expect(bytes).toBeLessThan(DEVICES * PER_DEVICE + REST);
  expect(before).toBeGreaterThan(5 * bytes);
  // what is left out is asked for device by device, and rollout by rollout
  expect(status.rollouts.length).toBeLessThanOrEqual(NEWEST + 1);
  const last = status.rollouts.at(-1)!;
  expect([last.devices.length, last.total.devices]).toEqual([LISTED, DEVICES]);
  expect((await service.call.rollout(last.id)).devices).toHaveLength(DEVICES);
  const { history } = await service.call.device('watch-7');
  expect(history).toHaveLength(60);
  expect(status.devices[7]!.lately).toEqual([]);
  await end();
}, 120_000);

it('status() of a few devices has the newest of each line, thinned', async () => {
  const { service, end } = await crowd(3);
  const status = await service.call.status();
  const { history } = await service.call.device('watch-1');
  const [watch] = status.devices.filter(({ id }) => id === 'watch-1');
  expect(watch!.lately).toHaveLength(30);
  expect(watch!.lately.at(-1)).toBeCloseTo(history.at(-1)!.accuracy!, 4);
  await expect(service.call.rollout('none')).rejects.toMatchObject({ code: 'not-found' });
  await end();
});
