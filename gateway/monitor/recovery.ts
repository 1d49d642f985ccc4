import type { AlarmKind } from './alarm.ts';

/** Where a figure is read: in each window, or in each label. */
export type ReadBy = 'score' | 'class' | 'embedding' | 'raw' | 'label';

/** A figure that moved when an alarm was raised. */
export interface MovedFigure {
  what: AlarmKind;
  by: ReadBy;
  /** of the class, the feature, or the statistic of raw windows; 0 where there is only one */
  index: number;
  before: number;
  after: number;
  /** windows that `after` rests on */
  windows: number;
}

/** A figure and its newest values, the oldest first. */
interface Followed extends MovedFigure {
  values: [at: number, value: number][];
}

/** What is remembered of the figures of an episode. */
export type RecoveryState = Followed[];

/** Follows the figures that moved in an episode, until all of them are back. */
export interface Recovery {
  /** One that moved; of each kind and place the first is followed. */
  follow(figure: MovedFigure): void;
  /** Takes what a window or a label shows, at its time, ms since 1970. */
  take(by: ReadBy, at: number, value: (index: number) => number): void;
  /** Since when all figures are back, ms since 1970; undefined while one is not, or none is followed. */
  readonly since: number | undefined;
  /** Another episode. */
  forget(): void;
  state(): RecoveryState;
}

/** Share of the way from `after` to `before` that counts as back. */
const back = 0.75;
/** Values kept of a figure: a change that took longer to see is held to be over after so many. */
const mostValues = 256;

/**
 * Says when what had raised an alarm is over by itself: each figure has come back at least three quarters
 * of its way, in the mean of either half of as many windows as it took to see the change, and of `least` at
 * the fewest. A score or an accuracy may be better than before.
 *
 * @param least fewest windows, and fewest labels, of a mean
 * @param state to go on from
 * @example ((r) => (r.follow({ what: 'score', by: 'score', index: 0, before: 60, after: 20, windows: 2 }), [20, 58, 61].forEach((x, i) => r.take('score', 10 * i, () => x)), r.since))(recovery({ windows: 2, labels: 2 })) // 10
 */
export function recovery(
  least: { windows: number; labels: number },
  state?: RecoveryState,
): Recovery {
  let figures: RecoveryState = structuredClone(state ?? []);

  const wanted = ({ by, windows }: Followed): number =>
    Math.min(mostValues, Math.max(windows, by === 'label' ? least.labels : least.windows));

  function isBack(figure: Followed): boolean {
    const { what, before, after, values } = figure;
    if (values.length < wanted(figure)) return false;
    const half = Math.ceil(values.length / 2);
    // one half alone may be what it was, or pass by on its way elsewhere
    return [values.slice(0, half), values.slice(half)].every((some) => {
      const mean = some.reduce((sum, [, value]) => sum + value, 0) / some.length;
      const way = (mean - after) / (before - after);
      return way >= back && (what === 'score' || what === 'accuracy' || way <= 2 - back);
    });
  }

  /** Of the values that say so, the first that is nearer to what was before. */
  function beginning({ before, after, values }: Followed): number {
    const near = values.find(([, value]) => (value - after) / (before - after) >= 0.5);
    return (near ?? values[0]!)[0];
  }

  return {
    follow(figure) {
      const { what, by, before, after } = figure;
      if (before === after || figures.some((one) => one.what === what && one.by === by)) return;
      figures.push({ ...figure, values: [] });
    },
    take(by, at, value) {
      for (const figure of figures) {
        if (figure.by !== by) continue;
        figure.values.push([at, value(figure.index)]);
        if (figure.values.length > wanted(figure)) figure.values.shift();
      }
    },
    get since() {
      if (figures.length === 0 || !figures.every(isBack)) return undefined;
      return Math.max(...figures.map(beginning));
    },
    forget() {
      figures = [];
    },
    state: () => structuredClone(figures),
  };
}
