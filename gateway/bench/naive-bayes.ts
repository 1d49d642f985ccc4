/** What it remembers of one class. */
interface ClassMoments {
  n: number;
  means: number[];
  /** sums of squared deviations from the mean */
  squares: number[];
}

/** A learner that sees each example once. */
export interface OnlineLearner {
  /** The likeliest class, before the truth is known. */
  predict(x: readonly number[]): number;
  /** Learns one example. */
  learn(x: readonly number[], cls: number): void;
}

/** Variance that every feature has at least, so that a constant one divides by no zero. */
const leastVariance = 1e-9;

/**
 * Gaussian naive Bayes, online: for each class a running mean and variance of each feature (Welford).
 *
 * @param classes how many
 * @param features length of a vector
 * @returns an empty learner; it answers class 0 until it has seen another
 * @source Welford 1962, Note on a Method for Calculating Corrected Sums of Squares and Products
 * @example ((b) => ([[0], [0.2], [4], [4.4]].forEach((x, i) => b.learn(x, i >> 1)), [b.predict([0.5]), b.predict([3])]))(naiveBayes(2, 1)) // [0, 1]
 */
export function naiveBayes(classes: number, features: number): OnlineLearner {
  const zeros = () => new Array<number>(features).fill(0);
  const moments: ClassMoments[] = Array.from({ length: classes }, () => ({
    ...{ n: 0, means: zeros(), squares: zeros() },
  }));

  function logLikelihood({ n, means, squares }: ClassMoments, x: readonly number[]): number {
    let sum = Math.log(n);
    for (let i = 0; i < features; i++) {
      const variance = Math.max(leastVariance, squares[i] / Math.max(1, n - 1));
      sum -= 0.5 * (Math.log(variance) + (x[i] - means[i]) ** 2 / variance);
    }
    return sum;
  }

  return {
    predict(x) {
      let best = 0;
      let most = Number.NEGATIVE_INFINITY;
      moments.forEach((one, cls) => {
        // log 0: a class that was never seen is never answered
        const value = logLikelihood(one, x);
        if (value > most) {
          most = value;
          best = cls;
        }
      });
      return best;
    },
    learn(x, cls) {
      const one = moments[cls];
      one.n++;
      for (let i = 0; i < features; i++) {
        const off = x[i] - one.means[i];
        one.means[i] += off / one.n;
        one.squares[i] += off * (x[i] - one.means[i]);
      }
    },
  };
}
