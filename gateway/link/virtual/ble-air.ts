import { withBindings } from '@stoprocent/noble';
import { SerialPort } from 'serialport';
import type { Noble } from '../ble-radio.ts';
import type { Port } from '../port.ts';
import { type BleController, bleController, type RadioOptions } from './ble-controller.ts';
import { type NusPeripheral, nusPeripheral } from './nus-peripheral.ts';
import { ptyPair } from './pty.ts';

/** A device's serial line on the air, as an Espruino's console is. */
export interface AirDevice {
  readonly peripheral: NusPeripheral;
  /** bytes of its UART that came from the gateway, and went there */
  readonly count: { received: number; sent: number };
  /** Called with every piece of bytes from the gateway, before the device has them. */
  onReceive: (bytes: Uint8Array) => void;
}

/** A virtual controller on a pty, for a real noble, and the devices around it. */
export interface BleAir {
  readonly controller: BleController;
  /** Makes a noble that speaks HCI with the controller. */
  noble(): Promise<Noble>;
  /** Lets a device be heard under a name; its port is opened, and closed by its owner. */
  add(device: Port, called: { address: string; name: string; mtu: number }): Promise<AirDevice>;
  close(): Promise<void>;
}

/** Of the pty, where it means nothing. */
const BAUD = 1_000_000;

/**
 * Makes an air: everything from noble's HCI driver on is real; controller, radio and GATT server
 * are the ones of `ble-controller.ts`.
 *
 * @param options of the air
 * @throws GatewayError 'missing-tool' without socat
 */
export async function bleAir(options: RadioOptions = {}): Promise<BleAir> {
  const pair = await ptyPair();
  const line = new SerialPort({ path: pair.b, baudRate: BAUD, autoOpen: false });
  await new Promise<void>((resolve, reject) =>
    line.open((error) => (error ? reject(error) : resolve())),
  );
  const controller = bleController((bytes) => void line.write(bytes), options);
  line.on('data', (bytes: Buffer) => controller.receive(bytes));
  return {
    controller,
    noble: async () =>
      withBindings('hci', {
        hciDriver: 'uart',
        bindParams: { uart: { port: pair.a, baudRate: BAUD } },
      } as Parameters<typeof withBindings>[1]),
    add: async (device, called) => {
      const count = { received: 0, sent: 0 };
      const peripheral = nusPeripheral({
        ...called,
        onBytes: (bytes) => {
          count.received += bytes.length;
          mine.onReceive(bytes);
          device.write(bytes);
        },
      });
      const mine: AirDevice = { peripheral, count, onReceive: () => {} };
      device.onData((bytes) => {
        count.sent += bytes.length;
        controller.say(peripheral, bytes);
      });
      await device.open();
      controller.add(peripheral);
      return mine;
    },
    close: async () => {
      controller.close();
      await new Promise<void>((resolve) => (line.isOpen ? line.close(() => resolve()) : resolve()));
      await pair.close();
    },
  };
}
