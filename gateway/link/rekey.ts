import { composeMessage } from './messages.ts';
import { backOff, dueNow, type Timer } from './timer.ts';

/** New keys on their way into a device. */
export interface Rekey {
  generation: number;
  /** up, then down: 32 bytes */
  keys: Uint8Array;
  timer: Timer;
  /** how often it was said */
  said: number;
}

/** Keys that go out at the next tick. */
export function startRekey(generation: number, keys: Uint8Array, now: number): Rekey {
  return { generation, keys, timer: dueNow(now), said: 0 };
}

/**
 * Says it again when it is due: in turns under the keys that the device has had, and under the new
 * ones, since it may have taken them and its answer been lost. It answers the latter just so.
 */
export function tickRekey(
  rekey: Rekey,
  now: number,
): { rekey: Rekey; send: { bytes: Uint8Array; under?: 'pending' }[] } {
  if (now < rekey.timer.dueMs) return { rekey, send: [] };
  const { generation, keys, timer, said } = rekey;
  const bytes = composeMessage('rekey', { generation, keys });
  return {
    rekey: { ...rekey, timer: backOff(timer, now), said: said + 1 },
    send: [said % 2 === 0 ? { bytes } : { bytes, under: 'pending' }],
  };
}
