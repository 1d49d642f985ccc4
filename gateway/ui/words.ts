import type { GatewayEvent, Json, ModelView } from '../calls.ts';

/*
 * Events as sentences, for the page and for the terminal. The page gets this file with its types
 * stripped, so it may import nothing but types.
 */

type Data = GatewayEvent['data'];
type Phrase = (subject: string, data: Data) => string;

/** How an event is shown: as any other, as good news or as bad news. */
export type Tone = 'plain' | 'good' | 'bad';

const bad = [
  'alarm.raised',
  'alarm.group',
  'alarm.explained',
  'device.foreign',
  'device.refused',
  'device.worn',
  'log.broken',
  'port.waiting',
  'update.refused',
  'signer.revoked',
  'gate.refused',
  'label.untaught',
  'rollout.rolledback',
  'store.full',
  'store.readonly',
  'store.crowded',
  'train.failed',
];
const good = ['alarm.ended', 'gate.passed', 'rollout.done'];

/** ` (why)` where the event says why. */
const why = (data: Data) =>
  typeof data.reason === 'string' && data.reason !== '' ? `: ${data.reason}` : '';
const of = (data: Data) => (typeof data.scope === 'string' ? ` for ${data.scope}` : '');
const number = (value: Json | undefined, after = '') =>
  typeof value === 'number' ? `${value}${after}` : '';
const megabytes = (value: Json | undefined) =>
  typeof value === 'number' ? `${(value / 1e6).toFixed(1)} MB` : '?';
const whole = (value: Json | undefined) =>
  typeof value === 'number' ? Math.round(value) : undefined;
const share = (value: Json | undefined) => (typeof value === 'number' ? value.toFixed(2) : '?');
/** A score, which is in sixteenths of a logit. */
const logits = (value: Json | undefined) =>
  typeof value === 'number' ? (value / 16).toFixed(1) : '?';
const comma = (...parts: string[]) => parts.filter((part) => part !== '').join(', ');
const short = (value: Json | undefined) => (typeof value === 'string' ? shortVersion(value) : '?');

/** How much worse it got: the fields of the monitor's alarm, else whatever message there is. */
function alarm(data: Data): string {
  const { what, before, after, windows } = data;
  const on = typeof windows === 'number' ? ` on ${windows} windows` : '';
  if (what === 'accuracy') return `: accuracy ${share(before)} → ${share(after)}${on}`;
  if (what === 'score')
    return `: less sure of itself, margin ${logits(before)} → ${logits(after)}${on}`;
  return typeof data.message === 'string' ? `: ${data.message}` : why(data);
}

/** Why an alarm is over: with a release, or by itself. */
function ended(data: Data): string {
  const { accuracy, release, since } = data;
  if (typeof accuracy === 'number') return `: accuracy back to ${share(accuracy)}`;
  if (typeof since === 'number') return `${why(data)} since ${timeOfDay(since)}`;
  return typeof release === 'number' ? `: release ${release} is confirmed` : why(data);
}

/** Hours and minutes of a moment, local. */
function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':');
}

/** Devices of a group that are named. */
const NAMED = 5;
const quiet = (data: Data) => (typeof data.silencedUntil === 'number' ? ' (silenced)' : '');
const kindOf = (data: Data) => (typeof data.what === 'string' ? data.what : 'all');

