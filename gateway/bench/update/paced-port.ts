import type { Port } from '../../link/port.ts';

/** A port whose bytes are counted, both ways. */
export interface CountedPort extends Port {
  readonly bytes: { sent: number; received: number };
}

/**
 * A serial line: bytes take their time on it, one after the other, the same each way.
 *
 * @param port at its far end, which takes and gives everything at once
 * @param bytesPerSecond 11,520 at 115,200 baud: a start bit, eight bits, a stop bit
 */
export function pacedPort(port: Port, bytesPerSecond: number): CountedPort {
  const bytes = { sent: 0, received: 0 };
  let queued = 0;
  let drained: () => void = () => {};
  let receiver: (bytes: Uint8Array) => void = () => {};
  const line = (): ((piece: Uint8Array, arrive: () => void) => void) => {
    let freeAt = 0;
    return (piece, arrive) => {
      const now = performance.now();
      freeAt = Math.max(now, freeAt) + (piece.length / bytesPerSecond) * 1000;
      // a timer may be early by the part of a millisecond that it rounds away
      setTimeout(arrive, Math.ceil(freeAt - now));
    };
  };
  const [there, back] = [line(), line()];
  port.onData((piece) => {
    bytes.received += piece.length;
    back(piece, () => receiver(piece));
  });
  return {
    name: `${port.name} at ${bytesPerSecond} bytes/s`,
    ...(port.virtual && { virtual: port.virtual }),
    bytes,
    open: () => port.open(),
    write: (piece) => {
      const copy = piece.slice();
      bytes.sent += copy.length;
      queued += copy.length;
      there(copy, () => {
        queued -= copy.length;
        port.write(copy);
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
    close: () => port.close(),
    onData: (next) => {
      receiver = next;
    },
    onClose: (next) => port.onClose(next),
  };
}

/** Counts what crosses a port. @param port whose speed is its own */
export function countedPort(port: Port): CountedPort {
  const bytes = { sent: 0, received: 0 };
  return {
    name: port.name,
    ...(port.virtual && { virtual: port.virtual }),
    ...(port.flow && { flow: port.flow }),
    bytes,
    open: () => port.open(),
    write: (piece) => {
      bytes.sent += piece.length;
      port.write(piece);
    },
    close: () => port.close(),
    onData: (receiver) =>
      port.onData((piece) => {
        bytes.received += piece.length;
        receiver(piece);
      }),
    onClose: (closed) => port.onClose(closed),
  };
}
