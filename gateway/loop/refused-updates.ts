import type { Store } from '../store/store.ts';
import type { JournalWriter } from './journal-writer.ts';

/** An update that somebody refuses. */
export interface RefusedUpdate {
  release: number;
  /** of a GatewayError, or a status of the device; it is counted under this name */
  code: string;
  by: 'device' | 'gateway';
  [more: string]: unknown;
}

/** @returns what tells and counts a refused update: both, or neither while the disk is full */
export function createRefusedUpdates(parts: {
  store: Store;
  log: JournalWriter;
  now: () => number;
}): (device: string, refused: RefusedUpdate) => void {
  const { store, log, now } = parts;
  return (device, refused) => {
    const at = now();
    const isTold = log.allows(device);
    log.owe(() =>
      store.transaction(() => {
        store.refusals.note(device, refused.code, at);
        if (isTold) store.journal.write('update.refused', device, refused, at);
      }),
    );
  };
}
