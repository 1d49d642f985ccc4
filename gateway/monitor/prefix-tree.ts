/** Numbers in a row, and the extremes of their running sum. */
export interface PrefixTree {
  /** Adds to the number at an index; O(log size). */
  add(index: number, by: number): void;
  /** highest sum of the first numbers, of one at least; O(1) */
  readonly highest: number;
  /** lowest such sum */
  readonly lowest: number;
}

/**
 * A tree over a row of zeros that keeps, for each part, its sum and the extremes of its running sum.
 *
 * @param size length of the row, at least 1
 * @returns the tree; 3 numbers a node, of at most 4 times `size` nodes
 * @throws RangeError if size is not a positive integer
 * @example ((t) => (t.add(0, 2), t.add(2, -5), [t.highest, t.lowest]))(createPrefixTree(3)) // [2, -3]
 */
export function createPrefixTree(size: number): PrefixTree {
  if (!(Number.isInteger(size) && size > 0)) throw new RangeError(`no size: ${size}`);
  let leaves = 1;
  while (leaves < size) leaves *= 2;
  // leaves beyond the row stay 0 and so repeat the last sum: no new extreme
  const sum = new Float64Array(2 * leaves);
  const high = new Float64Array(2 * leaves);
  const low = new Float64Array(2 * leaves);
  return {
    add(index, by) {
      let node = leaves + index;
      sum[node] += by;
      high[node] = sum[node];
      low[node] = sum[node];
      for (node >>= 1; node > 0; node >>= 1) {
        const left = 2 * node;
        sum[node] = sum[left] + sum[left + 1];
        high[node] = Math.max(high[left], sum[left] + high[left + 1]);
        low[node] = Math.min(low[left], sum[left] + low[left + 1]);
      }
    },
    get highest() {
      return high[1];
    },
    get lowest() {
      return low[1];
    },
  };
}
