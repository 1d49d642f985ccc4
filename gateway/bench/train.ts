import { createRandom } from '../random.ts';
import type { LayerSpec } from '../task.ts';
import { chooseBackend, listBackends } from '../train/backends.ts';
import { builtin } from '../train/builtin.ts';
import { accuracy } from '../train/metrics.ts';
import { createNet, type FloatNet, outputSize } from '../train/net.ts';
import { type Backend, type FitOptions, type TrainData, train } from '../train/trainer.ts';
import { type BenchReport, type BenchRow, machine, median, round } from './report.ts';

/** The design's net on the gestures' shape. */
const INPUT = { length: 50, channels: 3 };
const CLASSES = 6;
const NET: LayerSpec[] = [
  { type: 'conv1d', filters: 8, kernel: 5, stride: 2, padding: 'same', activation: 'relu' },
  { type: 'dense', units: 16, activation: 'relu' },
  { type: 'dense', units: CLASSES, activation: 'none' },
];
/** As many windows as the larger recording has. */
const WINDOWS = 947;
const OPTIONS: FitOptions = {
  epochs: 20,
  batch: 32,
  learningRate: 0.003,
  l2: 0,
  labelSmoothing: 0,
  seed: 1,
  frozen: 0,
};
/** Runs of the quick trainers, of which the median counts; the slow peer runs once. */
const RUNS = 5;
const AIM_TIMES_FASTER = 30;
const AIM_GRADIENT = 1e-4;
/** Two standard errors of the difference of two accuracies on as many windows. */
const SAME_ACCURACY = 0.02;

/**
 * Times the built-in trainer against TensorFlow.js: same net, data, order and batch size, so that
 * both come to the same accuracy.
 *
 * @param options shorter runs, for tests
 * @returns the rows, as `whetstone bench train` prints them
 */
export async function benchTrain(
  options: { epochs?: number; windows?: number; runs?: number } = {},
): Promise<BenchReport> {
  const fit = { ...OPTIONS, epochs: options.epochs ?? OPTIONS.epochs };
  const data = syntheticGestures(options.windows ?? WINDOWS, 1);
  const unseen = syntheticGestures(options.windows ?? WINDOWS, 2);
  const rows: BenchRow[] = [];

  const ours = await timeFit(builtin, fit, data, unseen, options.runs ?? RUNS);
  for (const status of await listBackends()) {
    if (status.name === 'builtin') continue;
    const isNative = status.name === '@tensorflow/tfjs-node';
    const peer = isNative ? status.name : `${status.name} (${status.detail})`;
    const names = [`fit, against ${status.name}`, `accuracy, against ${status.name}`];
    names.push(`largest difference of gradients, against ${status.name}`);
    if (!status.loads) {
      const units = ['ms', 'share', ''];
      names.forEach((name, i) => {
        rows.push({ name, unit: units[i], peer, skipped: `does not load: ${status.detail}` });
      });
      continue;
    }
    const backend = await chooseBackend(isNative ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs');
    const theirs = await timeFit(backend, fit, data, unseen, isNative ? (options.runs ?? RUNS) : 1);
    const ratio = theirs.ms / ours.ms;
    const least = isNative ? 1 : AIM_TIMES_FASTER;
    const apart = gradientGap(backend, data);
    rows.push(
      {
        name: names[0],
        value: round(ours.ms, 1),
        unit: 'ms',
        peer,
        peerValue: round(theirs.ms, 1),
        ratio: round(ratio, 1),
        aim: `ratio at least ${least}`,
        met: ratio >= least,
      },
      {
        name: names[1],
        value: round(ours.accuracy, 4),
        unit: 'share',
        peer,
        peerValue: round(theirs.accuracy, 4),
        ratio: round(ours.accuracy / theirs.accuracy, 3),
        aim: `within ${SAME_ACCURACY}`,
        met: Math.abs(ours.accuracy - theirs.accuracy) <= SAME_ACCURACY,
      },
      {
        name: names[2],
        value: apart,
        unit: '',
        peer,
        aim: `at most ${AIM_GRADIENT}`,
        met: apart <= AIM_GRADIENT,
      },
    );
  }
  return { bench: 'train', machine: machine(), rows };
}

interface Timing {
  ms: number;
  accuracy: number;
}

async function timeFit(
  backend: Backend,
  options: FitOptions,
  data: TrainData,
  unseen: TrainData,
  runs: number,
): Promise<Timing> {
  const times: number[] = [];
  let net: FloatNet = createNet(INPUT, NET, 1);
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    net = await train(backend, createNet(INPUT, NET, 1), data, options);
    times.push(performance.now() - start);
  }
  const logits = backend.predict(net, unseen.x, unseen.n);
  return { ms: median(times), accuracy: accuracy(unseen.y, classesOf(logits)) };
}

function classesOf(logits: Float32Array): number[] {
  return Array.from({ length: logits.length / CLASSES }, (_, s) => {
    const row = logits.subarray(s * CLASSES, (s + 1) * CLASSES);
    return row.indexOf(Math.max(...row));
  });
}

// both losses, with weights and a penalty, on a net of all layer types
function gradientGap(backend: Backend, data: TrainData): number {
  const net = createNet(
    INPUT,
    [
      { type: 'conv1d', filters: 8, kernel: 5, stride: 2, padding: 'same', activation: 'relu' },
      { type: 'maxpool1d', pool: 2, stride: 2 },
      { type: 'conv1d', filters: 6, kernel: 3, stride: 1, padding: 'valid', activation: 'none' },
      { type: 'avgpool1d', pool: 3, stride: 2 },
      { type: 'dense', units: 16, activation: 'relu' },
      { type: 'dense', units: CLASSES, activation: 'none' },
    ],
    2,
  );
  const n = Math.min(64, data.n);
  const random = createRandom(5);
  const x = data.x.slice(0, n * INPUT.length * INPUT.channels);
  const weight = Float32Array.from({ length: n }, () => random.uniform(0, 2));
  const targets = Float32Array.from({ length: n * outputSize(net) }, () => random.gaussian());
  let largest = 0;
  for (const y of [data.y.slice(0, n), targets]) {
    const options = { l2: 0.01, labelSmoothing: y === targets ? 0 : 0.1 };
    const ours = builtin.gradients(net, { x, y, weight, n }, options);
    const theirs = backend.gradients(net, { x, y, weight, n }, options);
    ours.forEach((gradient, t) => {
      gradient.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - theirs[t][i]));
      });
    });
  }
  return largest;
}

/**
 * Windows in the shape of the gestures: a class is a frequency and phase of each axis, with noise.
 * Speed depends on the shape alone; the classes are there so that an accuracy can be compared.
 */
function syntheticGestures(n: number, seed: number): TrainData {
  const random = createRandom(seed);
  const { length, channels } = INPUT;
  const x = new Float32Array(n * length * channels);
  const y = Int32Array.from({ length: n }, (_, s) => s % CLASSES);
  for (let s = 0; s < n; s++) {
    const jitter = random.gaussian();
    for (let t = 0; t < length; t++) {
      for (let c = 0; c < channels; c++) {
        const phase = (2 * Math.PI * t * (1 + (y[s] % 3))) / length + c + 0.6 * jitter;
        const wave = Math.sin(y[s] < 3 ? phase : phase * 1.3);
        x[(s * length + t) * channels + c] = wave + 1.5 * random.gaussian();
      }
    }
  }
  return { x, y, n };
}
