import { wilson } from '../statistics.ts';
import { loadTask } from '../task.ts';
import { type Batch, joined, shareRight } from '../train/committee.ts';
import type { FloatDense } from '../train/net.ts';
import { fitStandardisedSoftmax } from '../train/standardised.ts';
import { alignLater } from './gas-align.ts';
import { rawRows, readGas } from './gas-data.ts';
import { trainForward } from './gas-forward.ts';
import { type BenchOptions, type BenchRow, round } from './report.ts';
import { average, meanOf } from './spread.ts';

const FORWARD = {
  name: 'gas, five gases, all earlier batches',
  aim: 0.95,
  seeds: 10,
  /** Warner et al., 'Using context to make gas classifiers robust to sensor drift', means of 30 runs */
  published: [
    { who: 'feedforward, Warner et al.', shares: [0.881, 0.875, 0.974, 0.959] },
    { who: 'with context, Warner et al.', shares: [0.882, 0.869, 0.975, 0.947] },
    { who: 'SVM ensemble, Vergara et al.', shares: [0.698, 0.777, 0.631, 0.9] },
  ],
};

const ALIGN = {
  name: 'gas, six gases, batch 1 and no labels',
  aim: 0.815,
  /** measured with the protocol in a quick experiment: each batch standardised by itself */
  standardised: 0.751,
};

/** The peer, on the figures as they were measured, in float. */
const REGRESSION = 'logistic regression, raw features, same run';

/**
 * Gas under drift: trained on all earlier batches, and on the first batch alone with no label after it;
 * in int8 by the device's kernel.
 *
 * @param options data: a folder with gas-drift; seeds of the nets, default 10
 */
export async function gasRows(options: BenchOptions): Promise<BenchRow[]> {
  return [...(await forwardRows(options)), ...(await alignRows(options))];
}

/** T = 3 to 6. The members of a committee are chosen on the batches before T alone. */
async function forwardRows({ data, seeds, onProgress }: BenchOptions): Promise<BenchRow[]> {
  const { name, aim, published } = FORWARD;
  const task = loadTask('gas');
  const classes = task.classes.length - 1; // toluene is the last, and not in batches 3 to 5
  const batches = readGas(data, task, classes);
  if (batches === undefined) return [missing(`${name}, mean of T = 3…6`, aim)];
  const results = await trainForward(batches, task, classes, seeds ?? FORWARD.seeds, onProgress);
  const raw = batches.map(rawRows);
  const peers = results.map(({ batch }) =>
    regression(joined(raw.slice(0, batch - 1)), raw[batch - 1]!, classes),
  );
  const perSeed = results[0]!.accuracy.map((_, s) => average(results.map((r) => r.accuracy[s]!)));
  const mean = meanOf(perSeed, 4);
  const { value } = mean;
  const teacher = round(average(results.map((result) => result.teacher)), 4);
  return [
    {
      ...{ name: `${name}, mean of T = 3…6`, unit: 'share', ...mean },
      perSeed: perSeed.map((share) => round(share, 4)),
      ...against(REGRESSION, value, average(peers)),
      ...{ aim: `at least ${aim}`, met: value >= aim },
    },
    ...published.map(({ who, shares }) => ({
      ...{ name: `${name}, mean of T = 3…6, beside ${who}`, unit: 'share', value },
      ...against(`${who}, published`, value, average(shares)),
    })),
    ...results.map((result, t) => ({
      name: `${name}, T = ${result.batch}`,
      unit: 'share',
      ...meanOf(result.accuracy, 4),
      perSeed: result.accuracy.map((share) => round(share, 4)),
      ...against(REGRESSION, average(result.accuracy), peers[t]!),
    })),
    {
      ...{ name: `${name}, the committee on the gateway, float`, unit: 'share', value: teacher },
      ...against('its net on the device, int8', teacher, value),
    },
    { name: `${name}, bytes of the net`, unit: 'bytes', value: results.at(-1)!.bytes },
  ];
}

