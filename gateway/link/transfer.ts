import {
  ACCEPTED,
  BUSY,
  CONFIRMED,
  EQUAL,
  RAN_OUT,
  REFUSED_RELEASE,
  REVERTED,
} from '../../device/core/update.ts';
import { composeMessage, type Hello, type Offer, type Status, type Want } from './messages.ts';
import { backOff, dueNow, startWait, type Timer } from './timer.ts';

/** Bytes for the wire, and the release they are sent for. */
export interface Outgoing {
  bytes: Uint8Array;
  release: number;
}

/** A model on its way into one device. */
export interface Transfer {
  offer: Offer;
  /** bytes of pre, backbone and head */
  parts: readonly Uint8Array[];
  timer: Timer;
}

/** An order that the device has not carried out yet. */
export interface Order {
  kind: 'confirm' | 'revert';
  release: number;
  timer: Timer;
}

/** The longest piece of a part that is sent at once: bounds what a device's `want` can claim. */
const MAX_CHUNK_BYTES = 4096;

/** A transfer whose offer goes out at the next tick. */
export function startTransfer(offer: Offer, parts: readonly Uint8Array[], now: number): Transfer {
  return { offer, parts, timer: dueNow(now) };
}

/** The offer, when nothing was heard of it for long enough. */
export function tickTransfer(
  transfer: Transfer,
  now: number,
): { transfer: Transfer; send: Outgoing[] } {
  if (now < transfer.timer.dueMs) return { transfer, send: [] };
  return {
    transfer: { ...transfer, timer: backOff(transfer.timer, now) },
    send: [{ bytes: composeMessage('offer', transfer.offer), release: transfer.offer.release }],
  };
}

/** The chunk that a device wants; nothing for what is not offered. */
export function answerWant(
  transfer: Transfer,
  want: Want,
  now: number,
): { transfer: Transfer; send: Outgoing[] } {
  const { release, part, offset, length } = want;
  const bytes = transfer.parts[part];
  const sound =
    release === transfer.offer.release &&
    bytes !== undefined &&
    offset >= 0 &&
    offset < bytes.length &&
    length > 0;
  if (!sound) return { transfer, send: [] };
  const data = bytes.subarray(offset, offset + Math.min(length, MAX_CHUNK_BYTES));
  return {
    transfer: { ...transfer, timer: startWait(now) },
    send: [{ bytes: composeMessage('chunk', { release, part, offset, data }), release }],
  };
}

/** The transfer after a status: undefined when the device has finished or refused it. */
export function hearTransfer(
  transfer: Transfer,
  status: Status,
  now: number,
): Transfer | undefined {
  if (status.release !== transfer.offer.release || status.code === BUSY) return transfer;
  if (status.code < ACCEPTED || status.code > EQUAL) return undefined;
  return { ...transfer, timer: startWait(now) };
}

/** Says an order again when it is due. */
export function tickOrder(order: Order, now: number): { order: Order; send: Outgoing[] } {
  if (now < order.timer.dueMs) return { order, send: [] };
  const { kind, release } = order;
  return {
    order: { ...order, timer: backOff(order.timer, now) },
    send: [{ bytes: composeMessage(kind, { release }), release }],
  };
}

/** The order after a status: undefined when it is carried out or cannot be any more. */
export function hearOrder(order: Order, status: Status): Order | undefined {
  const { release, code } = status;
  const same = release === order.release;
  const left = same && (code === REVERTED || code === RAN_OUT);
  // A device that runs another release, confirmed, answers `confirm` with that one.
  if (order.kind === 'confirm') return left || code === CONFIRMED ? undefined : order;
  return left || (same && code === REFUSED_RELEASE) ? undefined : order;
}

/** What a hello says about transfer and order, as the status that may have been lost. */
export function statusOf(hello: Hello): Status | undefined {
  const { state, release } = hello;
  if (state === 0) return undefined;
  return { release, code: state === 2 ? 4 : CONFIRMED, detail: 0 };
}
