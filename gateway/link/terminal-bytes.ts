import { closeSync, constants, openSync } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';
import type { SerialPort } from 'serialport';

/** How bytes pass through an open port. */
export interface PortBytes {
  /** @param taken called when the system has them, or cannot have them any more */
  write(bytes: Uint8Array, taken: () => void): void;
  close(): void;
}

/**
 * Reads and writes an open serial port by Node's own terminal stream where it is one of Linux.
 *
 * serialport waits for bytes with a watcher that the event loop of Node 26 does not wake for (measured
 * with version 13 of its binding: what comes is seen when the next timer ends, up to 800 ms later;
 * with Node 20 at once). The port is still opened, set up, locked and closed by serialport; the stream
 * has a descriptor of its own, since it puts another file in the place of the one that it is given.
 *
 * @param port open, its stream not read by anybody
 * @param onLost told once why no more will come
 */
export function portBytes(
  port: SerialPort,
  onData: (bytes: Uint8Array) => void,
  onLost: (why: Error) => void,
): PortBytes {
  const fd = process.platform === 'linux' ? openOwn(port.path) : undefined;
  if (fd === undefined) {
    port.on('data', onData);
    return { write: (bytes, taken) => void port.write(bytes, taken), close: () => {} };
  }
  const stream = new ReadStream(fd);
  let ended = false;
  const lose = (why: Error): void => {
    if (ended) return;
    ended = true;
    stream.destroy();
    onLost(why);
  };
  stream.on('data', onData);
  stream.on('error', lose);
  stream.on('end', () => lose(new Error('the device has gone')));
  return {
    write: (bytes, taken) => {
      if (stream.writable) stream.write(bytes, () => taken());
      else taken();
    },
    close: () => {
      ended = true;
      stream.destroy();
    },
  };
}

function openOwn(path: string): number | undefined {
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    if (isatty(fd)) return fd;
    closeSync(fd);
  } catch {
    // serialport has opened it, and reads it then
  }
  return undefined;
}
