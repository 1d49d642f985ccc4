/** What noble has inside on Linux, where it reads packets itself; elsewhere the system does. */
interface Inside {
  _bindings?: { _hci?: Hci | null };
}
interface Hci {
  onSocketData(packet: Buffer): void;
  emit(event: string, ...values: unknown[]): boolean;
  _socket: NodeJS.EventEmitter;
}

/** Answers that are lists. @source Bluetooth Core Specification 5.4, vol 3 part F, 3.4.4.2 and 3.4.4.10 */
const LISTS = [0x09, 0x11];

const ATT_CHANNEL = 4;

/** Whether a packet is a list whose entries have no length: noble reads it for ever. */
const isEndless = (channel: unknown, packet: Uint8Array): boolean =>
  channel === ATT_CHANNEL && LISTS.includes(packet[0]!) && packet[1] === 0;

/**
 * Keeps what a stranger's radio says from ending this process: noble reads beyond the end of short
 * packets, and what it throws then has no other catcher. Such a packet is as good as one that did not come:
 * who waits for it gives up in time.
 *
 * @param noble that was started
 */
export function shieldNoble(noble: object): void {
  const hci = (noble as Inside)._bindings?._hci;
  if (!hci || Object.hasOwn(hci, 'onSocketData')) return;
  const { onSocketData, emit } = hci;
  hci.emit = (event, ...values) =>
    event === 'aclDataPkt' && isEndless(values[1], values[2] as Uint8Array)
      ? false
      : emit.call(hci, event, ...values);
  hci.onSocketData = (packet) => {
    try {
      onSocketData.call(hci, packet);
    } catch {
      // see above
    }
  };
  // the one that it listens with was bound before
  hci._socket.removeAllListeners('data');
  hci._socket.on('data', (packet) => hci.onSocketData(packet));
}

/** A listener of this gateway's own: what it throws is no packet's fault, and is not hidden by the shield. */
export function unshielded<T extends unknown[]>(listener: (...values: T) => void) {
  return (...values: T): void => {
    try {
      listener(...values);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
