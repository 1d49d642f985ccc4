import { createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Composed, compose } from '../../compose.ts';
import { hashOf, modelBytes } from '../../heal.ts';
import { type Port, realClock } from '../../link/port.ts';
import { shortId } from '../../registry/manifest.ts';
import { loadTask } from '../../task.ts';
import { goldenVectors } from '../../train/model.ts';
import { tinyModel } from '../faults/tiny-model.ts';
import { boardOf, deviceId } from './device.ts';
import { piece, pieces } from './pieces.ts';

/** What the gateway of the benchmark is told. */
export interface DoorSetup {
  t: 'setup';
  socket: string;
  directory: string;
  suite: 'none' | 'ccm' | 'mac';
  devices: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What the process cost so far. */
export interface Mark {
  /** µs of processor time, all threads */
  cpuUs: number;
  /** bytes */
  rss: number;
  heap: number;
  /** windows in the store */
  stored: number;
}

/**
 * The gateway, in a process of its own: composed as `start` composes it, on a store on disk, each group
 * synced, the monitor on; its ports are the streams of one socket.
 */
async function open({ socket, directory, suite, devices }: DoorSetup) {
  const gateway = compose({
    ...{ task: loadTask('gesture'), directory, clock: realClock, automatic: true, seed: 1 },
    retention: {},
  });
  const version = Buffer.from(shortId(releaseOne(gateway))).toString('base64');
  const secrets: string[] = [];
  const receivers: ((bytes: Uint8Array) => void)[] = [];
  let feeder: Socket | undefined;
  let waiting: Uint8Array[] = [];
  const flush = (): void => {
    feeder?.write(Buffer.concat(waiting));
    waiting = [];
  };
  for (let i = 0; i < devices; i++) {
    if (suite !== 'none') {
      const { present } = gateway.store.keys.add(deviceId(i), {
        board: boardOf(suite),
        suite,
        at: 0,
      });
      const head = Uint8Array.of(present.generation, 0);
      secrets.push(Buffer.concat([head, present.up, present.down]).toString('base64'));
    }
    const port: Port = {
      name: `stream ${i}`,
      ...(suite === 'none' && { virtual: true }),
      open: async () => {},
      close: async () => {},
      write(bytes) {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(piece(i, bytes));
      },
      onData(receiver) {
        receivers[i] = receiver;
      },
      onClose: () => {},
    };
    await gateway.loop.attach(port);
  }
  const server = createServer((connected) => {
    feeder = connected;
    connected.on(
      'data',
      pieces((stream, bytes) => receivers[stream]!(bytes)),
    );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const mark = (): Mark => {
    collect();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const stored = gateway.store.counts().samples;
    const [foreign] = gateway.store.journal.find({ kind: 'device.foreign' });
    if (foreign !== undefined) throw new Error(`${foreign.subject} does not run release 1`);
    return { cpuUs: user + system, rss, heap: heapUsed + external, stored };
  };
  const close = async (): Promise<void> => {
    feeder?.destroy();
    server.close();
    await gateway.close();
  };
  return { secrets, version, mark, close };
}

/** Release 1, which the devices say they run: a model of random weights, whose windows are not looked at. @returns its version */
function releaseOne({ registry, store, task }: Composed): string {
  const [pre, backbone, head] = tinyModel(1).parts as [Uint8Array, Uint8Array, Uint8Array];
  const parts = { pre, backbone, head };
  const golden = goldenVectors(parts, task.window.samples * task.sensor.axes.length, 1, 2);
  const version = registry.register(
    parts,
    {
      ...{ task: task.name, taskHash: hashOf(task), scope: { kind: 'fleet', id: '' } },
      ...{ parent: null, budgets: { bytes: modelBytes(parts) } },
      golden: { seed: 1, count: 2, outputs: Int8Array.from(golden.outputs) },
      lineage: {
        dataSnapshot: store.catalogue.addSnapshot([], 0),
        ...{ codeVersion: 'bench', seed: 1, rung: 'whole' },
      },
    },
    null,
  );
  registry.release(version, 'benchmark');
  return version;
}

process.once('disconnect', () => process.exit()); // whoever measures is gone
process.once('message', async (setup: DoorSetup) => {
  const { secrets, version, mark, close } = await open(setup);
  process.on('message', async ({ t }: { t: 'mark' | 'close' }) => {
    if (t === 'mark') process.send?.({ t: 'mark', ...mark() });
    else {
      await close();
      process.exit(0);
    }
  });
  process.send?.({ t: 'open', secrets, version });
});
