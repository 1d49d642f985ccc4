/**
 * Three curves in a plane, eight points each: a little problem that no line solves, and what
 * scikit-learn 1.9.1 makes of five other points.
 */
const t = Array.from({ length: 8 }, (_, i) => i / 4 - 1);
const points = [
  ...t.map((u) => [u, u * u]),
  ...t.map((u) => [u, u * u - 0.6]),
  ...t.map((u) => [u + 0.3, 1.5 - u * u]),
];

export const curves = {
  x: Float32Array.from(points.flat()),
  n: 24,
  features: 2,
  labels: Int32Array.from({ length: 24 }, (_, i) => Math.floor(i / 8)),
};

export const asked = {
  x: Float32Array.of(0, 0.3, -0.5, -0.4, 0.9, 0.2, 0.1, 1.2, 3, 3),
  n: 5,
  features: 2,
};

/** SVC(C=C, gamma=0.25, tol=1e-6).fit(x, y == c).decision_function(q), one row a point. */
export const machines = {
  100: [
    [1.6993, -2.1923, -1.1068],
    [-1.3443, 1.2135, -2.2264],
    [-0.7145, 0.7738, -3.4444],
    [-0.8848, -4.6752, 2.9597],
    [-6.2481, 2.2177, 0.1995],
  ],
  1: [
    [-0.7678, -0.6683, -0.7752],
    [-1.0183, 0.6613, -1.4875],
    [-0.8894, -0.4237, -0.6752],
    [-0.9665, -1.6391, 0.5965],
    [-1.3934, -0.002, -0.1114],
  ],
};

/**
 * LinearDiscriminantAnalysis(solver='lsqr', shrinkage=0.1, priors=[1/3]*3).decision_function(q), less
 * its first column, divided by the spread of the scores over the samples, 3.740276078.
 */
export const discriminants = [
  [0, -1.426, -3.3991],
  [0, 2.5354, -9.3907],
  [0, -1.2646, -2.7717],
  [0, -6.293, 3.4754],
  [0, -17.1516, 21.3472],
].map((row) => row.map((value) => value / 3.740276078));
