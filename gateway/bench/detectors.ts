import { adwin } from '../monitor/adwin.ts';
import { conformal } from '../monitor/conformal.ts';
import { ddm } from '../monitor/ddm.ts';
import type { Detector } from '../monitor/detector.ts';
import { features } from '../monitor/features.ts';
import { hddmA } from '../monitor/hddm-a.ts';
import { hddmW } from '../monitor/hddm-w.ts';
import { kswin } from '../monitor/kswin.ts';
import { mmd } from '../monitor/mmd.ts';
import { pageHinkley } from '../monitor/page-hinkley.ts';
import { createRandom } from '../random.ts';
import { type Detection, judge } from './detection.ts';
import {
  type DriftStream,
  movedFeatures,
  readDriftStream,
  recordedStreams,
  syntheticStream,
} from './drift-streams.ts';
import { naiveBayes } from './naive-bayes.ts';
import { type BenchOptions, type BenchReport, type BenchRow, machine, round } from './report.ts';

/** Values between false alarms that is asked of every detector beside River's own settings. */
const RUN_LENGTH = 10_000;
const SPEED_VALUES = 100_000;

type Watch = Detector<unknown, readonly number[]>;
interface Contender {
  name: string;
  /** takes the error of the learner, or the features */
  sees: 'errors' | 'features';
  make: (stream: DriftStream) => Watch;
}

function onErrors(name: string, make: () => Detector): Contender {
  const watch = () => {
    const detector = make();
    return { update: ([x]: readonly number[]) => detector.update(x), state: detector.state };
  };
  return { name, sees: 'errors', make: watch };
}

const byRunLength = { runLength: RUN_LENGTH };
const named = `run length ${RUN_LENGTH.toLocaleString('en')}`;
/** conformal() watches scores from 0 to 255 for a fall. */
const asScore = (detector: Detector): Detector => ({
  ...detector,
  update: (error) => detector.update(255 * (1 - error)),
});
const contenders: Contender[] = [
  { name: 'always-alarm (every tolerance)', sees: 'errors', make: (s) => every(s.tolerance) },
  { name: 'never-alarm', sees: 'errors', make: () => every(Number.POSITIVE_INFINITY) },
  onErrors('adwin', () => adwin()),
  onErrors(`adwin, ${named}`, () => adwin(byRunLength)),
  onErrors('ddm', () => ddm()),
  onErrors(`ddm, ${named}`, () => ddm(byRunLength)),
  onErrors('hddm-a', () => hddmA()),
  onErrors(`hddm-a, ${named}`, () => hddmA(byRunLength)),
  onErrors('hddm-w', () => hddmW()),
  onErrors(`hddm-w, ${named}`, () => hddmW(byRunLength)),
  onErrors('page-hinkley', () => pageHinkley()),
  onErrors(`page-hinkley, ${named}`, () => pageHinkley({ ...byRunLength, mode: 'up' })),
  onErrors('kswin', () => kswin()),
  onErrors(`kswin, ${named}`, () => kswin(byRunLength)),
  onErrors(`conformal, ${named}`, () => asScore(conformal(byRunLength))),
  ...(['kolmogorov-smirnov', 'psi'] as const).map(
    (test): Contender => ({
      ...{ name: `${test} of each feature, Holm, ${named}`, sees: 'features' },
      make: ({ vectors }) => features({ ...byRunLength, test, count: vectors[0].length }),
    }),
  ),
  {
    ...{ name: `mmd, ${named}`, sees: 'features' },
    make: ({ vectors }) => mmd({ ...byRunLength, dimensions: vectors[0].length }),
  },
];

/** The baseline that alarms every so many values, whatever they are. */
function every(period: number): Watch {
  let n = 0;
  return { update: () => ++n % period === 0, state: () => n };
}

/**
 * Sets every detector on streams with known drifts: the error ones on the errors of an online Gaussian
 * naive Bayes (tested, then trained, on every value; begun anew at every alarm), the others on the
 * features; beside always-alarm and never-alarm. Where the drifts are unknown, the learner's accuracy
 * says what the alarms are worth. Then the values a second that each takes.
 *
 * @param options `data` is the folder of the streams
 * @returns the rows, as `whetstone bench detectors` prints them
 */
