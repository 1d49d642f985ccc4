import { type Bundle, buildBundle } from '../../../device/build.ts';
import { firstRecord } from '../../../device/first-record.ts';
import { loadBoard } from '../../board.ts';
import type { KeyRing } from '../../link/keys.ts';
import { type Port, pairedPorts } from '../../link/port.ts';
import { createVirtualDevice } from '../../link/virtual/device.ts';
import { VirtualFlash } from '../../link/virtual/flash.ts';
import { VirtualStorage } from '../../link/virtual/storage.ts';
import { openStore } from '../../store/store.ts';
import type { Task } from '../../task.ts';
import { type CountedPort, countedPort, pacedPort } from './paced-port.ts';

/** A board's bundle on a double of it. */
export interface BenchDevice {
  port: Port;
  keys: KeyRing | undefined;
  dispose(): Promise<void>;
}

/** A way to a device, and one of the same kind to nobody who answers. */
export interface BenchLink {
  name: string;
  port: CountedPort;
  /** Sends bytes as they are. @returns ms until the last has arrived */
  raw(bytes: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Bundles that were built, by what is in them. */
const bundles = new Map<string, Bundle>();

/** 115,200 baud: ten bits a byte. */
const BYTES_PER_SECOND = 11_520;

/**
 * Boots a device that was flashed just now: keys, no model.
 *
 * @param suite 'none' for one without keys
 */
export async function benchDevice(
  boardName: string,
  task: Task,
  suite: 'ccm' | 'none',
): Promise<BenchDevice> {
  const board = loadBoard(boardName);
  const key = `${boardName}, ${suite}, ${task.name}`;
  const bundle = bundles.get(key) ?? (await buildBundle({ board, task, suite }));
  bundles.set(key, bundle);
  if (suite === 'none') {
    const device = createVirtualDevice({ bundle, id: boardName, board });
    return { port: device.port, keys: undefined, dispose: () => device.dispose() };
  }
  const store = openStore({ directory: ':memory:' });
  const { present } = store.keys.add(boardName, { board: boardName, suite, at: 0 });
  const { start, pageBytes } = board.flash;
  const flash = new VirtualFlash(board.flash);
  new VirtualStorage(flash).write('ws.slot', 'ws', 0, (3 + 2 * board.slotPages) * pageBytes - 32);
  flash.write(start + pageBytes, firstRecord({ ...present, sequence: 1 }));
  const device = createVirtualDevice({ bundle, id: boardName, board, flash: flash.image() });
  return {
    port: device.port,
    keys: store.keys,
    dispose: async () => {
      await device.dispose();
      store.close();
    },
  };
}

/** A serial line at 115,200 baud. */
export async function serialLink(device: Port): Promise<BenchLink> {
  const [near, far] = pairedPorts();
  const line = pacedPort(near, BYTES_PER_SECOND);
  await Promise.all([line.open(), far.open()]);
  return {
    name: 'serial, 115,200 baud',
    port: pacedPort(device, BYTES_PER_SECOND),
    raw: (bytes) => sendRaw(line, far, bytes),
    close: () => line.close(),
  };
}

/**
 * A radio: noble and its HCI, on a controller in this computer.
 *
 * @param mtu of the board
 * @throws GatewayError 'missing-tool' without socat; Error without noble
 */
export async function bleLink(device: Port, mtu: number): Promise<BenchLink> {
  const [{ bleAir }, { bleRadio }, { blePort }] = await Promise.all([
    import('../../link/virtual/ble-air.ts'),
    import('../../link/ble-radio.ts'),
    import('../../link/ble.ts'),
  ]);
  const air = await bleAir();
  const radio = bleRadio(air.noble);
  const [near, far] = pairedPorts();
  await air.add(device, { address: 'c0:00:00:00:00:01', name: 'device', mtu });
  await air.add(near, { address: 'c0:00:00:00:00:02', name: 'nobody', mtu });
  const nobody = blePort(radio, 'nobody');
  await Promise.all([nobody.open(), far.open()]);
  return {
    name: 'Bluetooth',
    port: countedPort(blePort(radio, 'device')),
    raw: (bytes) => sendRaw(nobody, far, bytes),
    close: async () => {
      await nobody.close();
      radio.close();
      await air.close();
    },
  };
}

function sendRaw(port: Port, far: Port, bytes: Uint8Array): Promise<number> {
  const begun = performance.now();
  let arrived = 0;
  return new Promise((resolve) => {
    far.onData((piece) => {
      arrived += piece.length;
      if (arrived >= bytes.length) resolve(performance.now() - begun);
    });
    port.write(bytes);
  });
}
