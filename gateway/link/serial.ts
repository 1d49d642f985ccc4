import { existsSync } from 'node:fs';
import { SerialPort } from 'serialport';
import { GatewayError } from '../errors.ts';
import type { Port } from './port.ts';
import { BY_ID, holdersOf, lastingName, permissionCure } from './serial-cure.ts';
import { type PortBytes, portBytes } from './terminal-bytes.ts';

export interface SerialOptions {
  /** bits per second, default 115,200 */
  baud?: number;
  /** where ports have names that stay the same; default udev's */
  byId?: string;
}

/** What is wrong with a port and what to do, from the system's message (the binding gives no code). */
export function explain(path: string, cause: Error): GatewayError {
  const text = cause.message;
  if (/no such file|file not found|ENOENT|ENXIO|ENODEV/i.test(text)) {
    const numbered = /\/tty(ACM|USB)\d+$/.test(path)
      ? `; its number may change: name it by ${BY_ID}/…, see: whetstone doctor`
      : ', or list the ports with: whetstone doctor';
    return new GatewayError('port', `there is no device at ${path}`, {
      cause,
      hint: `plug it in${numbered}`,
    });
  }
  if (/permission denied|EACCES|EPERM|access denied/i.test(text)) {
    return new GatewayError('port', `not allowed to open ${path}`, {
      cause,
      hint: permissionCure(path),
    });
  }
  if (/lock|busy|in use|EBUSY|EAGAIN/i.test(text)) {
    const holders = holdersOf(path);
    const who = holders.length > 0 ? holders.join(', ') : 'another program';
    const find = holders.length > 0 ? 'end it' : `find it with: sudo fuser -v ${path}`;
    const modem = holders.some((holder) => holder.startsWith('ModemManager'));
    return new GatewayError('port', `${path} is in use by ${who}`, {
      cause,
      hint: modem ? 'it takes boards for modems: sudo systemctl disable --now ModemManager' : find,
    });
  }
  return new GatewayError('port', `cannot open ${path}: ${text.replace(/^Error: /, '')}`, {
    cause,
    hint: 'is it a serial port?',
  });
}

/**
 * A serial port of this computer, closed.
 *
 * One that has been open is known by the name that it keeps, where udev gives it one: it is found
 * again when it comes back under another number.
 *
 * @param path such as /dev/serial/by-id/usb-…, or /dev/ttyACM0
 * @returns a port that can be opened again after it was lost
 */
export function serialPort(path: string, options: SerialOptions = {}): Port {
  let current: SerialPort | undefined;
  let bytes: PortBytes | undefined;
  let lasting: string | undefined;
  let receiver: (bytes: Uint8Array) => void = () => {};
  let closed: (why?: Error) => void = () => {};
  let drained: () => void = () => {};
  let queued = 0;

  function open(): Promise<void> {
    if (current !== undefined) return Promise.resolve();
    const at = lasting !== undefined && existsSync(lasting) ? lasting : path;
    const port = new SerialPort({ path: at, baudRate: options.baud ?? 115_200, autoOpen: false });
    return new Promise((resolve, reject) => {
      port.open((failure) => {
        if (failure) {
          reject(explain(at, failure));
          return;
        }
        lasting ??= lastingName(path, options.byId);
        current = port;
        let why: Error | undefined;
        const fail = (error: Error): void => {
          why ??= error;
          if (port.isOpen) port.close();
        };
        port.on('error', fail);
        bytes = portBytes(port, (data) => receiver(data), fail);
        // serialport says 'close' with an error when the device vanished.
        port.on('close', (error?: Error | null) => {
          if (current === port) {
            bytes?.close();
            current = undefined;
            queued = 0;
          }
          const cause = error ?? why;
          if (!cause) closed();
          else closed(new GatewayError('port', `lost ${path}: ${cause.message}`, { cause }));
        });
        resolve();
      });
    });
  }

  return {
    name: path,
    open,
    write: (data) => {
      const port = current;
      if (!port?.isOpen) return;
      queued += data.length;
      bytes?.write(data, () => {
        if (current !== port) return;
        queued -= data.length;
        drained();
      });
    },
    flow: {
      get queued() {
        return queued;
      },
      onDrain: (next) => {
        drained = next;
      },
    },
    close: () =>
      new Promise((resolve) => {
        const port = current;
        if (port === undefined || !port.isOpen) resolve();
        else {
          bytes?.close();
          port.close(() => resolve());
        }
      }),
    onData: (next) => {
      receiver = next;
    },
    onClose: (next) => {
      closed = next;
    },
  };
}
