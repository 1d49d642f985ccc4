import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Peripheral, withBindings } from '@stoprocent/noble';
import { GatewayError } from '../errors.ts';
import { shieldNoble, unshielded } from './ble-shield.ts';

/** noble, as its `withBindings` makes it. */
export type Noble = ReturnType<typeof withBindings>;

/** A peripheral that advertises a serial line. */
export interface Nearby {
  address: string;
  /** '' where it says none */
  name: string;
  /** of its newest advertisement, dBm */
  rssi: number;
}

/** This computer's Bluetooth, shared by all its ports. */
export interface BleRadio {
  /**
   * Looks for a peripheral and connects with it; one at a time, while others are looked for.
   *
   * @param which its address, or the name that it advertises
   * @param signal ends the search
   * @throws GatewayError 'port' where there is no radio, it may not be used, or nobody answers;
   *   'missing-tool' without noble; 'cancelled'
   */
  reach(which: string, signal: AbortSignal): Promise<Peripheral>;
  /**
   * Listens for boards that could be reached: peripherals with Nordic's UART, the nearest first.
   *
   * @throws GatewayError as `reach`
   */
  nearby(ms: number): Promise<Nearby[]>;
  /** Stops scanning and lets the radio go. */
  close(): void;
}

/** How long a radio may take to come on, a peripheral to be heard, and a connection to be made. */
const POWER_MS = 5000;
const SEARCH_MS = 15_000;
const CONNECT_MS = 10_000;

/**
 * Intervals of 7.5 to 30 ms; 4 s of silence end a connection, as Espruino asks (noble's own 0.42 s
 * end it at the first disturbance). Packets as long as fit one of the air with length extension.
 *
 * @source Bluetooth Core Specification 5.4, vol 4 part E, 7.8.12; espruino/Espruino:
 *   targets/nrf5x/bluetooth.c, CONN_SUP_TIMEOUT
 */
export const CONNECTION = { minInterval: 6, maxInterval: 24, latency: 0, timeout: 400, mtu: 247 };

/** Its types leave out that it takes the parameters that `Noble.connectAsync` does. */
type Connectable = { connectAsync(parameters: typeof CONNECTION): Promise<void> };

/** @source Linux, include/uapi/linux/capability.h */
const CAP_NET_RAW = 13n;

/** Nordic's UART service; Espruino advertises it. @source Nordic Semiconductor, Nordic UART Service */
export const NUS = '6e400001b5a3f393e0a9e50e24dcca9e';

/** Names that boards have where they advertise something else. @source espruino/Espruino: boards, the info's name */
const ESPRUINO = /^(Puck\.js|Pixl\.js|Bangle\.js|MDBT42Q|Jolt\.js|Espruino)\b/;

const ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Loads noble for this computer's own Bluetooth; a dongle on a UART by noble's environment variables. */
async function loadNoble(): Promise<Noble> {
  const env = Object.keys(process.env);
  const isOther = env.some((name) => /^(BLUETOOTH_HCI_SOCKET_|NOBLE_BINDINGS$)/.test(name));
  if (process.platform === 'linux' && !isOther) {
    const lack = linuxLack();
    if (lack !== undefined) throw explainState(lack);
  }
  try {
    const noble = await import('@stoprocent/noble');
    return noble.withBindings('default');
  } catch (cause) {
    throw new GatewayError(
      'missing-tool',
      'Bluetooth needs @stoprocent/noble, which does not load',
      {
        cause,
        hint: 'npm install --include=optional @stoprocent/noble',
      },
    );
  }
}

/**
 * What noble would find lacking on Linux; it would say so on standard output, at each attempt.
 *
 * @param radios where the kernel lists them
 * @param status where it says what this process may
 * @returns the state of noble that it would come to, or undefined where nothing lacks
 */
export function linuxLack(
  radios = '/sys/class/bluetooth',
  status = '/proc/self/status',
): 'unsupported' | 'unauthorized' | undefined {
  const names = existsSync(radios) ? readdirSync(radios) : [];
  if (!names.some((name) => /^hci\d+$/.test(name))) return 'unsupported';
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync(status, 'utf8')) ?? [];
  return (BigInt(`0x${mask}`) >> CAP_NET_RAW) & 1n ? undefined : 'unauthorized';
}

/** What is wrong with a radio that does not come on, and what to do. */
export function explainState(state: string, cause?: unknown): GatewayError {
  if (state === 'unauthorized') {
    return new GatewayError('port', 'not allowed to use Bluetooth', {
      cause,
      hint: `sudo setcap cap_net_raw,cap_net_admin+eip ${process.execPath}`,
    });
  }
  if (state === 'poweredOff') {
    return new GatewayError('port', 'Bluetooth is switched off', {
      cause,
      hint: 'sudo rfkill unblock bluetooth && sudo hciconfig hci0 up',
    });
  }
  return new GatewayError('port', 'there is no Bluetooth radio here that can do Low Energy', {
    cause,
    hint: 'plug one in, see: hciconfig -a',
  });
}

/**
 * Makes a radio; it is switched on by the first search.
 *
 * @param load makes a noble; again after one that did not come on
 */
