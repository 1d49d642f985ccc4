/** Whole numbers in a row, and the extremes of their running sum. */
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
 * @returns the tree of int32; 3 numbers a node, of at most 4 times `size` nodes
 * @throws RangeError if size is not a positive integer
 * @example ((t) => (t.add(0, 2), t.add(2, -5), [t.highest, t.lowest]))(createPrefixTree(3)) // [2, -3]
 */
export function createPrefixTree(size: number): PrefixTree {
  if (!(Number.isInteger(size) && size > 0)) throw new RangeError(`no size: ${size}`);
  let leaves = 1;
  while (leaves < size) leaves *= 2;
  // leaves beyond the row stay 0 and so repeat the last sum: no new extreme.
  // A node is three numbers side by side: sum, highest, lowest
  const nodes = new Int32Array(6 * leaves);
  return {
    add(index, by) {
      let at = 3 * (leaves + index);
      const value = nodes[at] + by;
      nodes[at] = value;
      nodes[at + 1] = value;
      nodes[at + 2] = value;
      for (let node = (leaves + index) >> 1; node > 0; node >>= 1) {
        const left = 6 * node;
        const sum = nodes[left];
        const high = sum + nodes[left + 4];
        const low = sum + nodes[left + 5];
        at = 3 * node;
        nodes[at] = sum + nodes[left + 3];
        nodes[at + 1] = high > nodes[left + 1] ? high : nodes[left + 1];
        nodes[at + 2] = low < nodes[left + 2] ? low : nodes[left + 2];
      }
    },
    get highest() {
      return nodes[4];
    },
    get lowest() {
      return nodes[5];
    },
  };
}
