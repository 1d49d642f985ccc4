import type { Connection } from '../link/connect.ts';
import type { Store } from '../store/store.ts';
import type { SampleKey } from '../store/types.ts';

/** Asks devices for raw windows that they still hold. */
export interface RawWindows {
  /** Of its present session; of a device that is not connected, nothing. */
  ask(device: string, seqs: readonly number[]): void;
  /** Of a sample, if its device is still in that session. */
  askOf(sample: SampleKey): void;
  /** What a device still holds of the world that an alarm tells of. */
  askNewest(device: string): void;
}

/** Raw windows asked for when an alarm comes: what a device still holds of the new regime. */
const ASKED = 32;

/** @param parts the newest sample of each device says which session goes on */
export function createRawWindows(parts: {
  store: Pick<Store, 'samples'>;
  online: ReadonlyMap<string, Pick<Connection, 'ask'>>;
  newest: ReadonlyMap<string, Pick<SampleKey, 'session'>>;
}): RawWindows {
  const { store, online, newest } = parts;
  const sessionOf = (device: string): number | undefined => newest.get(device)?.session;
  const ask = (device: string, seqs: readonly number[]): void => online.get(device)?.ask(seqs);
  return {
    ask,
    askOf({ device, session, seq }) {
      if (sessionOf(device) === session) ask(device, [seq]);
    },
    askNewest(device) {
      const session = sessionOf(device);
      const held = store.samples
        .latest(device, ASKED)
        .filter((sample) => sample.session === session && sample.window === null);
      for (const { seq } of held) ask(device, [seq]);
    },
  };
}
