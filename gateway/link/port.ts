/** A byte stream to a device, whatever carries it. Bytes may be lost or damaged: frames see to it. */
export interface Port {
  readonly name: string;
  /**
   * Opens the port; may be called again after it was closed or lost.
   *
   * @throws GatewayError 'port', with a hint what to do
   */
  open(): Promise<void>;
  /** Queues bytes; what cannot be sent, because the port is closed or full, is lost. */
  write(bytes: Uint8Array): void;
  /** Of a port that sends more slowly than it takes: how much it has yet to send. */
  readonly flow?: Flow;
  /** No cable, no radio: a device in this computer, which may do without keys. */
  readonly virtual?: true;
  close(): Promise<void>;
  /** Sets the receiver of bytes, replacing the one before. */
  onData(receiver: (bytes: Uint8Array) => void): void;
  /** Sets who is told that an open port was lost (with why) or closed (without). */
  onClose(receiver: (why?: Error) => void): void;
}

/** The queue of a port. */
export interface Flow {
  /** bytes taken and not sent yet; 0 while the port is closed */
  readonly queued: number;
  /** Sets who is told whenever some of them were sent. */
  onDrain(receiver: () => void): void;
}

/** Time for drivers: the real one, or a virtual one in tests and replays. */
export interface Clock {
  /** ms; wall-clock time where people see it */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/**
 * A clock that never goes back: where the computer's is set back, this one goes on from where it
 * was. Deadlines and the order of labels, versions and regimes rest on it.
 *
 * @param clock whose timers are used
 * @param from ms since 1970: no reading is before it
 */
export function steady(clock: Clock, from = 0): Clock {
  let last = from;
  let ahead = Math.max(0, from - clock.now());
  return {
    ...clock,
    now() {
      const now = clock.now() + ahead;
      if (now < last) ahead += last - now;
      last = Math.max(last, now);
      return last;
    },
  };
}

/** The computer's own time. */
export const realClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/**
 * Two ports joined in memory: what is written to one arrives at the other, in order, as soon as
 * the writer has finished (a microtask later).
 *
 * @returns both ends, closed
 */
export function pairedPorts(): [Port, Port] {
  const [a, b] = [new MemoryPort('memory a'), new MemoryPort('memory b')];
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class MemoryPort implements Port {
  readonly name: string;
  readonly virtual = true;
  peer: MemoryPort | undefined;
  private isOpen = false;
  private receiver: (bytes: Uint8Array) => void = () => {};
  private closed: (why?: Error) => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  async open(): Promise<void> {
    this.isOpen = true;
  }

  write(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    const copy = bytes.slice();
    queueMicrotask(() => {
      if (this.peer?.isOpen) this.peer.receiver(copy);
    });
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closed();
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.receiver = receiver;
  }

  onClose(receiver: (why?: Error) => void): void {
    this.closed = receiver;
  }
}
