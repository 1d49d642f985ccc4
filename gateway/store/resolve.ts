import type { ResolvedLabel } from './types.ts';

/** What of a stored label the rule looks at. */
export interface Said {
  cls: number;
  source: string;
  /** 0 to 1 */
  trust: number;
  /** ms since 1970 */
  at: number;
  withdrawnAt: number | null;
}

/** What became of one label: it counts, another class outvoted it, its own source said something later. */
export type Standing = 'counts' | 'outvoted' | 'replaced' | 'withdrawn';

/** Source of a label that pins its window: no release of its scope may get it wrong. */
export const MUST_PASS = 'must-pass';
/** Number of the rule: a store that was resolved by an earlier one is resolved again at its opening. */
export const RULE = 1;

/** Kinds of sources that are models: what they say counts where nobody else says anything. */
const MODELS = new Set(['teacher', 'pseudo']);

/**
 * The kind of a source: what stands before the colon.
 *
 * @example kindOf('teacher:large') // 'teacher'
 */
export function kindOf(source: string): string {
  return source.split(':', 1)[0]!;
}

/** Whether a source is a model: its word counts only where nobody else speaks. */
export function isModel(source: string): boolean {
  return MODELS.has(kindOf(source));
}

/** A pin before those who know, those who know before models. */
function rank(source: string): number {
  if (source === MUST_PASS) return 2;
  return isModel(source) ? 0 : 1;
}

/**
 * Which label counts for a window of which several were given. All of them are kept; the rule is:
 *
 * 1. A label that was withdrawn says nothing.
 * 2. Each source has one voice, its latest label: a correction replaces what it corrects.
 * 3. A pin decides; without one, people, buttons and delayed truth do; models only where none of
 *    those speaks.
 * 4. Among those who decide the class with the greatest sum of trust counts, and of equal sums the
 *    one that was named last.
 *
 * Source, trust and time are those of the most trusted label of that class, the latest of equals.
 *
 * @param labels of one window, in the order in which they came
 * @returns the label that counts, or null; `contradicted` where another voice names another class
 * @example resolve([
 *   { cls: 1, source: 'device', trust: 0.9, at: 1, withdrawnAt: null },
 *   { cls: 2, source: 'person', trust: 1, at: 2, withdrawnAt: null },
 * ]) // { cls: 2, source: 'person', trust: 1, at: 2, firstAt: 1, contradicted: true }
 */
export function resolve(labels: readonly Said[]): ResolvedLabel | null {
  const voices = voicesOf(labels);
  const top = Math.max(...voices.map(({ source }) => rank(source)));
  const deciding = voices.filter(({ source }) => rank(source) === top);
  let counts: Said | undefined;
  let most = -1;
  for (const cls of new Set(deciding.toReversed().map((voice) => voice.cls))) {
    const same = deciding.filter((voice) => voice.cls === cls);
    const sum = same.reduce((total, { trust }) => total + trust, 0);
    // the class named last comes first: an equal sum does not replace it
    if (sum <= most + EQUAL) continue;
    most = sum;
    counts = same.reduce((best, voice) => (voice.trust >= best.trust ? voice : best));
  }
  if (counts === undefined) return null;
  const { cls, source, trust, at } = counts;
  return {
    ...{ cls, source, trust, at, firstAt: Math.min(...labels.map((label) => label.at)) },
    contradicted: voices.some((voice) => voice.cls !== cls),
  };
}

/** Sums of trust that differ by rounding alone are equal. */
const EQUAL = 1e-9;

/**
 * What became of each label of a window.
 *
 * @param labels of one window, in the order in which they came
 * @returns one for each, in the same order
 */
export function standings(labels: readonly Said[]): Standing[] {
  const counting = resolve(labels)?.cls;
  const voices = new Set(voicesOf(labels));
  return labels.map((label) => {
    if (label.withdrawnAt !== null) return 'withdrawn';
    if (!voices.has(label)) return 'replaced';
    return label.cls === counting ? 'counts' : 'outvoted';
  });
}

/** The latest label of each source that was not withdrawn, in the order of their coming. */
function voicesOf<T extends Said>(labels: readonly T[]): T[] {
  const voices = new Map<string, T>();
  const inOrder = labels.toSorted((a, b) => a.at - b.at);
  for (const label of inOrder) {
    if (label.withdrawnAt !== null) continue;
    voices.delete(label.source); // what it says now it says last
    voices.set(label.source, label);
  }
  return [...voices.values()];
}
