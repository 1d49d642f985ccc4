import { join } from 'node:path';
import { GROUP_MS } from './alarms.ts';
import { answersOf } from './answers.ts';
import type { Budget } from './budget/budget.ts';
import { checkClasses } from './known-classes.ts';
import { type Clock, steady } from './link/port.ts';
import { createLoop, type Loop } from './loop.ts';
import { createMonitor, type Monitor, type MonitorState } from './monitor/monitor.ts';
import { openRegistry, type Registry } from './registry/registry.ts';
import { memorySigner, openSigner } from './registry/signing.ts';
import { openStore, type Store, type StoreOptions } from './store/store.ts';
import type { Task } from './task.ts';

/** The modules of one gateway, bound to a loop. */
export interface Composed {
  task: Task;
  store: Store;
  registry: Registry;
  monitor: Monitor;
  loop: Loop;
  /** never goes back, whatever is done to the computer's */
  clock: Clock;
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
  seed: number;
}

/**
 * Opens a gateway's modules and takes up whatever was under way when it ended.
 *
 * @throws GatewayError 'in-use' if another process has the directory; 'store', 'bad-file' or
 *   'not-allowed' if it or its key cannot be used; 'bad-task' if its classes are not those of before
 */
export function compose(options: ComposeOptions): Composed {
  const { task, directory, automatic, seed, durability, budget } = options;
  const store = openStore({ directory, now: options.clock.now, ...(durability && { durability }) });
  try {
    const [newest] = store.journal.find({ order: 'newest', limit: 1 });
    const clock = steady(options.clock, newest?.at);
    const signer =
      directory === ':memory:' ? memorySigner() : openSigner(join(directory, 'key.pem'));
    const registry = openRegistry(store, signer, clock.now);
    checkClasses(store, registry, task);
    const remembered = store.states.load<MonitorState>('monitor');
    const monitor = createMonitor(task.monitor, GROUP_MS, remembered, {
      ...{ reads: answersOf(task), sensor: task.sensor },
      isMargin: task.kind === 'classification',
    });
    const settings = { automatic, seed, ...(budget && { budget }) };
    const loop = createLoop({ task, store, registry, monitor, clock, ...settings });
    let closing: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      await loop.close();
      store.close();
    };
    const close = (): Promise<void> => {
      closing ??= end();
      return closing;
    };
    return { task, store, registry, monitor, loop, clock, close };
  } catch (error) {
    store.close();
    throw error;
  }
}
