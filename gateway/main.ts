import { keepAdminToken } from './admin-token.ts';
import { type ApiOptions, serveApi } from './api/server.ts';
import { tlsCredentials } from './api/tls.ts';
import { createBudget } from './budget/budget.ts';
import type { Gateway, NewPort, StartOptions } from './calls.ts';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import { GatewayError } from './errors.ts';
import { learnFirstModel } from './first-model.ts';
import { unlessFull } from './full-disk.ts';
import { blePort } from './link/ble.ts';
import { bleRadio } from './link/ble-radio.ts';
import { realClock } from './link/port.ts';
import { serialPort } from './link/serial.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createPorts } from './ports.ts';
import { watchReadiness } from './readiness.ts';
import { DATA_DIR, writeRunFile } from './run-file.ts';
import { createService } from './service.ts';
import { readStoreKey } from './store/store-key.ts';
import { PLOT, PLOT_MONITOR, type Story, tellStory } from './story.ts';
import { gestureNames } from './synthetic/gestures.ts';
import { loadTask } from './task.ts';
import { startTeaching } from './teaching.ts';

/**
 * Starts a gateway: composes the modules, opens the ports, serves API and page.
 *
 * With no port named, a fleet of virtual watches on synthetic motion takes part, so that
 * everything can be seen without hardware.
 *
 * @param given what is said here goes before what the configuration file says
 * @param log what goes wrong while it serves
 * @throws GatewayError 'bad-config', 'bad-task', 'bad-recordings', 'in-use', 'port', 'store', 'store-key', 'damaged'
 */
export async function startGateway(given: StartOptions = {}, log?: Log): Promise<Gateway> {
  const options = { ...readConfig(given.config), ...given };
  const { serial = [], ble = [], baud = 115_200, seed = PLOT.seed } = options;
  const boards = [...serial, ...ble];
  const virtual = options.virtual ?? (boards.length === 0 ? PLOT.watches : 0);
  const loaded = loadTask(options.task ?? 'gesture');
  if (virtual > 0 && loaded.kind !== 'classification') {
    throw new GatewayError('bad-task', `no virtual watches for task '${loaded.name}'`, {
      hint: 'they make gestures; name the port of a real board: --port, or start none: --virtual 0',
    });
  }
  const unknown = loaded.classes.find((name) => !gestureNames.includes(name));
  if (virtual > 0 && unknown !== undefined) {
    throw new GatewayError('bad-task', `no virtual watch makes the gesture '${unknown}'`, {
      hint: `they make ${gestureNames.join(', ')}; name the port of a real board: --port, or start none: --virtual 0`,
    });
  }
  // a story is short: a watch that is never still for a minute shows soon what is normal
  const task =
    virtual > 0 ? { ...loaded, monitor: { ...loaded.monitor, ...PLOT_MONITOR } } : loaded;
  const directory = options.dataDir ?? DATA_DIR;
  const budget = createBudget(options.budget);
  const { allowWeakLink = false } = options;
  const gateway = compose({
    ...{ task, directory, clock: realClock, automatic: true, budget, seed, allowWeakLink },
    approval: options.approval ?? task.rollout.approval ?? 'none',
    ...{ key: readStoreKey(options.keyFile), retention: options.retention ?? {} },
    monotonic: () => performance.now(),
  });
  const { clock } = gateway;
  const { journal } = gateway.store;
  let story: Story | undefined;
  const radio = bleRadio();
  /** what has been opened, to be closed in the opposite order */
  const open: (() => void | Promise<void>)[] = [() => radio.close(), () => gateway.close()];
  const close = async (): Promise<void> => {
    for (let last = open.pop(); last !== undefined; last = open.pop()) await last();
  };
  try {
    const startedAt = clock.now();
    const started = { task: task.name, virtual, serial, ble, allowWeakLink };
    journal.write('gateway.started', '', started, startedAt);
    const named: NewPort[] = [
      ...serial.map((name) => ({ kind: 'serial', name }) as const),
      ...ble.map((name) => ({ kind: 'ble', name }) as const),
    ];
    const ports = createPorts(gateway, named, ({ kind, name }) =>
      kind === 'serial' ? serialPort(name, { baud }) : blePort(radio, name),
    );
    const simulated = virtual > 0 && { simulated: (id: string) => story?.simulated(id) };
    const service = createService(gateway, {
      ...{ sentence: sentenceOf(virtual, boards, allowWeakLink), startedAt, allowWeakLink },
      ...{ keyFile: options.keyFile, ports: ports.calls },
      ...simulated,
    });
    open.push(() => service.close());
    const readiness = watchReadiness(gateway);
    open.push(() => readiness.close());
    const metrics = createMetrics(gateway);
    open.push(() => metrics.close());
    const api = await serveApi(service.call, {
      ...servedAs(options),
      ...{ access: service.access, ready: readiness.look, metrics },
      ...(log && { log }),
    });
    open.push(() => api.close());
    // now that it serves: a start that fails tells nobody where the token is
    let adminToken: string | undefined;
    service.ensureAdmin((token) => {
      adminToken = keepAdminToken(directory, token);
    });
    open.push(writeRunFile(directory, { url: api.url, pid: process.pid, cert: api.cert }));
    open.push(() => {
      unlessFull(() => journal.write('gateway.stopped', '', {}, clock.now()));
    });
    open.push(await startTeaching(gateway));
    if (options.recordings !== undefined) await learnFirstModel(gateway, options.recordings);
    // one that is not there yet is no reason to keep the others waiting
    await ports.open();
    const plot = { ...PLOT, seed, watches: virtual, changing: Math.floor(virtual / 2) };
    if (virtual > 0) story = await tellStory(gateway, plot);
    open.push(() => story?.close());
    return {
      ...{ call: service.call, url: api.url, damaged: gateway.damaged, close },
      adminToken: adminToken ?? null,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function servedAs(options: StartOptions): ApiOptions {
  const { host, port, names, requireToken, tls = tlsCredentials(process.env) } = options;
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(tls !== undefined && { tls }),
    ...(names !== undefined && { names }),
    ...(requireToken !== undefined && { requireToken }),
  };
}

function sentenceOf(virtual: number, ports: readonly string[], isWeak: boolean): string {
  const watches = `${virtual} virtual watch${virtual === 1 ? '' : 'es'} on synthetic motion: no real sensor`;
  const boards = `${ports.length} board${ports.length === 1 ? '' : 's'} at ${ports.join(', ')}`;
  return (
    [
      ...(ports.length > 0 ? [boards] : []),
      ...(virtual > 0 ? [watches] : []),
      ...(isWeak ? ['WEAK LINKS ARE ALLOWED: boards may speak without keys'] : []),
    ].join('; ') || 'no devices'
  );
}
