/**
 * What of the core a bundle holds. Here, in Node, everything; `build` replaces this module by one
 * for a task, and what its models never need does not reach the device.
 *
 * A model that needs what is not there fails its self-test: the device keeps the one that it has.
 */

/** Layers: convolutions, and dense layers with a multiplier for each output. */
export const CONV1D: boolean = true;
/** Layers: maximum and average pools over time, without padding. */
export const POOL: boolean = true;
/** Layers of two dimensions (with CONV1D), pools with padding, means. */
export const PLANE: boolean = true;
/** Layers: additions, softmax, tables; and layers that read another than the one before. */
export const POINT: boolean = true;
/** Models that read the window itself. */
export const RAW: boolean = true;
/** Models that read features of it: set 1 and, where MOTION is true as well, set 2. */
export const FEATURES: boolean = true;
export const MOTION: boolean = true;
/** How samples become windows. */
export const GESTURE: boolean = true;
export const SLIDING: boolean = true;
/** Reads what devices say as well: text, null, and integers up to 2^53 and no further. */
export const GATEWAY: boolean = true;
/** Suites of the link: `none`; `ccm` or `mac`; of these two, `mac`. */
export const PLAIN: boolean = true;
export const SECURE: boolean = true;
export const MAC: boolean = true;
/** Flash is read where it lies; else it is copied. */
export const MAPPED: boolean = true;
/** Layers keep their scales: the tier `tflm` makes a TensorFlow Lite model of them. */
export const TFLM: boolean = true;
/** The tier `reference` is there: products in a loop. */
export const REFERENCE: boolean = true;
