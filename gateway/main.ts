import { serveApi } from './api/server.ts';
import { createBudget } from './budget/budget.ts';
import type { Gateway, StartOptions } from './calls.ts';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import { GatewayError } from './errors.ts';
import { unlessFull } from './full-disk.ts';
import { realClock } from './link/port.ts';
import { serialPort } from './link/serial.ts';
import { createService } from './service.ts';
import { PLOT, PLOT_MONITOR, type Story, tellStory } from './story.ts';
import { loadTask } from './task.ts';
import { startTeaching } from './teaching.ts';

/** Where samples, models and keys live when nothing else is said. */
export const DATA_DIR = '.whetstone';

/**
 * Starts a gateway: composes the modules, opens the ports, serves API and page.
 *
 * With no serial port named, a fleet of virtual watches on synthetic motion takes part, so that
 * everything can be seen without hardware.
 *
 * @param given what is said here goes before what the configuration file says
 * @throws GatewayError 'bad-config', 'bad-task', 'in-use', 'port', 'store'
 */
export async function startGateway(given: StartOptions = {}): Promise<Gateway> {
  const options = { ...readConfig(given.config), ...given };
  const { serial = [], baud = 115_200, seed = PLOT.seed } = options;
  const virtual = options.virtual ?? (serial.length === 0 ? PLOT.watches : 0);
  const loaded = loadTask(options.task ?? 'gesture');
  if (virtual > 0 && loaded.kind !== 'classification') {
    throw new GatewayError('bad-task', `no virtual watches for task '${loaded.name}'`, {
      hint: 'they make gestures; name the port of a real board: --port, or start none: --virtual 0',
    });
  }
  // a story is short: a watch that is never still for a minute shows soon what is normal
  const task =
    virtual > 0 ? { ...loaded, monitor: { ...loaded.monitor, ...PLOT_MONITOR } } : loaded;
  const directory = options.dataDir ?? DATA_DIR;
  const budget = createBudget(options.budget);
  const gateway = compose({ task, directory, clock: realClock, automatic: true, budget, seed });
  const { journal } = gateway.store;
  const { clock } = gateway;
  let story: Story | undefined;
  /** what has been opened, to be closed in the opposite order */
  const open: (() => void | Promise<void>)[] = [() => gateway.close()];
  const close = async (): Promise<void> => {
    for (let last = open.pop(); last !== undefined; last = open.pop()) await last();
  };
  try {
    const startedAt = clock.now();
    journal.write('gateway.started', '', { task: task.name, virtual, serial }, startedAt);
    const simulated = virtual > 0 && { simulated: (id: string) => story?.simulated(id) };
    const service = createService(gateway, {
      ...{ sentence: sentenceOf(virtual, serial), startedAt },
      ...simulated,
    });
    open.push(() => service.close());
    const api = await serveApi(service.call, hostAndPort(options));
    open.push(() => api.close());
    open.push(() => {
      unlessFull(() => journal.write('gateway.stopped', '', {}, clock.now()));
    });
    open.push(await startTeaching(gateway));
    for (const path of serial) await gateway.loop.attach(serialPort(path, { baud }));
    const plot = { ...PLOT, seed, watches: virtual, changing: Math.floor(virtual / 2) };
    if (virtual > 0) story = await tellStory(gateway, plot);
    open.push(() => story?.close());
    return { call: service.call, url: api.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hostAndPort({ host, port }: StartOptions): { host?: string; port?: number } {
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) };
}

function sentenceOf(virtual: number, serial: readonly string[]): string {
  const watches = `${virtual} virtual watch${virtual === 1 ? '' : 'es'} on synthetic motion: no real sensor`;
  const boards = `${serial.length} board${serial.length === 1 ? '' : 's'} at ${serial.join(', ')}`;
  return (
    [...(serial.length > 0 ? [boards] : []), ...(virtual > 0 ? [watches] : [])].join('; ') ||
    'no devices'
  );
}
