import { randomBytes } from 'node:crypto';
import { MOST_SEQUENCE } from '../../device/first-record.ts';
import { GatewayError } from '../errors.ts';
import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';
import type { Vault } from './vault.ts';

/** One generation of a device's keys, 16 bytes for each direction. */
export interface KeyPair {
  generation: number;
  up: Uint8Array;
  down: Uint8Array;
}

/** The keys of one device, and how far both sides have counted. */
export interface DeviceKeys {
  device: string;
  board: string;
  suite: 'ccm' | 'mac';
  present: KeyPair;
  pending: KeyPair | null;
  /** the gateway's epoch that was begun last, and the one that the device has spoken under last */
  epoch: number;
  provenEpoch: number;
  deviceEpoch: number;
  port: string;
  /** ms since 1970 */
  addedAt: number;
  /** when the present keys came into use on both sides */
  rotatedAt: number;
}

/** A device that had keys: it is refused for good, or until it gets new ones. */
export interface RemovedKeys
  extends Pick<DeviceKeys, 'device' | 'board' | 'suite' | 'addedAt' | 'rotatedAt'> {
  removedAt: number;
}

/** Per-device keys of the link. Everything that changes is committed before a call returns. */
export interface Keys {
  get(device: string): DeviceKeys | undefined;
  /** whether a device has keys, or had some */
  knows(device: string): boolean;
  list(): readonly DeviceKeys[];
  removed(): RemovedKeys[];
  /**
   * Draws keys for a device, generation 1.
   *
   * @param options replace: the device has keys already, and is flashed again
   * @throws GatewayError 'not-allowed' if it has keys and they are not to be replaced, or if its epochs are
   *   used up
   */
  add(
    device: string,
    of: { board: string; suite: 'ccm' | 'mac'; at: number },
    options?: { replace?: boolean },
  ): DeviceKeys;
  /**
   * Draws the next generation; both are taken until the device speaks under it. Where one is on its
   * way already, it stays.
   *
   * @throws GatewayError 'not-found'
   */
  rotate(device: string): DeviceKeys;
  /** Forgets the keys, not that there were some. @throws GatewayError 'not-found' */
  remove(device: string, at: number): void;
  /** Begins an epoch of the gateway's with a device, which is in `deviceEpoch`. */
  begin(device: string, deviceEpoch: number): number;
  /** The device, in its epoch, has spoken under the gateway's, on this port: whoever was there before is gone. */
  prove(device: string, of: Pick<DeviceKeys, 'epoch' | 'deviceEpoch' | 'port'>): void;
  /** The pending keys are the present ones from now on. */
  promote(device: string): void;
  /**
   * Leaves out epochs that may have been used since a backup: under one, no counter may come twice.
   * Which of them the devices have heard nobody knows: none of them is looked for.
   */
  skipEpochs(count: number): void;
}

interface Row {
  device: string;
  board: string;
  suite: 'ccm' | 'mac';
  generation: number;
  keys: Uint8Array | null;
  pending: Uint8Array | null;
  epoch: number;
  provenEpoch: number;
  deviceEpoch: number;
  port: string;
  addedAt: number;
  rotatedAt: number;
  removedAt: number | null;
}

const KEY_BYTES = 16;
const MOST_EPOCH = 2 ** 32 - 1;
const MOST_GENERATION = 2 ** 16 - 1;

/**
 * @param rows the database
 * @param commit where writes are grouped
 * @param now ms since 1970
 * @param vault seals key material at rest
 */
