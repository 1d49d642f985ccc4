import { replaced } from './mutate.ts';

/** Tries of one search, and its time: what is left by then is short enough to look at. */
const MOST_TRIES = 3000;
const MOST_MS = 20_000;

/**
 * Makes bytes that fail shorter and plainer, as long as they fail in the same way: leaves stretches out,
 * halves first, then sets bytes to zero.
 *
 * @param fails whether bytes still do it
 * @source A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002
 */
export async function minimise(
  bytes: Uint8Array,
  fails: (bytes: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let tries = 0;
  const end = performance.now() + MOST_MS;
  const holds = async (candidate: Uint8Array): Promise<boolean> => {
    return tries++ < MOST_TRIES && performance.now() < end && (await fails(candidate));
  };
  if (!(await holds(bytes))) return bytes; // only with what came before it
  let best = bytes;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && tries < MOST_TRIES; ) {
      const shorter = replaced(best, at, Math.min(size, best.length - at));
      if (await holds(shorter)) best = shorter;
      else at += size;
    }
  }
  for (let at = 0; at < best.length && tries < MOST_TRIES; at++) {
    if (best[at] === 0) continue;
    const plainer = best.slice();
    plainer[at] = 0;
    if (await holds(plainer)) best = plainer;
  }
  return best;
}
