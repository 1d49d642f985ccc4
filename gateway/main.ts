import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { serveApi } from './api/server.ts';
import { createBudget } from './budget/budget.ts';
import { budgetSchema } from './budget/limits.ts';
import type { Gateway, StartOptions } from './calls.ts';
import { compose } from './compose.ts';
import { GatewayError } from './errors.ts';
import { unlessFull } from './full-disk.ts';
import { realClock } from './link/port.ts';
import { serialPort } from './link/serial.ts';
import { createService } from './service.ts';
import { PLOT, PLOT_MONITOR, type Story, tellStory } from './story.ts';
import { loadTask } from './task.ts';

/** Where samples, models and keys live when nothing else is said. */
export const DATA_DIR = '.whetstone';

/** A configuration file holds the options of `start`, in the form of {@link StartOptions}. */
const checkConfig = new Ajv2020().compile({
  type: 'object',
  additionalProperties: false,
  properties: {
    dataDir: { type: 'string', minLength: 1 },
    task: { type: 'string', minLength: 1 },
    host: { type: 'string', minLength: 1 },
    port: { type: 'integer', minimum: 0, maximum: 65535 },
    serial: { type: 'array', items: { type: 'string', minLength: 1 } },
    baud: { type: 'integer', minimum: 300 },
    virtual: { type: 'integer', minimum: 0, maximum: 200 },
    seed: { type: 'integer', minimum: 0 },
    budget: budgetSchema,
  },
});

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
  // a story is short: a watch that is never still for a minute shows soon what is normal
  const task =
    virtual > 0 ? { ...loaded, monitor: { ...loaded.monitor, ...PLOT_MONITOR } } : loaded;
  const directory = options.dataDir ?? DATA_DIR;
  const budget = createBudget(options.budget);
  const gateway = compose({ task, directory, clock: realClock, automatic: true, budget, seed });
  const { journal } = gateway.store;
  let story: Story | undefined;
  /** what has been opened, to be closed in the opposite order */
  const open: (() => void | Promise<void>)[] = [() => gateway.close()];
  const close = async (): Promise<void> => {
    for (let last = open.pop(); last !== undefined; last = open.pop()) await last();
  };
  try {
    const startedAt = Date.now();
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
      unlessFull(() => journal.write('gateway.stopped', '', {}, Date.now()));
    });
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

function readConfig(path: string | undefined): StartOptions {
  if (path === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const detail = (cause as Error).message.split('\n')[0];
    throw new GatewayError('bad-config', `configuration ${path} cannot be read: ${detail}`, {
      cause,
    });
  }
  if (checkConfig(value)) return value as StartOptions;
  const [error] = checkConfig.errors ?? [];
  const extra = error?.params.additionalProperty as string | undefined;
  const where = [...(error?.instancePath.split('/').slice(1) ?? []), extra]
    .filter(Boolean)
    .join('.');
  const names = 'dataDir, task, host, port, serial, baud, virtual, seed, budget';
  const problem = extra === undefined ? error?.message : `is not a field; fields: ${names}`;
  throw new GatewayError('bad-config', `configuration ${path}: ${where || 'it'} ${problem}`);
}

function sentenceOf(virtual: number, serial: readonly string[]): string {
  const watches = `${virtual} virtual watch${virtual === 1 ? '' : 'es'} on synthetic motion: no real sensor`;
  const boards = `${serial.length} board${serial.length === 1 ? '' : 's'} at ${serial.join(', ')}`;
  return (
    [...(serial.length > 0 ? [boards] : []), ...(virtual > 0 ? [watches] : [])].join('; ') ||
    'no devices'
  );
}