export function keysOf(rows: Rows, commit: GroupCommit, now: () => number, vault: Vault): Keys {
  // One process writes the store, so what it remembers is what is there: a frame costs no query.
  let known: Map<string, Row> | undefined;
  const views = new Map<string, DeviceKeys>();
  const table = (): Map<string, Row> => {
    if (known === undefined) {
      known = new Map();
      for (const row of rows.all<Row>('SELECT * FROM linkKeys ORDER BY device')) {
        const { device, keys, pending } = row;
        remember({
          ...row,
          keys: keys && vault.open('linkKeys', device, 'keys', keys),
          pending: pending && vault.open('linkKeys', device, 'pending', pending),
        });
      }
    }
    return known;
  };

  function remember(row: Row): void {
    known?.set(row.device, row);
    if (row.keys === null) views.delete(row.device);
    else views.set(row.device, viewOf(row));
  }

  /** Writes rows in one transaction, then remembers them: what cannot be written has not happened. */
  function put(...changed: Row[]): void {
    table();
    commit.now(() => changed.forEach(write));
    changed.forEach(remember);
  }

  function write(row: Row): void {
    const { device, keys, pending } = row;
    rows.run(
      `INSERT OR REPLACE INTO linkKeys (device, board, suite, generation, keys, pending, epoch,
       provenEpoch, deviceEpoch, port, addedAt, rotatedAt, removedAt)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[device, row.board, row.suite, row.generation],
      keys && vault.seal('linkKeys', device, 'keys', keys),
      pending && vault.seal('linkKeys', device, 'pending', pending),
      ...[row.epoch, row.provenEpoch, row.deviceEpoch, row.port],
      ...[row.addedAt, row.rotatedAt, row.removedAt],
    );
  }

  /** @throws GatewayError 'not-found' */
  function live(device: string): Row & { keys: Uint8Array } {
    const row = table().get(device);
    if (row?.keys) return row as Row & { keys: Uint8Array };
    throw new GatewayError('not-found', `device '${device}' has no keys`, {
      hint: `give it some: whetstone keys add ${device} --board BOARD --out FILE`,
    });
  }

  const draw = (): Uint8Array => new Uint8Array(randomBytes(2 * KEY_BYTES));

  const get = (device: string): DeviceKeys | undefined => {
    table();
    return views.get(device);
  };

  return {
    get,
    list() {
      table();
      return [...views.values()];
    },
    knows: (device) => table().has(device),
    removed: () =>
      [...table().values()].flatMap(({ device, board, suite, addedAt, rotatedAt, removedAt }) =>
        removedAt === null ? [] : [{ device, board, suite, addedAt, rotatedAt, removedAt }],
      ),
    add(device, { board, suite, at }, { replace = false } = {}) {
      const before = table().get(device);
      if ((before?.deviceEpoch ?? 0) > MOST_SEQUENCE) {
        throw new GatewayError('not-allowed', `device '${device}' has had all its epochs`, {
          hint: 'or somebody who has its keys said so: flash it under another name',
        });
      }
      if (before?.keys && !replace) {
        throw new GatewayError('not-allowed', `device '${device}' has keys already`, {
          hint: `new ones over the link: whetstone keys rotate ${device}; to flash it again: add --replace`,
        });
      }
      put({
        ...{ device, board, suite, generation: 1, keys: draw(), pending: null },
        // epochs go on under new keys: a device's is the number of its session, too
        ...{ epoch: before?.epoch ?? 0, provenEpoch: before?.epoch ?? 0 },
        ...{ deviceEpoch: before?.deviceEpoch ?? 0, port: '' },
        ...{ addedAt: at, rotatedAt: at, removedAt: null },
      });
      return get(device)!;
    },
    rotate(device) {
      const row = live(device);
      if (row.pending === null) {
        if (row.generation >= MOST_GENERATION) {
          throw new GatewayError('not-allowed', `device '${device}' has had all its generations`, {
            hint: `flash it again: whetstone keys add ${device} --board ${row.board} --replace`,
          });
        }
        put({ ...row, pending: draw() });
      }
      return get(device)!;
    },
    remove(device, at) {
      put({ ...live(device), keys: null, pending: null, removedAt: at });
    },
    begin(device, deviceEpoch) {
      const row = live(device);
      if (row.epoch >= MOST_EPOCH) {
        throw new GatewayError('not-allowed', `device '${device}' has had all its epochs`, {
          hint: 'flash it again under another name',
        });
      }
      const epoch = row.epoch + 1;
      put({ ...row, epoch, deviceEpoch: Math.max(deviceEpoch, row.deviceEpoch) });
      return epoch;
    },
    prove(device, { epoch, deviceEpoch, port }) {
      const row = live(device);
      const isSaid = epoch === row.provenEpoch && port === row.port;
      if (isSaid || epoch < row.provenEpoch) return;
      const highest = Math.max(deviceEpoch, row.deviceEpoch);
      const gone = [...table().values()].filter(
        (other) => other.port === port && other.device !== device,
      );
      put(
        ...gone.map((other) => ({ ...other, port: '' })),
        ...[{ ...row, provenEpoch: epoch, deviceEpoch: highest, port }],
      );
    },
    promote(device) {
      const row = live(device);
      if (row.pending === null) return;
      const { generation, pending } = row;
      put({
        ...{ ...row, generation: generation + 1, keys: pending, pending: null },
        rotatedAt: now(),
      });
    },
    skipEpochs(count) {
      for (const row of table().values()) {
        const epoch = Math.min(MOST_EPOCH, row.epoch + count);
        put({ ...row, epoch, provenEpoch: epoch });
      }
    },
  };
}

function viewOf(row: Row): DeviceKeys {
  const { generation, keys, pending, removedAt: _, ...rest } = row;
  return {
    ...rest,
    present: pairOf(generation, keys!),
    pending: pending && pairOf(generation + 1, pending),
  };
}

function pairOf(generation: number, keys: Uint8Array): KeyPair {
  return { generation, up: keys.subarray(0, KEY_BYTES), down: keys.subarray(KEY_BYTES) };
}
