import type { Characteristic, Peripheral } from '@stoprocent/noble';
import { GatewayError } from '../errors.ts';
import { type BleRadio, CONNECTION, NUS } from './ble-radio.ts';
import { unshielded } from './ble-shield.ts';
import type { Port } from './port.ts';

/** Nordic UART, which every Espruino has: the console's, or with `E.setConsole(null)` the script's. */
const NUS_RX = '6e400002b5a3f393e0a9e50e24dcca9e';
const NUS_TX = '6e400003b5a3f393e0a9e50e24dcca9e';

/** Bytes of an ATT packet that are not the value's, and the least that a packet may be. */
const HEAD_BYTES = 3;
const LEAST_MTU = 23;
/**
 * A write that is confirmed comes at least this often: what is on its way unconfirmed fits the
 * input buffer of every board (the smallest holds 256 bytes) beside what it has not yet read.
 */
const UNCONFIRMED_BYTES = 128;
/** @source Bluetooth Core Specification 5.4, vol 3 part F, 3.3.3: a transaction that takes longer has failed */
const ATT_MS = 30_000;
/** How long services may take to be found. */
const DISCOVER_MS = 10_000;

interface Link {
  peripheral: Peripheral;
  rx: Characteristic;
  packetBytes: number;
  canConfirm: boolean;
  /** bytes not sent yet */
  waiting: Buffer;
  unconfirmed: number;
  isPumping: boolean;
  /** ends it: told why it was lost, or that it was closed */
  end(why?: GatewayError): void;
}

/**
 * The UART of a Bluetooth Low Energy peripheral, closed.
 *
 * Packets are as long as the peripheral takes; every so many bytes, and at the end of what there is
 * to say, one is written with a response: that is the only flow control that the protocol has, and
 * `flow` counts what has not been sent so.
 *
 * @param radio shared with other ports
 * @param which address of the peripheral, or the name that it advertises
 * @returns a port that can be opened again after it was lost
 */
export function blePort(radio: BleRadio, which: string): Port {
  let link: Link | undefined;
  let opening: { done: Promise<void>; stop: AbortController } | undefined;
  let receiver: (bytes: Uint8Array) => void = () => {};
  let closed: (why?: Error) => void = () => {};
  let drained: () => void = () => {};

  async function open(signal: AbortSignal): Promise<void> {
    const peripheral = await radio.reach(which, signal);
    const { promise: gone, reject } = Promise.withResolvers<never>();
    gone.catch(() => {});
    const lost = (): void => reject(lostError(which));
    const cancel = (): void => reject(new GatewayError('cancelled', `${which} is closed`));
    peripheral.once('disconnect', lost);
    signal.addEventListener('abort', cancel);
    try {
      const found = await within(
        DISCOVER_MS,
        Promise.race([
          peripheral.discoverSomeServicesAndCharacteristicsAsync([NUS], [NUS_RX, NUS_TX]),
          gone,
        ]),
      );
      const [rx, tx] = [NUS_RX, NUS_TX].map((id) =>
        found.characteristics.find((one) => one.uuid === id),
      );
      if (rx === undefined || tx === undefined) throw new Error('a characteristic is missing');
      const onData = unshielded((bytes: Buffer) => receiver(bytes));
      tx.on('data', onData);
      await within(DISCOVER_MS, Promise.race([tx.subscribeAsync(), gone]));
      if (signal.aborted) throw new GatewayError('cancelled', `${which} is closed`);
      const mtu = Math.max(LEAST_MTU, Math.min(peripheral.mtu ?? LEAST_MTU, CONNECTION.mtu));
      const onDisconnect = unshielded(() => mine.end(lostError(which)));
      const mine: Link = {
        ...{ peripheral, rx, packetBytes: mtu - HEAD_BYTES },
        ...{ canConfirm: rx.properties.includes('write'), waiting: Buffer.alloc(0) },
        ...{ unconfirmed: 0, isPumping: false },
        end: (why) => {
          if (link !== mine) return;
          link = undefined;
          peripheral.off('disconnect', onDisconnect);
          tx.off('data', onData);
          closed(why);
        },
      };
      peripheral.on('disconnect', onDisconnect);
      link = mine;
    } catch (cause) {
      void leave(peripheral);
      if (cause instanceof GatewayError) throw cause;
      throw new GatewayError('port', `${which} has no Nordic UART that works`, {
        cause,
        hint: 'is it an Espruino board, and started with { port: "Bluetooth" }?',
      });
    } finally {
      peripheral.off('disconnect', lost);
      signal.removeEventListener('abort', cancel);
    }
  }

  async function pump(mine: Link): Promise<void> {
    if (mine.isPumping) return;
    mine.isPumping = true;
    try {
      while (link === mine && mine.waiting.length > 0) {
        const piece = mine.waiting.subarray(0, mine.packetBytes);
        const isLast = piece.length === mine.waiting.length;
        const isFull = mine.unconfirmed + piece.length + mine.packetBytes > UNCONFIRMED_BYTES;
        const confirm = mine.canConfirm && (isLast || isFull);
        await within(ATT_MS, mine.rx.writeAsync(piece, !confirm));
        mine.unconfirmed = confirm ? 0 : mine.unconfirmed + piece.length;
        mine.waiting = mine.waiting.subarray(piece.length);
        drained();
      }
    } catch {
      // it is gone, or does not answer any more: both are the end of the connection
      mine.end(lostError(which));
      void leave(mine.peripheral);
    } finally {
      mine.isPumping = false;
    }
  }

  return {
    name: `ble ${which}`,
    open: () => {
      if (link !== undefined) return Promise.resolve();
      if (opening === undefined) {
        const stop = new AbortController();
        const mine = { stop, done: open(stop.signal) };
        opening = mine;
        const over = (): void => {
          if (opening === mine) opening = undefined;
        };
        mine.done.then(over, over);
      }
      return opening.done;
    },
    write: (bytes) => {
      if (link === undefined) return;
      link.waiting = Buffer.concat([link.waiting, bytes]);
      void pump(link);
    },
    flow: {
      get queued() {
        return link?.waiting.length ?? 0;
      },
      onDrain: (next) => {
        drained = next;
      },
    },
    close: async () => {
      opening?.stop.abort();
      await opening?.done.catch(() => {});
      const mine = link;
      if (mine === undefined) return;
      mine.end();
      await leave(mine.peripheral);
    },
    onData: (next) => {
      receiver = next;
    },
    onClose: (next) => {
      closed = next;
    },
  };
}

const lostError = (which: string): GatewayError =>
  new GatewayError('port', `lost ${which}: its Bluetooth connection ended`);

/** Hangs up, without waiting for ever for one who is gone already. */
async function leave(peripheral: Peripheral): Promise<void> {
  if (peripheral.state !== 'connected') return;
  await within(1000, peripheral.disconnectAsync()).catch(() => {});
}

/** @throws GatewayError 'port' after so many ms */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new GatewayError('port', `Bluetooth does not answer within ${ms / 1000} s`)),
    ms,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
