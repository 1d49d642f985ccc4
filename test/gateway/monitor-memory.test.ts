import { expect, it } from 'vitest';
import { createMonitor } from '../../gateway/monitor/monitor.ts';
import { createMonitorMemory, rememberedBy } from '../../gateway/monitor-memory.ts';
import { openStore, type Store } from '../../gateway/store/store.ts';

const seen = { release: 1, cls: 2, score: 90, embedding: null, window: null };

function world() {
  const store = openStore({ directory: ':memory:' });
  const monitor = createMonitor();
  const clock = { now: 0 };
  const others = { regimes: {} as Record<string, number> };
  const memory = createMonitorMemory({
    ...{ store, monitor, now: () => clock.now },
    others: () => others,
  });
  const windows = (device: string, count: number): void => {
    for (let i = 0; i < count; i++) {
      clock.now += 100;
      monitor.window(device, { ...seen, at: clock.now });
      memory.window(device);
    }
    store.flush();
  };
  return { store, monitor, memory, windows, others };
}

const stored = (store: Store) => rememberedBy(store)?.devices ?? {};

it('createMonitorMemory() stores a device after 50 windows of its own, then not before ten seconds', () => {
  const { store, monitor, windows } = world();
  windows('a', 49);
  windows('b', 1);
  expect(stored(store)).toEqual({});
  windows('a', 1);
  expect(stored(store)).toEqual({ a: monitor.state().devices.a });
  const first = stored(store).a;
  windows('a', 98);
  expect(stored(store).a).toEqual(first);
  windows('a', 3);
  expect(stored(store).a).not.toEqual(first);
});

it('save() stores one device and what is shared, saveAll() everything, for a monitor to go on from', () => {
  const { store, monitor, memory, windows, others } = world();
  windows('a', 5);
  windows('b', 5);
  others.regimes = { a: 7 };
  memory.save('a');
  store.flush();
  expect(Object.keys(stored(store))).toEqual(['a']);
  expect(store.states.load('regimes')).toEqual({ a: 7 });
  memory.saveAll();
  store.flush();
  expect(rememberedBy(store)).toEqual(monitor.state());
  expect(createMonitor(undefined, undefined, rememberedBy(store)).state()).toEqual(monitor.state());
});

it('rememberedBy() parts what an earlier release stored as one', () => {
  const { store, monitor, windows } = world();
  windows('a', 5);
  windows('b', 5);
  store.states.saveNow('monitor', monitor.state());
  const state = monitor.state();
  expect(rememberedBy(store)).toEqual(state);
  expect(store.states.load('monitor:a')).toEqual(state.devices.a);
  expect(store.states.load('monitor')).not.toHaveProperty('devices');
  expect(rememberedBy(store)).toEqual(state);
});

it('rememberedBy() remembers nothing of a new store', () => {
  expect(rememberedBy(world().store)).toBeUndefined();
});