/** What the events say; the keys of `data` are those that the gateway records. */
const phrases: Record<string, Phrase> = {
  'gateway.started': () => 'the gateway is up',
  'gateway.stopped': () => 'the gateway stopped',
  'device.seen': (subject, data) =>
    `${subject} said hello${typeof data.board === 'string' ? ` (${data.board})` : ''}`,
  'device.restarted': (subject) => `${subject} started again`,
  'device.foreign': (subject, data) =>
    `${subject} runs ${short(data.version)}, a model of another gateway: it counts as none until a rollout brings one`,
  'device.dropped': (subject, data) =>
    `${subject} had to forget ${number(data.windows) || 'some'} windows before they were acknowledged`,
  'device.event': (subject, data) => {
    if (data.code === 1) return `${subject} dropped ${number(data.b)} windows in this session`;
    if (data.code === 2)
      return `${subject} got ${number(data.a)} bad frames since it started: damaged, forged or repeated`;
    if (data.code === 3) return `${subject} does not hold window ${number(data.a)} any more`;
    if (data.code === 4) return `${subject}: battery at ${number(data.a)} mV`;
    return `${subject} reports event ${number(data.code)}: ${number(data.a)}, ${number(data.b)}`;
  },
  'device.refused': (subject, data) => `${subject} was turned away${why(data)}`,
  'port.waiting': (subject, data) => `waiting for ${subject}${why(data)}`,
  'port.added': (subject, data) => `${subject} is heard from now on${by(data.who)}`,
  'port.removed': (subject, data) => `${subject} is heard no more${by(data.who)}`,
  'port.opened': (subject) => `${subject} is open`,
  'device.noisy': (subject, data) =>
    `${subject} caused so many entries that ${number(data.entries)} were left out`,
  'device.worn': (subject, data) =>
    `THE FLASH of ${subject} is worn: at most ${number(data.erases)} of ${number(data.cycles)} erases`,
  'update.refused': (subject, data) =>
    data.by === 'gateway'
      ? `no update for ${subject}${why(data)}`
      : `${subject} refused release ${number(data.release)}: ${data.code}`,
  'signer.created': (subject) => `signing key ${subject} is the first of this gateway`,
  'signer.rotated': (subject, data) =>
    `signing key ${subject} took over from ${data.before ?? '?'}`,
  'signer.revoked': (subject, data) => `signing key ${subject} is REVOKED${why(data)}`,
  'model.signed': (subject, data) => `${shortVersion(subject)} was signed again${why(data)}`,
  'log.unsigned': (_, data) =>
    `entries #${number(data.from)} to #${number(data.to)} of the log were not signed: the gateway was killed`,
  'log.broken': (_, data) => `THE LOG WAS CHANGED${why(data)}; see: whetstone verify`,
  'token.added': (_, data) => `${data.name} has access as ${data.role} (by ${data.by || '?'})`,
  'token.revoked': (_, data) => `${data.name} has no access any more (by ${data.by || '?'})`,
  'token.signedin': (_, data) =>
    `${data.name} signed in${Number(data.count) > 1 ? ` ${data.count} times` : ''}`,
  'token.refused': (subject, data) => `${number(data.count)} wrong tokens from ${subject}`,
  'key.added': (subject) => `keys were drawn for ${subject}`,
  'key.rotating': (subject, data) => `${subject}: keys ${number(data.generation)} are on their way`,
  'key.rotated': (subject, data) => `${subject} speaks under keys ${number(data.generation)}`,
  'key.removed': (subject) => `the keys of ${subject} were removed: it is refused from now on`,
  'device.wearer': (subject, data) =>
    `${subject} changed wearer${typeof data.wearer === 'string' ? ` to ${data.wearer}` : ''} (simulated)`,
  'sample.quarantined': (subject, data) => `a window of ${subject} was set aside${why(data)}`,
  'sample.released': (subject) => `a window of ${subject} was released from quarantine`,
  'accuracy.changed': (subject, data) =>
    `${subject}: accuracy ${share(data.from)} → ${share(data.to)}`,
  'alarm.raised': (subject, data) => `ALARM ${subject}${alarm(data)}${quiet(data)}`,
  'alarm.explained': (subject, data) =>
    `ALARM ${subject}${alarm(data)}; nothing is trained on that${quiet(data)}`,
  'alarm.group': (subject, data) => {
    const ids = Array.isArray(data.devices) ? data.devices : [];
    const names = ids.slice(0, NAMED).join(', ');
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
    const all = subject === 'fleet' || subject.startsWith('cohort:');
    return `ALARM ${all ? `${subject}, ` : ''}${ids.length} devices together: ${names}${more}${data.silenced === true ? ' (silenced)' : ''}`;
  },
  'alarm.silenced': (subject, data) => `${kindOf(data)} alarms of ${subject} are silenced`,
  'alarm.unsilenced': (subject, data) => `${kindOf(data)} alarms of ${subject} are told again`,
  'alarm.ended': (subject, data) => `alarm of ${subject} is over${ended(data)}`,
  'label.added': (subject, data) => {
    const { from, have, want, count } = data;
    if (typeof have === 'number' && typeof want === 'number') {
      const upTo = have > want ? have : `${have}/${want}`;
      return `label${typeof from === 'number' ? `s ${from} …` : ''} ${upTo} for ${subject}`;
    }
    return `${typeof count === 'number' ? count : 1} label${count === 1 || count === undefined ? '' : 's'} for ${subject}`;
  },
  'device.selftest': (subject, data) =>
    `${subject}: self-test of release ${number(data.release)} ${data.equal === true ? 'equal' : 'DIFFERENT'}`,
  'train.waiting': (subject, data) => `training for ${subject}${why(data)}`,
  'train.started': (subject, data) =>
    `training${of(data) || ` for ${subject}`}${bracket(number(data.labels, ' labels'))} …`,
  'train.finished': (subject, data) =>
    `trained${of(data) || ` for ${subject}`}${bracket(rung(data), number(whole(data.trainMs), ' ms'))}`,
  'train.failed': (subject, data) => `training for ${subject} gave no candidate${why(data)}`,
  'gate.passed': (subject, data) =>
    `gate: a ${rung(data) || 'new'} update for ${shortVersion(subject)} may go out${why(data)}${bracket(
      typeof data.accuracy === 'number' ? `accuracy ${share(data.accuracy)}` : '',
      typeof data.champion === 'number' ? `now ${share(data.champion)}` : '',
    )}`,
  'gate.refused': (subject, data) =>
    `gate: nothing new for ${shortVersion(subject)}${refusal(why(data))}`,
  'model.registered': (subject, data) =>
    `registered ${shortVersion(subject)}${of(data)}${bracket(rung(data), number(data.bytes, ' bytes'))}`,
  'model.stage': (subject, data) => `${shortVersion(subject)} is now ${data.stage ?? 'elsewhere'}`,
  'model.released': (subject, data) =>
    `${shortVersion(subject)} is release ${number(data.release) || '?'}`,
  'rollout.started': (_, data) =>
    `update ${short(data.version)}${of(data)}${bracket(rung(data), number(data.bytes, ' bytes'))} sets out`,
  'rollout.stage': (_, data) =>
    `update ${short(data.version)}: ${data.stage ?? 'next stage'}${why(data)}`,
  'rollout.device': (subject, data) => {
    const device = typeof data.device === 'string' ? data.device : subject;
    const state = data.state ?? data.stage ?? 'next stage';
    const bytes = number(data.wireBytes, ' bytes on the wire');
    return `update ${short(data.version)} → ${comma(`${device}: ${state}`, bytes)}${why(data)}`;
  },
  'rollout.done': (_, data) => `update ${short(data.version)}${of(data)} is done${why(data)}`,
  'rollout.rolledback': (_, data) => `update ${short(data.version)} was undone${why(data)}`,
  'label.withdrawn': (subject, data) =>
    `${number(data.count) || '1'} label(s) of ${data.sample ?? subject} withdrawn${by(data.source)}`,
  'label.imported': (subject, data) =>
    `${number(data.added) || '?'} labels came from '${subject}'${bracket(
      number(data.known, ' known already'),
      number(data.refused, ' lines refused'),
    )}`,
  'label.asked': (subject, data) => {
    const samples = Array.isArray(data.samples) ? data.samples : [];
    const first = samples.slice(0, 3).join(', ');
    const more = samples.length > 3 ? ` and ${samples.length - 3} more` : '';
    return `what were these? asked for ${subject}: ${first}${more}`;
  },
  'label.gone': (subject, data) =>
    `${subject} no longer holds the raw window ${data.sample ?? ''}, which was asked for`,
  'label.untaught': (subject, data) => `${subject} gives no labels${why(data)}`,
  'store.full': () => 'THE DISK IS FULL: nothing is acknowledged, devices keep and send again',
  'store.readonly': () =>
    'THE DISK TAKES NO WRITES: nothing is acknowledged, devices keep and send again',
  'store.retained': (_subject, data) =>
    `${number(data.windows) || '?'} old windows without a label were removed (${megabytes(data.bytes)})`,
  'store.crowded': (_subject, data) =>
    `the store is too large (${megabytes(data.bytes)} of ${megabytes(data.maxBytes)}): all that is left is labelled or new`,
  'store.encrypted': (subject) => `the store is encrypted with key ${subject}`,
  'store.restored': () => 'the store came from a backup',
  'store.erased': (subject) => `data of ${subject} was erased`,
};