/** K = 2 to 6. Nothing is chosen, so that no label of K can have a part in it. */
async function alignRows({ data, onProgress }: BenchOptions): Promise<BenchRow[]> {
  const { name, aim, standardised } = ALIGN;
  const task = loadTask('gas');
  const classes = task.classes.length;
  const batches = readGas(data, task, classes);
  if (batches === undefined) return [missing(`${name}, mean of K = 2…6`, aim)];
  onProgress?.('gas, batch 1 and no labels');
  const results = await alignLater(batches, task);
  const [first, ...later] = batches.map(rawRows);
  const peers = later.map((batch) => regression(first!, batch, classes));
  const rows = (['aligned', 'before'] as const).flatMap((when) => {
    const shares = results.map(({ right, windows }) => right[when] / windows);
    const value = round(average(shares), 4);
    const what = when === 'aligned' ? name : `${name}, not aligned`;
    return [
      {
        ...{ name: `${what}, mean of K = 2…6`, unit: 'share', value },
        interval: meanInterval(results.map(({ right, windows }) => [right[when], windows])),
        ...against(REGRESSION, value, average(peers)),
        ...(when === 'aligned' && { aim: `at least ${aim}`, met: value >= aim }),
      },
      ...results.map(({ batch, right, windows }, k) => ({
        ...{ name: `${what}, K = ${batch}`, unit: 'share', value: round(shares[k]!, 4) },
        interval: rounded(wilson(right[when], windows)),
        ...against(REGRESSION, shares[k]!, peers[k]!),
      })),
    ];
  });
  const value = rows[0]!.value;
  const beside = `${name}, mean of K = 2…6, beside each batch standardised by itself`;
  const peer = 'logistic regression, each batch standardised, quick experiment';
  return [...rows, { name: beside, unit: 'share', value, ...against(peer, value, standardised) }];
}

/** Accuracy of the peer: multinomial regression on standardised figures, nothing chosen for gas. */
function regression(train: Batch, test: Batch, classes: number): number {
  // the penalty is scikit-learn's default, C = 1
  const options = { l2: 1 / train.n, iterations: 300, learningRate: 0.08, labelSmoothing: 0 };
  const layer = fitStandardisedSoftmax(train, train.labels, classes, options);
  return shareRight(logitsOf(layer, test), test.labels, classes);
}

function logitsOf({ weights, bias, inputs, outputs }: FloatDense, { x, n }: Batch): Float64Array {
  const logits = new Float64Array(n * outputs);
  for (let s = 0; s < n; s++) {
    for (let c = 0; c < outputs; c++) {
      let sum = bias[c]!;
      for (let f = 0; f < inputs; f++) sum += weights[c * inputs + f]! * x[s * inputs + f]!;
      logits[s * outputs + c] = sum;
    }
  }
  return logits;
}

function against(
  peer: string,
  value: number,
  peerValue: number,
): Pick<BenchRow, 'peer' | 'peerValue' | 'ratio'> {
  return { peer, peerValue: round(peerValue, 4), ratio: round(value / peerValue, 3) };
}

/** 95 % interval of a mean of independent shares, by the normal approximation. */
function meanInterval(counts: readonly (readonly [number, number])[]): [number, number] {
  const shares = counts.map(([right, n]) => right / n);
  const square = counts.reduce((sum, [, n], i) => sum + (shares[i]! * (1 - shares[i]!)) / n, 0);
  const reach = (1.96 * Math.sqrt(square)) / counts.length;
  return rounded([average(shares) - reach, average(shares) + reach]);
}

function rounded([low, high]: readonly [number, number]): [number, number] {
  return [round(low, 4), round(high, 4)];
}

function missing(name: string, aim: number): BenchRow {
  return { name, unit: 'share', aim: `at least ${aim}`, skipped: 'skipped: no recordings' };
}
