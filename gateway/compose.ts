import { join } from 'node:path';
import { GROUP_MS } from './alarms.ts';
import { answersOf } from './answers.ts';
import { HEAD_FILE } from './audit/heads.ts';
import { createSealer, SEAL_EVERY_MS, type Sealer } from './audit/sealer.ts';
import type { Budget } from './budget/budget.ts';
import type { GatewayError } from './errors.ts';
import { unlessFull } from './full-disk.ts';
import { checkClasses } from './known-classes.ts';
import { checkTask } from './known-task.ts';
import { type Clock, steady } from './link/port.ts';
import { createLoop, type Loop } from './loop.ts';
import { createMonitor, type Monitor } from './monitor/monitor.ts';
import { rememberedBy } from './monitor-memory.ts';
import { openRegistry, type Registry } from './registry/registry.ts';
import { memorySigner, openSigner } from './registry/signing.ts';
import { createRetention, type Retention, type RetentionLimits } from './retention.ts';
import { openStore, type Store, type StoreOptions } from './store/store.ts';
import type { StoreKey } from './store/store-key.ts';
import type { Task } from './task.ts';

/** The modules of one gateway, bound to a loop. */
export interface Composed {
  task: Task;
  store: Store;
  registry: Registry;
  sealer: Sealer;
  monitor: Monitor;
  loop: Loop;
  /** never goes back, whatever is done to the computer's */
  clock: Clock;
  /** undefined where everything is kept */
  retention: Retention | undefined;
  /** Resolves when the store turns out to be damaged: close it, and say so. */
  damaged: Promise<GatewayError>;
  /** Ends the loop, stores what it remembers, gives the data directory free. */
  close(): Promise<void>;
}

export interface ComposeOptions {
  task: Task;
  /** where everything is kept; ':memory:' keeps nothing */
  directory: string;
  durability?: StoreOptions['durability'];
  clock: Clock;
  automatic: boolean;
  budget?: Budget;
  /** real boards may do with weaker suites than theirs */
  allowWeakLink?: boolean;
  /** a person is asked once the canaries of a rollout have passed; default: nobody is */
  approval?: 'none' | 'canary';
  seed: number;
  /** of an encrypted store */
  key?: StoreKey | undefined;
  /** how much is kept; everything without it */
  retention?: Partial<RetentionLimits>;
  /** ms that only ever grow, in step with time; by default the clock's */
  monotonic?: () => number;
}

/**
 * Opens a gateway's modules and takes up whatever was under way when it ended.
 *
 * @throws GatewayError 'in-use' if another process has the directory; 'store-key', 'damaged',
 *   'disk-read-only', 'store', 'bad-file' or 'not-allowed' if it or its key cannot be used; 'bad-task' if its data is of
 *   another task, or its classes are not those of before
 */
export function compose(options: ComposeOptions): Composed {
  const { task, directory, automatic, seed, durability, budget, key, monotonic } = options;
  const { allowWeakLink } = options;
  const { promise: damaged, resolve: onDamage } = Promise.withResolvers<GatewayError>();
  // the store's own events are in order with all others
  let { clock } = options;
  const now = (): number => clock.now();
  const store = openStore({ directory, now, key, onDamage, ...(durability && { durability }) });
  try {
    clock = steady(clock, store.latestAt());
    const signer =
      directory === ':memory:'
        ? memorySigner()
        : openSigner(join(directory, 'key.pem'), store.vault);
    const registry = openRegistry(store, signer, clock.now);
    const head = directory === ':memory:' ? undefined : join(directory, HEAD_FILE);
    const sealer = createSealer(store, registry.keyring, head, clock.now);
    checkTask(store, task);
    checkClasses(store, registry, task);
    const monitor = createMonitor(task.monitor, GROUP_MS, rememberedBy(store), {
      ...{ reads: answersOf(task), sensor: task.sensor },
      isMargin: task.kind === 'classification',
    });
    const settings = {
      ...{ automatic, seed, allowWeakLink: allowWeakLink === true },
      ...(budget && { budget }),
      ...(options.approval && { approval: options.approval }),
    };
    const loop = createLoop({ task, store, registry, monitor, clock, ...settings });
    let sealing = clock.setTimeout(seal, SEAL_EVERY_MS);
    function seal(): void {
      unlessFull(() => sealer.seal());
      sealing = clock.setTimeout(seal, SEAL_EVERY_MS);
    }
    const retention =
      options.retention &&
      createRetention({ store, clock, limits: options.retention, ...(monotonic && { monotonic }) });
    let closing: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      retention?.close();
      clock.clearTimeout(sealing);
      await loop.close();
      unlessFull(() => sealer.seal());
      store.close();
    };
    const close = (): Promise<void> => {
      closing ??= end();
      return closing;
    };
    const made = { task, store, registry, sealer, monitor, loop };
    return { ...made, clock, retention, damaged, close };
  } catch (error) {
    store.close();
    throw error;
  }
}
