/**
 * The three products of a layer over rows of numbers. A dense layer's rows are its samples; a
 * convolution's rows are overlapping stretches of one sample, since [length][channels] puts what a
 * kernel reads side by side: no im2col copy.
 *
 * Doubles throughout: V8 computes in them anyway, and single-precision arrays would convert at every
 * read. Four rows or outputs are done at a time, to read each number once for four products.
 */

/** Where the rows lie: row i of the input starts at xStart + i * xStride. */
export interface Rows {
  count: number;
  /** numbers in a row */
  length: number;
  xStart: number;
  xStride: number;
  /** where the rows' outputs start; they follow each other */
  yStart: number;
  outputs: number;
}

/**
 * y = x·wᵀ + b.
 *
 * @param rows where they lie
 * @param x inputs
 * @param w weights [out][length]
 * @param b biases
 * @param y outputs, written
 * @param relu whether negative outputs become 0
 */
export function forwardRows(
  rows: Rows,
  x: Float64Array,
  w: Float64Array,
  b: Float64Array,
  y: Float64Array,
  relu: boolean,
): void {
  const { count, length, xStart, xStride, yStart, outputs } = rows;
  for (let i = 0; i < count; i++) {
    const xRow = xStart + i * xStride;
    const yRow = yStart + i * outputs;
    let o = 0;
    for (; o + 3 < outputs; o += 4) {
      const w0 = o * length;
      const w1 = w0 + length;
      const w2 = w1 + length;
      const w3 = w2 + length;
      let a0 = b[o];
      let a1 = b[o + 1];
      let a2 = b[o + 2];
      let a3 = b[o + 3];
      for (let j = 0; j < length; j++) {
        const v = x[xRow + j];
        a0 += v * w[w0 + j];
        a1 += v * w[w1 + j];
        a2 += v * w[w2 + j];
        a3 += v * w[w3 + j];
      }
      y[yRow + o] = relu && a0 < 0 ? 0 : a0;
      y[yRow + o + 1] = relu && a1 < 0 ? 0 : a1;
      y[yRow + o + 2] = relu && a2 < 0 ? 0 : a2;
      y[yRow + o + 3] = relu && a3 < 0 ? 0 : a3;
    }
    for (; o < outputs; o++) {
      const w0 = o * length;
      let a0 = b[o];
      for (let j = 0; j < length; j++) a0 += x[xRow + j] * w[w0 + j];
      y[yRow + o] = relu && a0 < 0 ? 0 : a0;
    }
  }
}

/**
 * Adds dyᵀ·x to the gradient of the weights, and the sum of dy to that of the biases.
 *
 * @param rows where they lie
 * @param x inputs
 * @param dy gradient of the outputs
 * @param dw gradient of the weights, added to
 * @param db gradient of the biases, added to
 */
export function weightGradientRows(
  rows: Rows,
  x: Float64Array,
  dy: Float64Array,
  dw: Float64Array,
  db: Float64Array,
): void {
  const { count, length, xStart, xStride, yStart, outputs } = rows;
  let i = 0;
  for (; i + 3 < count; i += 4) {
    const x0 = xStart + i * xStride;
    const x1 = x0 + xStride;
    const x2 = x1 + xStride;
    const x3 = x2 + xStride;
    const y0 = yStart + i * outputs;
    for (let o = 0; o < outputs; o++) {
      const g0 = dy[y0 + o];
      const g1 = dy[y0 + outputs + o];
      const g2 = dy[y0 + 2 * outputs + o];
      const g3 = dy[y0 + 3 * outputs + o];
      // a ReLU leaves many outputs without a gradient
      if (g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0) continue;
      db[o] += g0 + g1 + g2 + g3;
      const w0 = o * length;
      for (let j = 0; j < length; j++) {
        dw[w0 + j] += g0 * x[x0 + j] + g1 * x[x1 + j] + g2 * x[x2 + j] + g3 * x[x3 + j];
      }
    }
  }
  for (; i < count; i++) {
    const x0 = xStart + i * xStride;
    const y0 = yStart + i * outputs;
    for (let o = 0; o < outputs; o++) {
      const g0 = dy[y0 + o];
      if (g0 === 0) continue;
      db[o] += g0;
      const w0 = o * length;
      for (let j = 0; j < length; j++) dw[w0 + j] += g0 * x[x0 + j];
    }
  }
}

/**
 * Adds dy·w to the gradient of the inputs; overlapping rows add up.
 *
 * @param rows where they lie
 * @param w weights [out][length]
 * @param dy gradient of the outputs
 * @param dx gradient of the inputs, added to
 */
export function inputGradientRows(
  rows: Rows,
  w: Float64Array,
  dy: Float64Array,
  dx: Float64Array,
): void {
  const { count, length, xStart, xStride, yStart, outputs } = rows;
  for (let i = 0; i < count; i++) {
    const x0 = xStart + i * xStride;
    const y0 = yStart + i * outputs;
    let o = 0;
    for (; o + 3 < outputs; o += 4) {
      const g0 = dy[y0 + o];
      const g1 = dy[y0 + o + 1];
      const g2 = dy[y0 + o + 2];
      const g3 = dy[y0 + o + 3];
      if (g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0) continue;
      const w0 = o * length;
      const w1 = w0 + length;
      const w2 = w1 + length;
      const w3 = w2 + length;
      for (let j = 0; j < length; j++) {
        dx[x0 + j] += g0 * w[w0 + j] + g1 * w[w1 + j] + g2 * w[w2 + j] + g3 * w[w3 + j];
      }
    }
    for (; o < outputs; o++) {
      const g0 = dy[y0 + o];
      if (g0 === 0) continue;
      const w0 = o * length;
      for (let j = 0; j < length; j++) dx[x0 + j] += g0 * w[w0 + j];
    }
  }
}