export function bleRadio(load: () => Promise<Noble> = loadNoble): BleRadio {
  let noble: Noble | undefined;
  let starting: Promise<Noble> | undefined;
  const searches = new Map<string, (peripheral: Peripheral) => void>();
  const listeners = new Set<(peripheral: Peripheral) => void>();
  /** connections are made one after the other */
  let turn: Promise<unknown> = Promise.resolve();
  let isConnecting = false;
  let isClosed = false;

  async function start(): Promise<Noble> {
    const fresh = noble ?? (await load());
    const state = await powered(fresh);
    if (isClosed || state !== 'poweredOn') {
      noble = undefined;
      quietly(() => fresh.stop());
      throw isClosed ? new GatewayError('cancelled', 'the radio is closed') : explainState(state);
    }
    if (noble !== fresh) {
      noble = fresh;
      fresh.on(
        'discover',
        unshielded((peripheral: Peripheral) => {
          for (const [which, found] of searches) if (isCalled(peripheral, which)) found(peripheral);
          for (const listener of listeners) listener(peripheral);
        }),
      );
      // noble stops scanning for every connection that it makes
      fresh.on('scanStop', scan);
    }
    return fresh;
  }

  function scan(): void {
    if (searches.size + listeners.size === 0 || isConnecting) return;
    // duplicates tell of one that was away and came back
    noble?.startScanning([], true, () => {});
  }

  /** Nobody is looked for any more, perhaps. */
  function rest(mine: Noble): void {
    if (searches.size + listeners.size === 0 && !isConnecting) quietly(() => mine.stopScanning());
  }

  function started(): Promise<Noble> {
    starting ??= start().finally(() => {
      starting = undefined;
    });
    return starting;
  }

  async function nearby(ms: number): Promise<Nearby[]> {
    const mine = await started();
    const heard = new Map<string, Nearby>();
    const listener = ({ address, advertisement, rssi }: Peripheral): void => {
      const { localName = '', serviceUuids = [] } = advertisement;
      if (!serviceUuids.includes(NUS) && !ESPRUINO.test(localName)) return;
      // anybody's radio may say anything: a terminal's codes are not shown
      heard.set(address, { address, name: localName.replace(/\p{Cc}/gu, '?'), rssi });
    };
    listeners.add(listener);
    try {
      scan();
      await wait(ms);
    } finally {
      listeners.delete(listener);
      rest(mine);
    }
    return [...heard.values()].sort((a, b) => b.rssi - a.rssi);
  }

  async function reach(which: string, signal: AbortSignal): Promise<Peripheral> {
    const mine = await started();
    const peripheral = await search(mine, which, signal);
    const connection = turn.then(() => {
      if (signal.aborted)
        throw new GatewayError('cancelled', `${which} is not looked for any more`);
      return connect(peripheral, which, signal);
    });
    turn = connection.catch(() => {});
    return connection;
  }

  function search(mine: Noble, which: string, signal: AbortSignal): Promise<Peripheral> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        searches.delete(which);
        rest(mine);
      };
      const cancel = (): void => {
        finish();
        reject(new GatewayError('cancelled', `${which} is not looked for any more`));
      };
      const timer = setTimeout(() => {
        finish();
        reject(
          new GatewayError('port', `Bluetooth does not hear ${which}`, {
            hint: 'is it on, near, called so, and not connected with another computer or telephone?',
          }),
        );
      }, SEARCH_MS);
      signal.addEventListener('abort', cancel);
      if (signal.aborted) {
        cancel();
        return;
      }
      searches.set(which, (peripheral) => {
        finish();
        resolve(peripheral);
      });
      scan();
    });
  }

  async function connect(
    peripheral: Peripheral,
    which: string,
    signal: AbortSignal,
  ): Promise<Peripheral> {
    isConnecting = true;
    const cancel = (): void => quietly(() => peripheral.cancelConnect());
    const timer = setTimeout(cancel, CONNECT_MS);
    signal.addEventListener('abort', cancel);
    try {
      await (peripheral as Connectable).connectAsync(CONNECTION);
      return peripheral;
    } catch (cause) {
      throw new GatewayError('port', `Bluetooth cannot connect with ${which}`, {
        cause,
        hint: 'go nearer; a board that is connected with another computer is not to be had',
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      isConnecting = false;
      scan();
    }
  }

  return {
    reach,
    nearby,
    close: () => {
      isClosed = true;
      searches.clear();
      listeners.clear();
      const mine = noble;
      noble = undefined;
      if (mine !== undefined) quietly(() => mine.stop());
    },
  };
}

/** Starts noble and waits until it says what state the radio is in. */
async function powered(noble: Noble): Promise<string> {
  const before = new Set(process.listeners('SIGINT'));
  let state: string;
  try {
    state = noble.state; // the first look at it starts it
  } catch (cause) {
    throw explainState('unsupported', cause);
  }
  shieldNoble(noble);
  // it would end the process at Ctrl-C, before the gateway has put down what it holds
  for (const listener of process.listeners('SIGINT')) {
    if (!before.has(listener)) process.off('SIGINT', listener);
  }
  const patience = AbortSignal.timeout(POWER_MS);
  while (state === 'unknown' || state === 'resetting' || state === 'poweredOff') {
    try {
      await once(noble, 'stateChange', { signal: patience });
    } catch {
      return state; // it takes too long
    }
    state = noble.state;
  }
  return state;
}

function isCalled(peripheral: Peripheral, which: string): boolean {
  if (ADDRESS.test(which)) return peripheral.address.toLowerCase() === which.toLowerCase();
  return peripheral.advertisement.localName === which || peripheral.id === which;
}

/** Ends something of which it does not matter whether it had begun. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // noble throws where there is nothing to end
  }
}