export async function benchDetectors(options: BenchOptions = {}): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  for (const recorded of recordedStreams) {
    options.onProgress?.(recorded.name);
    const stream = load(options.data, recorded);
    if (typeof stream === 'string') {
      rows.push({ name: `${recorded.name}, every detector`, unit: '', skipped: stream });
    } else for (const contender of contenders) rows.push(...watchWithLearner(stream, contender));
  }
  for (const what of ['means', 'correlation'] as const) {
    const stream = syntheticStream(what);
    options.onProgress?.(stream.name);
    for (const contender of contenders.filter(({ sees }) => sees === 'features')) {
      rows.push(...watchFeatures(stream, contender));
    }
  }
  options.onProgress?.('values a second');
  rows.push(...contenders.slice(2).map(speed));
  rows.push({
    ...{ name: 'values a second, beside River', unit: '1/s' },
    skipped:
      'River runs in Python only, which Whetstone does without; its alarms are golden vectors',
  });
  return { bench: 'detectors', machine: machine(), rows };
}

function load(dir: string | undefined, recorded: (typeof recordedStreams)[number]) {
  if (dir === undefined) return 'no recordings: give their folder with --data';
  try {
    return readDriftStream(dir, recorded);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    return `no recordings: ${recorded.file} is not in ${dir}`;
  }
}

function watchWithLearner(stream: DriftStream, contender: Contender): BenchRow[] {
  const { vectors, labels = [] } = stream;
  const learner = () => naiveBayes(2, vectors[0].length);
  const watch = contender.make(stream);
  let model = learner();
  let right = 0;
  const alarms: number[] = [];
  for (let i = 0; i < vectors.length; i++) {
    const error = Number(model.predict(vectors[i]) !== labels[i]);
    right += 1 - error;
    model.learn(vectors[i], labels[i]);
    if (!watch.update(contender.sees === 'errors' ? [error] : vectors[i])) continue;
    alarms.push(i);
    model = learner();
  }
  const accuracy = row(stream, contender, 'accuracy of naive Bayes begun anew at alarms', 'share');
  return [
    ...detection(stream, contender, alarms),
    { ...accuracy, value: round(right / vectors.length, 4) },
  ];
}

function watchFeatures(stream: DriftStream, contender: Contender): BenchRow[] {
  const watch = contender.make(stream) as Watch & { moved?: readonly { feature: number }[] };
  const alarms: number[] = [];
  let rightly = 0;
  let all = 0;
  stream.vectors.forEach((x, i) => {
    if (!watch.update(x)) return;
    alarms.push(i);
    for (const { feature } of watch.moved ?? []) {
      all++;
      rightly += Number(movedFeatures.some((moved) => moved === feature));
    }
  });
  const rows = detection(stream, contender, alarms);
  if (all > 0) {
    const share = row(stream, contender, 'features named that did move', 'share');
    rows.push({ ...share, value: round(rightly / all, 3) });
  }
  return rows;
}

/** What came of the alarms; where drifts are not known, or not there, only how many there were. */
function detection(stream: DriftStream, contender: Contender, alarms: number[]): BenchRow[] {
  const { drifts, tolerance } = stream;
  const figure = (what: string, unit: string, value: number | undefined, why: string): BenchRow =>
    value === undefined
      ? { ...row(stream, contender, what, unit), skipped: why }
      : { ...row(stream, contender, what, unit), value: round(value, 3) };
  if (drifts === undefined) return [figure('alarms', '', alarms.length, '')];
  if (contender.sees === 'features' && !stream.featuresMove) {
    return [figure('false alarms (no feature moves)', '', alarms.length, '')];
  }
  const found: Detection = judge(alarms, drifts, tolerance);
  return [
    figure(`F1 within ${tolerance} values`, '', found.f1, ''),
    figure('mean delay', 'values', found.delay, 'no drift was found'),
    figure('missed', `of ${drifts.length} drifts`, found.missed, ''),
    figure('false alarms', `in ${stream.vectors.length} values`, found.falseAlarms, ''),
    figure('precision', 'share', found.precision, 'no alarm'),
    figure('recall', 'share', found.recall, ''),
  ];
}

function row(stream: DriftStream, contender: Contender, what: string, unit: string): BenchRow {
  return { name: `${stream.name}, ${contender.name}: ${what}`, unit };
}

/** Values a second, on values in which nothing changes. */
function speed(contender: Contender): BenchRow {
  const { name, sees, make } = contender;
  const random = createRandom(9);
  const wide = sees === 'features';
  const count = wide ? SPEED_VALUES / 10 : SPEED_VALUES;
  const vectors = Array.from({ length: count }, () =>
    wide
      ? Array.from({ length: 8 }, () => random.gaussian())
      : [Number(random.uniform(0, 1) < 0.2)],
  );
  const watch = make({ name, vectors, tolerance: 0, featuresMove: false });
  const begin = performance.now();
  for (const x of vectors) watch.update(x);
  const value = Math.round((1000 * count) / (performance.now() - begin));
  return { name: `values a second, ${name}${wide ? ', eight features' : ''}`, unit: '1/s', value };
}
