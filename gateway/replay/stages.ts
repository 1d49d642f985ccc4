import type {
  DeviceStage,
  DeviceStages,
  LongestStage,
  ReplayStages,
  StageName,
  StageTime,
} from '../report.ts';
import type { StoredEvent } from '../store/journal.ts';

/** An event with the time on this computer. */
export interface Mark extends Omit<StoredEvent, 'id'> {
  wallMs: number;
}

/** What is known of a training beside its events. */
export interface Training {
  /** by name */
  scope: string;
  /** rungs in the order tried */
  attempts: { rung: string; trainMs: number; evidence: string; windows: number }[];
  /** bytes of the model that was released */
  modelBytes: number;
  goldenWindows: number;
  soakWindows: number;
  provisional: boolean;
  /** bytes on the wire for a device, there and back */
  wireBytes: (device: string) => number;
}

/** What the stages of a seed are computed from. */
export interface StageInput {
  seed: number;
  /** devices that changed their wearer */
  devices: readonly string[];
  /** when they did */
  shift: { at: number; wallMs: number };
  /** virtual time from one window to the next */
  stepMs: number;
  marks: readonly Mark[];
  trainings: readonly Training[];
}

type Moment = Pick<Mark, 'at' | 'wallMs'>;

const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 1 : 0);
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** The way of each device that changed its wearer, the means, and the longest stage explained. */
export function stagesOf(input: StageInput): ReplayStages {
  return summarise(input.devices.map((device) => deviceStages(device, input)));
}

/** Means and the longest stage of some devices' ways. */
export function summarise(devices: readonly DeviceStages[]): ReplayStages {
  const all = devices.flatMap((one) =>
    one.stages.map((stage) => ({ ...stage, device: one.device, of: one })),
  );
  const names = [...new Set(all.map(({ stage }) => stage))];
  const mean = names.map((stage): StageTime => {
    const same = all.filter((one) => one.stage === stage);
    const over = (key: 'virtualMs' | 'wallMs'): number =>
      same.reduce((sum, one) => sum + one[key], 0) / same.length;
    return { stage, virtualMs: over('virtualMs'), wallMs: over('wallMs') };
  });
  const longest = (key: 'virtualMs' | 'wallMs', clock: string): LongestStage => {
    const most = all.reduce((a, b) => (b[key] > a[key] ? b : a));
    const { stage, virtualMs, wallMs, device, what, of } = most;
    const [time, whole] = [most[key], of.stages.reduce((sum, one) => sum + one[key], 0)];
    const share = whole === 0 ? 0 : Math.round((100 * time) / whole);
    const why = `${stage} of ${device}: ${seconds(time)} s of ${seconds(whole)} s ${clock} (${share} %): ${what}`;
    return { device, stage, virtualMs, wallMs, why };
  };
  return {
    devices: [...devices],
    mean,
    longest:
      all.length === 0
        ? null
        : {
            virtual: longest('virtualMs', "of the devices' time"),
            wall: longest('wallMs', 'on this computer'),
          },
  };
}