const by = (source: Json | undefined) => (typeof source === 'string' ? ` by ${source}` : '');
const rung = (data: Data) => (typeof data.rung === 'string' ? data.rung : '');

function bracket(...parts: string[]): string {
  const text = comma(...parts);
  return text === '' ? '' : ` (${text})`;
}

/**
 * A version as people see it.
 *
 * @example shortVersion('3f2a9c41d0') // 'v3f2a9c41'
 */
export function shortVersion(version: string): string {
  return /^[0-9a-f]{9,}$/.test(version) ? `v${version.slice(0, 8)}` : version;
}

/** Where an update stands, as people say it. */
const WAYS: Record<string, string | undefined> = {
  canary: 'on canary',
  'awaiting-approval': "on canary, waits for a person's yes",
  rest: 'going out to the rest',
  returning: 'being taken back',
};

/**
 * Where a version stands: its stage in the registry, or the rollout that carries it.
 *
 * @example standing({ stage: 'trial', rollout: { id: '3f2a9c41-77', stage: 'canary', devices: 4, confirmed: 0 } }) // 'on canary, rollout 3f2a9c41'
 * @example standing({ stage: 'champion', rollout: { id: '3f2a9c41-77', stage: 'settled', devices: 4, confirmed: 3 } }) // 'champion, confirmed on 3 of 4 devices'
 */
