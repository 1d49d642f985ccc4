import type { Weighted } from './quant-layer.ts';

/*
 * The part: u8 count, u16 score multiplier, u8 0, then each layer. Little-endian; every array starts
 * at a multiple of 4.
 *
 *    0 u8 type        1 i8 low        2 i8 zpIn         3 i8 zpOut
 *    4 u16 channelsIn 6 u16 channelsOut                 8 u16 widthIn     10 u16 widthOut
 *   12 u8 kernelWidth 13 u8 strideWidth  14 u8 padLeft (add: i8 zero point of its second term)
 *   15 i8 high        16 u8 per channel  17 u8 activation, +128: kept, for another reader
 *                                                      than the next layer, or for an add's second term
 *   18 u8 from        19 u8 from2     0: the layer before, k: the one k further back
 *  types of two dimensions and beyond (5 and up):
 *   20 u16 heightIn   22 u16 heightOut  24 u8 kernelHeight  25 u8 strideHeight  26 u8 padTop
 *   27 u8 depthMultiplier
 *   int8 weights   [out][kernelHeight][kernelWidth][in], depthwise [out][kernelHeight][kernelWidth];
 *                  of a table its 256 results
 *   int32 bias     [out], with zpIn · Σrow subtracted; of softmax the least difference that counts
 *   int32 multiplier, int8 shift    one or [out]; of add: first term, second term, sum
 *   float32 scales   what the integers stand for: see arraysOf in layer-codec.ts;
 *                  devices without the tier `tflm` pass them over
 */

/** By their code; 2, 3 and 4 are of height 1. */
export const TYPES = [
  'none',
  'dense',
  'conv1d',
  'maxpool1d',
  'avgpool1d',
  'conv2d',
  'depthwise2d',
  'maxpool2d',
  'avgpool2d',
  'mean',
  'add',
  'softmax',
  'logistic',
  'quantise',
];
export const ACTIVATIONS = ['none', 'relu', 'relu6'] as const;
export const HEADER = 20;
export const PLANE_HEADER = 28;
/** Codes of the layers that one dimension is enough for, and that carry the short header. */
export const FIRST_PLANE = 5;
/** The codec's own reading of an activation flag that a later layer needs. */
export const KEPT = 128;

/** Zero point of the input · Σ of each row of weights. */
export function foldedTerms({ weights, input }: Pick<Weighted, 'weights' | 'input'>, size: number) {
  return Array.from(
    { length: weights.length / size },
    (_, row) =>
      input.zero * weights.subarray(row * size, (row + 1) * size).reduce((sum, w) => sum + w, 0),
  );
}
