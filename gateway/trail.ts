import type { Composed } from './compose.ts';
import { takesNothing } from './store/failure.ts';

/** Windows of a device, and ms, from one note to the next: both have to be over. */
const WINDOWS = 10;
const MS = 10_000;

/**
 * Notes now and then what the monitor makes of each device, for its history: estimated accuracy and
 * drift are of the moment, and nobody can compute them again later.
 *
 * @param gateway composed
 * @returns what ends it
 */
export function startTrail({ store, loop, monitor, clock }: Composed): () => void {
  const since = new Map<string, { windows: number; at: number }>();
  return loop.onWindow(({ device }) => {
    const last = since.get(device) ?? { windows: 0, at: 0 };
    since.set(device, last);
    const now = clock.now();
    if (++last.windows < WINDOWS || now - last.at < MS) return;
    last.windows = 0;
    last.at = now;
    const estimated = monitor.estimate([device])?.accuracy ?? null;
    const drift = monitor.drift(device);
    if (estimated === null && drift === null) return;
    store.history.note(device, now, { estimated, drift }).catch((error: unknown) => {
      if (!takesNothing(error)) throw error; // a full disk: the line has a gap
    });
  });
}
