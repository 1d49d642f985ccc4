/** What {@link prequential} remembers. */
export interface PrequentialState {
  n: number;
  recent: boolean[];
  fadingSum: number;
  fadingCount: number;
}

/** Accuracy of predictions whose truth became known later. */
export interface Prequential {
  /** Takes one outcome: was the prediction right? */
  update(correct: boolean): void;
  /** share of right ones among the newest; undefined before the first */
  readonly windowed: number | undefined;
  /** the same with older outcomes fading away; undefined before the first */
  readonly fading: number | undefined;
  /** outcomes so far */
  readonly n: number;
  state(): PrequentialState;
}

/**
 * Test-then-train accuracy: each prediction is judged before anything learns from it.
 *
 * @param window outcomes in the sliding window
 * @param factor what an outcome still counts when the next one comes, in (0, 1]
 * @param state to go on from
 * @returns the measure
 * @source Gama, Sebastião and Rodrigues 2013, On evaluating stream learning algorithms, section 3
 * @example ((q) => ([true, true, false].forEach(q.update), [q.windowed, q.fading]))(prequential(2, 0.5)) // [0.5, 0.42857142857142855]
 */
export function prequential(window = 50, factor = 0.98, state?: PrequentialState): Prequential {
  const fresh = { n: 0, recent: [], fadingSum: 0, fadingCount: 0 };
  const s: PrequentialState = structuredClone(state ?? fresh);
  return {
    update(correct) {
      s.n++;
      s.recent.push(correct);
      if (s.recent.length > window) s.recent.shift();
      s.fadingSum = Number(correct) + factor * s.fadingSum;
      s.fadingCount = 1 + factor * s.fadingCount;
    },
    get windowed() {
      return s.n === 0 ? undefined : s.recent.filter(Boolean).length / s.recent.length;
    },
    get fading() {
      return s.n === 0 ? undefined : s.fadingSum / s.fadingCount;
    },
    get n() {
      return s.n;
    },
    state: () => structuredClone(s),
  };
}
