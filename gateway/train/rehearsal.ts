import { createRandom } from '../random.ts';

/**
 * Keeps a bounded, fair memory of a stream: of each group (a class of a wearer), every item that
 * passed is kept with the same chance.
 *
 * @param items in any order, as many as there are; read once
 * @param group names the group of an item, for example `${wearer}/${cls}`
 * @param capacity most items kept of one group
 * @param seed decides which
 * @returns what is kept, group by group in order of appearance
 * @throws RangeError unless capacity is a positive integer
 * @source Vitter 1985, algorithm R
 * @example reservoir(['a1', 'b1', 'a2'], (item) => item[0], 2, 1) // ['a1', 'a2', 'b1']
 */
export function reservoir<T>(
  items: Iterable<T>,
  group: (item: T) => string,
  capacity: number,
  seed: number,
): T[] {
  if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`capacity is ${capacity}`);
  const random = createRandom(seed);
  const groups = new Map<string, { kept: T[]; seen: number }>();
  for (const item of items) {
    const name = group(item);
    let state = groups.get(name);
    if (state === undefined) {
      state = { kept: [], seen: 0 };
      groups.set(name, state);
    }
    state.seen++;
    if (state.kept.length < capacity) state.kept.push(item);
    else {
      const place = random.integer(state.seen);
      if (place < capacity) state.kept[place] = item;
    }
  }
  return [...groups.values()].flatMap(({ kept }) => kept);
}

/**
 * Weights of new and old samples that are trained on together, new ones first: every class counts
 * the same, and within a class the old samples make up a given share. A class that only one side
 * has is carried by that side alone, so that nothing is forgotten for want of new samples.
 *
 * @param fresh classes of the new samples
 * @param old classes of the rehearsed samples
 * @param oldShare share of the old samples in a class that both have, in [0, 1]
 * @returns one weight a sample, mean 1
 * @throws RangeError if oldShare is no share
 * @example rehearsalWeights([0, 1], [0, 0], 0.5) // Float32Array.of(1, 2, 0.5, 0.5)
 */
export function rehearsalWeights(
  fresh: ArrayLike<number>,
  old: ArrayLike<number>,
  oldShare: number,
): Float32Array {
  if (!(oldShare >= 0 && oldShare <= 1)) throw new RangeError(`oldShare is ${oldShare}`);
  const ofFresh = countClasses(fresh);
  const ofOld = countClasses(old);
  const weightOfClass =
    (fresh.length + old.length) / new Set([...ofFresh.keys(), ...ofOld.keys()]).size;
  const weights = new Float32Array(fresh.length + old.length);
  for (let i = 0; i < fresh.length; i++) {
    const share = ofOld.has(fresh[i]) ? 1 - oldShare : 1;
    weights[i] = (share * weightOfClass) / ofFresh.get(fresh[i])!;
  }
  for (let i = 0; i < old.length; i++) {
    const share = ofFresh.has(old[i]) ? oldShare : 1;
    weights[fresh.length + i] = (share * weightOfClass) / ofOld.get(old[i])!;
  }
  return weights;
}

function countClasses(classes: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < classes.length; i++)
    counts.set(classes[i], (counts.get(classes[i]) ?? 0) + 1);
  return counts;
}
