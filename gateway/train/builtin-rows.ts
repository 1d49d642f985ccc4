/**
 * The three products of a layer over rows of numbers. A dense layer's rows are its samples; a
 * convolution's rows are overlapping stretches of one sample, since [length][channels] puts what a
 * kernel reads side by side: no im2col copy.
 *
 * Doubles throughout: V8 computes in them anyway, and single-precision arrays would convert at every
 * read. Four rows and two outputs are done at a time: six reads for eight products, with as many
 * sums as there are registers for (measured: two to three times faster than one row at a time).
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
 */
export function forwardRows(
  rows: Rows,
  x: Float64Array,
  w: Float64Array,
  b: Float64Array,
  y: Float64Array,
): void {
  const { count, length, xStart, xStride, yStart, outputs } = rows;
  const blockRows = count - (count % 4);
  const blockOutputs = outputs - (outputs % 2);
  for (let i = 0; i < blockRows; i += 4) {
    const x0 = xStart + i * xStride;
    const x1 = x0 + xStride;
    const x2 = x1 + xStride;
    const x3 = x2 + xStride;
    for (let o = 0; o < blockOutputs; o += 2) {
      const w0 = o * length;
      const w1 = w0 + length;
      let a0 = b[o];
      let b0 = b[o + 1];
      let a1 = a0;
      let b1 = b0;
      let a2 = a0;
      let b2 = b0;
      let a3 = a0;
      let b3 = b0;
      for (let j = 0; j < length; j++) {
        const u = w[w0 + j];
        const v = w[w1 + j];
        const p0 = x[x0 + j];
        const p1 = x[x1 + j];
        const p2 = x[x2 + j];
        const p3 = x[x3 + j];
        a0 += p0 * u;
        b0 += p0 * v;
        a1 += p1 * u;
        b1 += p1 * v;
        a2 += p2 * u;
        b2 += p2 * v;
        a3 += p3 * u;
        b3 += p3 * v;
      }
      const y0 = yStart + i * outputs + o;
      y[y0] = a0;
      y[y0 + 1] = b0;
      y[y0 + outputs] = a1;
      y[y0 + outputs + 1] = b1;
      y[y0 + 2 * outputs] = a2;
      y[y0 + 2 * outputs + 1] = b2;
      y[y0 + 3 * outputs] = a3;
      y[y0 + 3 * outputs + 1] = b3;
    }
  }
  // what the blocks left over
  for (let i = 0; i < count; i++) {
    const x0 = xStart + i * xStride;
    for (let o = i < blockRows ? blockOutputs : 0; o < outputs; o++) {
      const w0 = o * length;
      let sum = b[o];
      for (let j = 0; j < length; j++) sum += x[x0 + j] * w[w0 + j];
      y[yStart + i * outputs + o] = sum;
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
  const blockRows = count - (count % 4);
  const blockOutputs = outputs - (outputs % 2);
  for (let i = 0; i < blockRows; i += 4) {
    const x0 = xStart + i * xStride;
    const x1 = x0 + xStride;
    const x2 = x1 + xStride;
    const x3 = x2 + xStride;
    for (let o = 0; o < blockOutputs; o += 2) {
      const y0 = yStart + i * outputs + o;
      const y1 = y0 + outputs;
      const y2 = y1 + outputs;
      const y3 = y2 + outputs;
      const g0 = dy[y0];
      const g1 = dy[y1];
      const g2 = dy[y2];
      const g3 = dy[y3];
      const h0 = dy[y0 + 1];
      const h1 = dy[y1 + 1];
      const h2 = dy[y2 + 1];
      const h3 = dy[y3 + 1];
      db[o] += g0 + g1 + g2 + g3;
      db[o + 1] += h0 + h1 + h2 + h3;
      const w0 = o * length;
      const w1 = w0 + length;
      for (let j = 0; j < length; j++) {
        const p0 = x[x0 + j];
        const p1 = x[x1 + j];
        const p2 = x[x2 + j];
        const p3 = x[x3 + j];
        dw[w0 + j] += g0 * p0 + g1 * p1 + g2 * p2 + g3 * p3;
        dw[w1 + j] += h0 * p0 + h1 * p1 + h2 * p2 + h3 * p3;
      }
    }
  }
  for (let i = 0; i < count; i++) {
    const x0 = xStart + i * xStride;
    for (let o = i < blockRows ? blockOutputs : 0; o < outputs; o++) {
      const g = dy[yStart + i * outputs + o];
      db[o] += g;
      const w0 = o * length;
      for (let j = 0; j < length; j++) dw[w0 + j] += g * x[x0 + j];
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
  const blockOutputs = outputs - (outputs % 4);
  for (let i = 0; i < count; i++) {
    const x0 = xStart + i * xStride;
    const y0 = yStart + i * outputs;
    for (let o = 0; o < blockOutputs; o += 4) {
      const g0 = dy[y0 + o];
      const g1 = dy[y0 + o + 1];
      const g2 = dy[y0 + o + 2];
      const g3 = dy[y0 + o + 3];
      // a ReLU leaves many outputs without a gradient
      if (g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0) continue;
      const w0 = o * length;
      const w1 = w0 + length;
      const w2 = w1 + length;
      const w3 = w2 + length;
      for (let j = 0; j < length; j++) {
        dx[x0 + j] += g0 * w[w0 + j] + g1 * w[w1 + j] + g2 * w[w2 + j] + g3 * w[w3 + j];
      }
    }
    for (let o = blockOutputs; o < outputs; o++) {
      const g = dy[y0 + o];
      const w0 = o * length;
      for (let j = 0; j < length; j++) dx[x0 + j] += g * w[w0 + j];
    }
  }
}
