import { unlessFull } from './full-disk.ts';
import type { DeviceState, Monitor, MonitorState, SharedState } from './monitor/monitor.ts';
import type { Store } from './store/store.ts';

/** Keeps in the store what the monitor remembers, so that a restart loses little of it. */
export interface MonitorMemory {
  /** A window of a device was watched: from time to time that is worth being stored. */
  window(device: string): void;
  /** Something happened to a device that must not be forgotten: it is stored with the next group. */
  save(device: string): void;
  /** Stores all of it: the gateway ends. */
  saveAll(): void;
}

/** What the memory works with. */
export interface MemoryParts {
  store: Pick<Store, 'states'>;
  monitor: Pick<Monitor, 'shared' | 'stateOf' | 'devices'>;
  /** ms */
  now: () => number;
  /** what is stored by name beside it, whenever it has changed */
  others: () => Record<string, unknown>;
}

/**
 * Windows of a device, and time, after which what is remembered of it is stored again: a crash costs no
 * more than the longer of both. Oftener it would be most of what a gateway of many devices does.
 */
const UNSAVED = 50;
const UNSAVED_MS = 10_000;
/** Time between two devices that are due at once, so that no window waits for all of them. */
const BETWEEN_MS = 5;
/** Name of what is shared; devices are stored beside it. */
const SHARED = 'monitor';
const nameOf = (device: string): string => `${SHARED}:${device}`;

/** @param parts where it comes from and goes to */
export function createMonitorMemory({ store, monitor, now, others }: MemoryParts): MonitorMemory {
  const windows = new Map<string, { count: number; savedMs: number }>();
  const due = new Set<string>();
  const written = new Map<string, string>();
  let lastMs = -Infinity;
  let sharedMs = -Infinity;

  function put(name: string, value: unknown, onFail: () => void): void {
    store.states.save(name, value).catch(onFail); // a full disk: the next window tries again
  }

  function saveShared(): void {
    sharedMs = now();
    for (const [name, value] of Object.entries({ [SHARED]: monitor.shared(), ...others() })) {
      const json = JSON.stringify(value);
      if (written.get(name) === json) continue;
      written.set(name, json);
      put(name, value, () => written.delete(name));
    }
  }

  function saveDevice(device: string): void {
    due.delete(device);
    lastMs = now();
    windows.set(device, { count: 0, savedMs: lastMs });
    put(nameOf(device), monitor.stateOf(device), () => due.add(device));
  }

  return {
    window(device) {
      const known = windows.get(device);
      if (known === undefined) windows.set(device, { count: 1, savedMs: -Infinity });
      else if (++known.count >= UNSAVED && now() - known.savedMs >= UNSAVED_MS) due.add(device);
      if (due.size === 0 || now() - lastMs < BETWEEN_MS) return;
      for (const first of due) {
        saveDevice(first);
        break;
      }
      if (lastMs - sharedMs >= UNSAVED_MS) saveShared();
    },
    save(device) {
      saveDevice(device);
      saveShared();
    },
    saveAll() {
      for (const device of monitor.devices) saveDevice(device);
      saveShared();
    },
  };
}

/**
 * What was remembered when the gateway ended.
 *
 * Before devices were stored one by one, all of them were in one state: they are parted here, once.
 */
export function rememberedBy(
  store: Pick<Store, 'states' | 'transaction'>,
): MonitorState | undefined {
  const shared = store.states.load<SharedState & Partial<MonitorState>>(SHARED);
  if (shared === undefined) return undefined;
  const { devices: together = {}, ...rest } = shared;
  if (Object.keys(together).length > 0) {
    unlessFull(() =>
      store.transaction(() => {
        for (const [id, state] of Object.entries(together)) store.states.saveNow(nameOf(id), state);
        store.states.saveNow(SHARED, rest);
      }),
    );
  }
  return { ...rest, devices: { ...together, ...store.states.loadAll<DeviceState>(nameOf('')) } };
}