export function standing({ stage, rollout }: Pick<ModelView, 'stage' | 'rollout'>): string {
  if (rollout === null) return stage;
  const { id, stage: way, devices, confirmed } = rollout;
  if (WAYS[way] !== undefined) return `${WAYS[way]}, rollout ${id.slice(0, 8)}`;
  const isPartly = way === 'settled' && confirmed < devices;
  return isPartly ? `${stage}, confirmed on ${confirmed} of ${devices} devices` : stage;
}

/**
 * An event in one sentence, whatever its kind.
 *
 * @example sentence({ id: 1, at: 0, kind: 'device.restarted', subject: 'watch-1', data: {} }) // 'watch-1 started again'
 */
export function sentence({ kind, subject, data }: GatewayEvent): string {
  const phrase = Object.hasOwn(phrases, kind) ? phrases[kind] : undefined;
  if (phrase !== undefined) return phrase(subject, data);
  const details = Object.entries(data).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${key} ${text}`;
  });
  return `${kind} ${shortVersion(subject)}${bracket(...details)}`;
}

/**
 * Why the gate let nothing out: what is told by the name of a check tells what is not so.
 *
 * @example refusal('better: champion 7 of 9 right') // 'not better: champion 7 of 9 right'
 */
export function refusal(reason: string): string {
  return reason.replace(/^(: )?better: /, '$1not better: ');
}

/** Whether an event tells of a device, or of all of them. */
function concerns({ subject, data }: GatewayEvent, device: string): boolean {
  const scopes = [subject, data.scope];
  return subject === device || scopes.includes('fleet') || scopes.includes(`device:${device}`);
}

/** How far the labels of a device have been told of since something else happened to it. */
type Told = 'begun' | 'enough';

/**
 * Keeps labels from drowning the story: of a device's labels only the first since something else
 * happened to it is worth a line, and the one that makes them enough.
 *
 * @returns takes every event in order and says whether it is worth a line
 */
export function tellsNews(): (event: GatewayEvent) => boolean {
  const told = new Map<string, Told>();
  return (event) => {
    const { kind, subject, data } = event;
    if (kind !== 'label.added') {
      for (const device of [...told.keys()]) if (concerns(event, device)) told.delete(device);
      return true;
    }
    const { have, want } = data;
    const isEnough = typeof have === 'number' && typeof want === 'number' && have >= want;
    const before = told.get(subject);
    if (before === 'enough' || (before === 'begun' && !isEnough)) return false;
    told.set(subject, isEnough ? 'enough' : 'begun');
    return true;
  };
}

/**
 * Two events of labels for one device as one, that counts.
 *
 * @param earlier may itself be several in one
 * @returns undefined where they are not such events, or the count began anew between them
 */
export function inOne(earlier: GatewayEvent, later: GatewayEvent): GatewayEvent | undefined {
  const isPair = [earlier, later].every(({ kind }) => kind === 'label.added');
  if (!isPair || earlier.subject !== later.subject) return undefined;
  const [a, b] = [earlier.data, later.data];
  if (typeof a.have === 'number' && typeof b.have === 'number') {
    if (b.have <= a.have) return undefined;
    return { ...later, at: earlier.at, data: { ...b, from: a.from ?? a.have } };
  }
  if ('have' in a || 'have' in b) return undefined;
  const count = [a, b].reduce((sum, { count: n }) => sum + (typeof n === 'number' ? n : 1), 0);
  return { ...later, at: earlier.at, data: { ...b, count } };
}

/** Whether an event is good or bad news. */
export function toneOf({ kind, data }: GatewayEvent): Tone {
  if (data.silenced === true || typeof data.silencedUntil === 'number') return 'plain';
  if (bad.includes(kind)) return 'bad';
  return good.includes(kind) ? 'good' : 'plain';
}

/**
 * Time since the start, for people.
 *
 * @param ms milliseconds; what lies before the start is 00:00
 * @example clock(3723000) // '1:02:03'
 */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const rest = two(seconds % 60);
  if (minutes < 60) return `${two(minutes)}:${rest}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
