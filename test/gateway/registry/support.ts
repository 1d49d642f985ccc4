import type { Manifest, Parts } from '../../../gateway/registry/manifest.ts';

const hash = (digit: string) => digit.repeat(64);

/** What goes with the parts of a model, with changes. */
export function meta(changes: Partial<Omit<Manifest, 'parts'>> = {}): Omit<Manifest, 'parts'> {
  return {
    ...{ task: 'gesture', taskHash: hash('a'), scope: { kind: 'fleet', id: '' }, parent: null },
    golden: { seed: 9, count: 2, outputs: Int8Array.of(-128, 0, 127, 5, -6, 7) },
    lineage: { dataSnapshot: hash('b'), codeVersion: 'c1', seed: 3, rung: 'head' },
    budgets: { ram: 900, flash: 400 },
    ...changes,
  };
}

/** Parts whose head is made of one number. */
export function parts(head = 1): Parts {
  return { pre: Uint8Array.of(1, 2), backbone: new Uint8Array(0), head: Uint8Array.of(head, 7) };
}
