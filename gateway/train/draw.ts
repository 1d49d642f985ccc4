import type { Task } from '../task.ts';
import { augment, type LabelledWindow } from './augment.ts';

/** What windows to learn from are drawn of. */
export interface DrawData {
  fresh: readonly LabelledWindow[];
  /** windows of earlier regimes, against forgetting */
  old: readonly LabelledWindow[];
  /** new windows whose class is what a model said */
  guessed: readonly LabelledWindow[];
}

/** A window to fit to, and whether it is one of an earlier regime. */
export type Drawn = LabelledWindow & { isOld: boolean };

/**
 * Varies the labelled windows, every class alike. In a class that has both new and old windows the
 * old ones make up the task's share of rehearsal; a class that only one side has is carried by it.
 * Of the new ones half are those whose class was guessed, where there are any.
 * Many labels already hold the variety that few must be given: their windows are varied half as much.
 *
 * @param task recipe
 * @param data windows
 * @param seed decides everything
 * @throws RangeError if there is no labelled window
 */
export function draw(task: Task, { fresh, old, guessed }: DrawData, seed: number): Drawn[] {
  const { augment: full, many, rehearsal } = task.training;
  if (fresh.length + old.length === 0) throw new RangeError('no labelled window to learn from');
  const axes = task.sensor.axes.length;
  const has = (examples: readonly LabelledWindow[], cls: number): boolean =>
    examples.some((example) => example.cls === cls);
  const vary = (
    examples: readonly LabelledWindow[],
    stream: number,
    shareOf: (cls: number) => number,
  ) =>
    task.classes.flatMap((_, cls) => {
      const mine = examples.filter((example) => example.cls === cls);
      const perClass = Math.round(full.perClass * shareOf(cls));
      if (mine.length === 0 || perClass === 0) return [];
      const strength = mine.length >= many ? 0.5 : 1;
      return augment(mine, axes, seed + cls + stream, { ...scaled(full, strength), perClass });
    });
  const ofNew = (cls: number): number => (has(old, cls) ? 1 - rehearsal : 1);
  const isNew = (cls: number): boolean => has(fresh, cls) || has(guessed, cls);
  const asNew = (window: LabelledWindow): Drawn => ({ ...window, isOld: false });
  return [
    ...vary(fresh, 0, (cls) => ofNew(cls) * (has(guessed, cls) ? 0.5 : 1)).map(asNew),
    ...vary(guessed, GUESSED, (cls) => ofNew(cls) * (has(fresh, cls) ? 0.5 : 1)).map(asNew),
    ...vary(old, 0, (cls) => (isNew(cls) ? rehearsal : 1)).map((w) => ({ ...w, isOld: true })),
  ];
}

/** Added to a seed, so that guessed windows are not varied as the labelled ones are. */
const GUESSED = 1000;

function scaled(full: Task['training']['augment'], strength: number): Task['training']['augment'] {
  const entries = Object.entries(full).map(([name, value]) => [name, value * strength]);
  return Object.fromEntries(entries) as Task['training']['augment'];
}