function deviceStages(device: string, input: StageInput): DeviceStages {
  const { seed, shift, marks, stepMs, trainings } = input;
  const after = marks.filter(({ at, wallMs }) => at >= shift.at && wallMs >= shift.wallMs);
  const own = after.filter(({ kind, subject }) => kind === 'rollout.device' && subject === device);
  const rollout = own[0]?.data.rollout;
  const begun = after.find(
    ({ kind, subject }) => kind === 'rollout.started' && subject === rollout,
  );
  const scope = (begun?.data.scope as string | undefined) ?? null;
  const training = trainings.find((one) => one.scope === scope);
  const of = (kind: string, subject: string | null): Mark | undefined =>
    after.find((mark) => mark.kind === kind && mark.subject === subject);
  const stageAt = (stage: string): Mark | undefined =>
    own.find(({ data }) => data.rollout === rollout && data.stage === stage);

  const started = of('train.started', scope);
  const finished = of('train.finished', scope);
  // the third of several that come together is told of with them, when half a minute is over
  const group = ({ kind, data }: Mark): boolean =>
    kind === 'alarm.group' && Array.isArray(data.devices) && data.devices.includes(device);
  const alarm = of('alarm.raised', device) ?? after.find(group);
  const before = after.slice(0, started === undefined ? undefined : after.indexOf(started));
  const labels = before.filter(({ kind, subject }) => kind === 'label.added' && subject === device);
  const confirmed = stageAt('confirmed');

  const stages: DeviceStage[] = [];
  let last: Moment = shift;
  const add = (stage: StageName, end: Moment | undefined, what: (ms: number) => string): void => {
    if (end === undefined) return;
    // a stage that was over before the one before it took no time of its own
    const virtualMs = Math.max(0, end.at - last.at);
    const wallMs = Math.max(0, end.wallMs - last.wallMs);
    const [from, to] = [last.wallMs, end.wallMs];
    const others = after.filter(
      ({ kind, subject, wallMs: at }) =>
        kind === 'train.started' && subject !== scope && at > from && at < to,
    ).length;
    const beside = others === 0 ? '' : `, and ${plural(others, 'training')} of others meanwhile`;
    stages.push({ stage, virtualMs, wallMs, what: `${what(virtualMs)}${beside}` });
    if (end.wallMs > last.wallMs) last = end;
  };
  const windows = (ms: number): string =>
    `${plural(Math.round(ms / stepMs), 'window')} at ${seconds(stepMs)} s`;

  if (alarm !== undefined && before.includes(alarm)) {
    const told = alarm.kind === 'alarm.group' ? ' and it was told with others' : '';
    add('alarm', alarm, (ms) => `${windows(ms)} until the monitor was sure${told}`);
  }
  const late = labels.filter((mark) => mark.wallMs > last.wallMs).length;
  add('labels', labels.at(-1) ?? started, (ms) => `${plural(late, 'label')} in ${windows(ms)}`);
  add('turn', started, (ms) => `${windows(ms)} before it began`);
  if (started !== undefined && finished !== undefined && training !== undefined) {
    const { attempts } = training;
    const trainMs = attempts.reduce((sum, one) => sum + one.trainMs, 0);
    const rungs = attempts.map(({ rung, trainMs: ms }) => `${rung} ${Math.round(ms)} ms`);
    const trained = { at: started.at, wallMs: Math.min(finished.wallMs, started.wallMs + trainMs) };
    add('train', trained, () => `rungs ${rungs.join(', ')}, on ${plural(labels.length, 'label')}`);
    const proofs = attempts.map(({ evidence, windows: n }) => `${evidence} on ${n} windows`);
    add('prove', finished, () => `${plural(attempts.length, 'candidate')}: ${proofs.join(', ')}`);
  }
  if (begun !== undefined && training !== undefined) {
    const { modelBytes, wireBytes, goldenWindows, soakWindows, provisional } = training;
    const first = after.filter(
      ({ kind, data, wallMs }) =>
        kind === 'rollout.device' &&
        data.rollout === rollout &&
        data.stage === 'confirming' &&
        wallMs < (stageAt('offered')?.wallMs ?? 0),
    );
    const waited = first.map(({ subject }) => subject).join(', ');
    add('register', begun, () => `a model of ${modelBytes} bytes signed and stored`);
    add('offer', stageAt('transferring') ?? stageAt('installed'), () =>
      waited === '' ? 'it was asked first' : `it waited for the soak of ${waited}`,
    );
    add('transfer', stageAt('installed'), () => `${wireBytes(device)} bytes on the wire`);
    add('selftest', stageAt('trial'), () => `${plural(goldenWindows, 'golden window')}`);
    const patience = provisional ? ', longer while labels are too few: it is provisional' : '';
    add(
      'soak',
      stageAt('confirming'),
      (ms) => `${windows(ms)}; ${soakWindows} are asked for${patience}`,
    );
    add('confirm', confirmed, () => 'a message there and one back');
  }
  return { device, seed, scope, isConfirmed: confirmed !== undefined, stages };
}
