import type { Clock, Port } from '../port.ts';

/** Chances, 0 to 1, of what happens to each write. */
export interface Faults {
  /** vanishes */
  drop?: number;
  /** arrives twice */
  duplicate?: number;
  /** overtaken by those behind it */
  reorder?: number;
  /** some of its bytes change */
  corrupt?: number;
  /** loses its end, as when the cable is pulled in the middle */
  cut?: number;
  /** everything waits for `stallMs`, in order */
  stall?: number;
  stallMs?: number;
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One end of a pair; `lose` pulls the cable, `faults` may be changed while it runs. */
export interface LossyPort extends Port {
  faults: Faults;
  /** the cable is pulled: both ends are told */
  lose(): void;
}

const LATENCY_MS = 5;

/** Two ports joined by a bad cable; the faults apply to what each end writes. */
export function lossyPair(
  clock: Clock,
  seed: number,
  faults: Faults = {},
  name = 'lossy',
): [LossyPort, LossyPort] {
  const random = seeded(seed);
  const ends = [end(`${name} a`), end(`${name} b`)];
  ends[0].peer = ends[1];
  ends[1].peer = ends[0];
  return [ends[0].port, ends[1].port];

  interface End {
    port: LossyPort;
    peer: End;
    isOpen: boolean;
    receiver: (bytes: Uint8Array) => void;
    closed: (why?: Error) => void;
  }

  function end(name: string): End {
    const self = { isOpen: false, receiver: () => {}, closed: () => {} } as unknown as End;
    let freeAt = 0;
    const later = (bytes: Uint8Array, ms: number) =>
      clock.setTimeout(() => self.peer.isOpen && self.peer.receiver(bytes), ms);
    const hits = (chance: number | undefined) => random() < (chance ?? 0);
    self.port = {
      name,
      virtual: true,
      faults,
      open: async () => {
        self.isOpen = true;
      },
      write: (bytes) => {
        if (!self.isOpen) return;
        const { drop, duplicate, reorder, corrupt, cut, stall, stallMs } = self.port.faults;
        if (hits(stall)) freeAt = Math.max(freeAt, clock.now()) + (stallMs ?? 3000);
        if (hits(drop)) return;
        let sent = bytes.slice();
        if (hits(cut)) sent = sent.slice(0, Math.floor(random() * sent.length));
        if (hits(corrupt)) {
          for (let n = 1 + random() * 3; n > 0; n--) {
            sent[Math.floor(random() * sent.length)] = Math.floor(random() * 256);
          }
        }
        const ms = Math.max(0, freeAt - clock.now()) + LATENCY_MS;
        later(sent, hits(reorder) ? ms + random() * 40 : ms);
        if (hits(duplicate)) later(sent, ms + random() * 20);
      },
      close: async () => {
        if (!self.isOpen) return;
        self.isOpen = false;
        self.closed();
      },
      onData: (receiver) => {
        self.receiver = receiver;
      },
      onClose: (closed) => {
        self.closed = closed;
      },
      lose: () => {
        for (const side of [self, self.peer]) {
          if (!side.isOpen) continue;
          side.isOpen = false;
          side.closed(new Error('the cable was pulled'));
        }
      },
    };
    return self;
  }
}
