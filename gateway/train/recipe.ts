import type { LabelledWindow } from './augment.ts';
import type { FloatNet } from './net.ts';
import type { Quantisation } from './quant-layer.ts';

/** What a net is fitted to: inputs of its first layer, and the answer of each. */
export interface Fitting {
  /** [n][inputs] */
  x: Float32Array;
  /** [n] */
  answers: Int32Array;
  /** whether the net's weights are a champion's, and not new */
  isWarm: boolean;
  /** penalty l2/2·Σw² */
  l2: number;
  seed: number;
  signal?: AbortSignal;
}

/**
 * How a kind of task other than classification is trained: what `trainRung` does between choosing
 * the layers and writing them as int8.
 */
export interface Recipe {
  /**
   * The windows to fit to, of the new labelled ones and of those that are rehearsed.
   *
   * @throws RangeError if none teaches
   */
  draw(
    fresh: readonly LabelledWindow[],
    old: readonly LabelledWindow[],
    seed: number,
  ): LabelledWindow[];
  /** Groups over which labels spread: a penalty weighs less the more labels a group has. */
  groups: number;
  fit(net: FloatNet, fitting: Fitting): Promise<FloatNet>;
  /** What the int8 outputs stand for, whatever the windows: every head speaks one language. */
  output: Quantisation;
  /** Inputs that layers have to hold beside those that were drawn: as many times their distance. */
  reach: number;
  /** The answer in the outputs of a float net. */
  said(outputs: Float32Array): number;
}
