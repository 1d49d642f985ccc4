import type { NewSample } from '../../../gateway/store/types.ts';

/** A good sample, with changes. */
export function sample(changes: Partial<NewSample> = {}): NewSample {
  return {
    ...{ device: 'w1', session: 7, seq: 1, task: 'gesture', at: 1000, t: 900, release: 3 },
    ...{ version: 'v3', cls: 2, score: 60, length: 3, embedding: Int8Array.of(-128, 5, 127) },
    ...{ window: null, label: null, quarantine: null },
    ...changes,
  };
}
