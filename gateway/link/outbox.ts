import type { Port } from './port.ts';

/**
 * What waits for a port that is slower than the gateway.
 *
 * A frame is made when its turn comes: of messages that replace each other only the newest is sent,
 * and what would be sent again while it is still in the port's queue is not. Everything here is
 * repeated by the session until it is answered, so that leaving something out costs time, no data.
 */
export interface Outbox {
  /**
   * @param key of what it replaces while that still waits
   * @param payload what it says: the same is not queued twice
   * @param frame makes the bytes for the wire; undefined where there is nothing to send any more
   */
  put(key: string, payload: Uint8Array, frame: () => Uint8Array | undefined): void;
  /** The port is gone: nothing of this reaches anybody. */
  clear(): void;
  readonly waiting: number;
}

/** Bytes in the port's own queue up to which one more frame goes there: 44 ms at 115,200 baud. */
const QUEUED_BYTES = 512;
/** Messages that wait at most; beyond, the oldest goes: it will be said again. */
const MOST_WAITING = 32;

/** @param port open or closed; one without `flow` takes everything at once */
export function createOutbox(port: Port): Outbox {
  const { flow } = port;
  const waiting = new Map<string, { payload: Uint8Array; frame: () => Uint8Array | undefined }>();
  /** what the port's queue holds, and where in the stream each ends */
  let inQueue: { payload: Uint8Array; end: number }[] = [];
  let written = 0;
  let pumping = false;

  function pump(): void {
    if (pumping) return; // a frame's making may put another one
    pumping = true;
    try {
      for (const [key, { payload, frame }] of waiting) {
        if (flow !== undefined && flow.queued >= QUEUED_BYTES) return;
        waiting.delete(key);
        const bytes = frame();
        if (bytes === undefined) continue;
        port.write(bytes);
        if (flow === undefined) continue;
        written += bytes.length;
        inQueue.push({ payload, end: written });
      }
    } finally {
      pumping = false;
    }
  }

  flow?.onDrain(pump);
  return {
    put(key, payload, frame) {
      if (flow !== undefined) {
        const gone = written - flow.queued;
        inQueue = inQueue.filter(({ end }) => end > gone);
        if (inQueue.some((one) => Buffer.compare(one.payload, payload) === 0)) return;
      }
      if (!waiting.has(key) && waiting.size >= MOST_WAITING) {
        for (const oldest of waiting.keys()) {
          waiting.delete(oldest);
          break;
        }
      }
      waiting.set(key, { payload, frame });
      pump();
    },
    clear() {
      waiting.clear();
      inQueue = [];
    },
    get waiting() {
      return waiting.size;
    },
  };
}
