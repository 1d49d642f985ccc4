/** What {@link calibrator} remembers: how sure it is of the curve from score to probability. */
export interface CalibratorState {
  /** offset, and slope for a logit of margin */
  mean: [number, number];
  /** their variances, and covariance */
  cov: [number, number, number];
}

/** What the calibrator says of one score. */
export interface Calibrated {
  /** probability that the device is right */
  p: number;
  /** how p moves with offset and slope */
  gradient: [number, number];
  /** variance of p that comes from not knowing the curve */
  variance: number;
}

/** Learns from labelled windows how often a score is right. */
export interface Calibrator {
  /** Takes the truth of one prediction. */
  update(score: number, right: boolean): void;
  of(score: number): Calibrated;
  /** Variance of a sum of probabilities whose gradients add up to this. */
  spread(gradient: readonly [number, number]): number;
  /**
   * Takes what is known of a mean: of all windows, the share that is right.
   *
   * @param mean of the probabilities, with its gradient, as the curve says while this is called
   * @param score mean of their scores
   * @param share that was measured, with its variance
   */
  anchor(
    mean: () => { p: number; gradient: [number, number] },
    score: number,
    share: number,
    variance: number,
  ): void;
  /** Something changed: what was learned counts as a hint from now on. */
  doubt(): void;
  state(): CalibratorState;
}

/**
 * Before any label: the score is what it claims, a margin of logits between the best two classes,
 * and nets claim too much rather than too little.
 */
const prior: CalibratorState = { mean: [0, 0.8], cov: [1, 0.16, 0] };
/** How far the curve of a device may lie from what the fleet taught. */
const apart = [0.5 ** 2, 0.15 ** 2];
/** How far a curve wanders from one label to the next: what is forgotten. */
const wander = [0.03 ** 2, 0.01 ** 2];
/** Deviations that an anchor moves a curve at most, and how often the way is cut to find the place. */
const furthest = 8;
const halvings = 40;
/** Share of windows about which a score says nothing, so that no sure error proves anything alone. */
const lapse = 0.02;

/**
 * The curve from a score to the probability of being right: a logistic one, as Platt's, with a
 * distribution over its two parameters instead of a point, updated label by label. Constant memory
 * and time. Labels may be chosen by score: the curve is a statement about each score.
 *
 * @param state to go on from
 * @returns the calibrator
 * @source Platt 1999, Probabilistic Outputs for Support Vector Machines; the update is the extended
 *   Kalman filter for a Bernoulli outcome: Ollivier 2018, Online natural gradient as a Kalman filter,
 *   definition 5
 * @example ((c) => (Array.from({ length: 200 }, (_, i) => c.update(64, i % 2 === 0)), c.of(64).p.toFixed(1)))(calibrator()) // '0.5'
 */
export function calibrator(state: CalibratorState = prior): Calibrator {
  const { mean, cov } = structuredClone(state);

  const spread = ([a, b]: readonly [number, number]): number =>
    a * a * cov[0] + b * b * cov[1] + 2 * a * b * cov[2];

  function of(score: number): Calibrated {
    const x = score / 16;
    const sigma = 1 / (1 + Math.exp(-(mean[0] + mean[1] * x)));
    const slope = (1 - lapse) * sigma * (1 - sigma);
    const gradient: [number, number] = [slope, slope * x];
    return { p: lapse / 2 + (1 - lapse) * sigma, gradient, variance: spread(gradient) };
  }

  /** @param gradient of what was observed, @param off observed less expected, @param noise variance */
  function learn([a, b]: readonly [number, number], off: number, noise: number): void {
    const gain = [a * cov[0] + b * cov[2], a * cov[2] + b * cov[1]];
    const scale = 1 / (noise + a * gain[0] + b * gain[1]);
    mean[0] += gain[0] * scale * off;
    mean[1] += gain[1] * scale * off;
    cov[0] -= gain[0] * gain[0] * scale;
    cov[1] -= gain[1] * gain[1] * scale;
    cov[2] -= gain[0] * gain[1] * scale;
  }

  function widen([a, b]: readonly number[]): void {
    cov[0] = Math.min(prior.cov[0] * 2, cov[0] + a);
    cov[1] = Math.min(prior.cov[1] * 2, cov[1] + b);
  }

  return {
    of,
    spread,
    update(score, right) {
      widen(wander);
      const { p, gradient } = of(score);
      learn(gradient, Number(right) - p, p * (1 - p));
    },
    anchor(meanOf, score, share, variance) {
      const logit = (p: number): number => Math.log(p / (1 - p));
      const target = logit(Math.min(1 - lapse, Math.max(lapse, share)));
      const noise = variance / (share * (1 - share) + lapse * lapse) ** 2;
      // the most probable curve on the line from the one that it is to the one that says the share:
      // a step by gradient would not do where scores are so high that the curve is flat
      const x = score / 16;
      const toward = [cov[0] + cov[2] * x, cov[2] + cov[1] * x];
      const stiff = spread([1, x]);
      const first = [...mean];
      const place = (step: number): number => {
        for (let k = 0; k < 2; k++) mean[k] = first[k] + step * toward[k];
        return step * step * stiff + (target - logit(meanOf().p)) ** 2 / noise;
      };
      const sign = Math.sign(target - logit(meanOf().p));
      let [low, high] = [0, furthest / Math.sqrt(stiff)];
      for (let i = 0; i < halvings; i++) {
        const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
        if (place(sign * left) < place(sign * right)) high = right;
        else low = left;
      }
      place((sign * (low + high)) / 2);
      // what is known of it now, around there
      const { p, gradient } = meanOf();
      const [byOffset, bySlope] = gradient.map((slope) => slope / (p * (1 - p)));
      learn([byOffset, bySlope], 0, noise);
    },
    doubt: () => widen(prior.cov),
    state: () => structuredClone({ mean, cov }),
  };
}

/** Where a device begins: at what the fleet taught, and how far it may lie from it. */
export function fromFleet({ mean, cov }: CalibratorState): CalibratorState {
  return { mean: [...mean], cov: [cov[0] + apart[0], cov[1] + apart[1], cov[2]] };
}
