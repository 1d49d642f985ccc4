import { SerialPort } from 'serialport';
import { GatewayError } from '../errors.ts';
import type { Port } from './port.ts';

export interface SerialOptions {
  /** bits per second, default 115,200 */
  baud?: number;
}

/** What is wrong with a port and what to do, from the system's message (the binding gives no code). */
export function explain(path: string, cause: Error): GatewayError {
  const text = cause.message;
  if (/no such file|file not found|ENOENT|ENXIO|ENODEV/i.test(text)) {
    return new GatewayError('port', `there is no device at ${path}`, {
      cause,
      hint: 'plug it in, or list the ports with: whetstone doctor',
    });
  }
  if (/permission denied|EACCES|EPERM|access denied/i.test(text)) {
    return new GatewayError('port', `not allowed to open ${path}`, {
      cause,
      hint: 'add yourself to the group that owns it (often: sudo usermod -aG dialout $USER, then log in again) or install the udev rule',
    });
  }
  if (/lock|busy|in use|EBUSY|EAGAIN/i.test(text)) {
    return new GatewayError('port', `${path} is in use by another program`, {
      cause,
      hint: 'close the other terminal or gateway that holds it',
    });
  }
  return new GatewayError('port', `cannot open ${path}: ${text}`, {
    cause,
    hint: 'is it a serial port?',
  });
}

/**
 * A serial port of this computer, closed.
 *
 * @param path such as /dev/ttyACM0
 * @returns a port that can be opened again after it was lost
 */
export function serialPort(path: string, options: SerialOptions = {}): Port {
  let current: SerialPort | undefined;
  let receiver: (bytes: Uint8Array) => void = () => {};
  let closed: (why?: Error) => void = () => {};
  let drained: () => void = () => {};
  let queued = 0;

  function open(): Promise<void> {
    if (current !== undefined) return Promise.resolve();
    const port = new SerialPort({ path, baudRate: options.baud ?? 115_200, autoOpen: false });
    return new Promise((resolve, reject) => {
      port.open((failure) => {
        if (failure) {
          reject(explain(path, failure));
          return;
        }
        current = port;
        let why: Error | undefined;
        port.on('data', (bytes: Uint8Array) => receiver(bytes));
        port.on('error', (error) => {
          why = error;
          if (port.isOpen) port.close();
        });
        // serialport says 'close' with an error when the device vanished.
        port.on('close', (error?: Error | null) => {
          if (current === port) {
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
    write: (bytes) => {
      const port = current;
      if (!port?.isOpen) return;
      queued += bytes.length;
      // called when the system has taken them, or cannot any more
      port.write(bytes, () => {
        if (current !== port) return;
        queued -= bytes.length;
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
        else port.close(() => resolve());
      }),
    onData: (next) => {
      receiver = next;
    },
    onClose: (next) => {
      closed = next;
    },
  };
}
