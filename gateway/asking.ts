import { boardNames, loadBoard } from './board.ts';
import { championOf, gather, membersOf } from './dataset.ts';
import type { Clock } from './link/port.ts';
import { createRandom } from './random.ts';
import { type Scope, scopeName } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import { sampleText } from './store/sample-name.ts';
import type { Store } from './store/store.ts';
import type { Sample, SampleKey } from './store/types.ts';
import type { Task } from './task.ts';
import { learnScores } from './train/choose-windows.ts';
import type { Missing } from './train/missing.ts';
import { createPredictor } from './train/model.ts';
import { selectUseful, type Unlabelled } from './train/select.ts';

/** Where the raw window of an asked sample is: in the store, with its device, or lost. */
export type Whereabouts = 'here' | 'held' | 'gone';

/** What asking gave. */
export interface AskedFor {
  /** in the order of their use: of a smaller budget it would have been the first ones */
  chosen: Sample[];
  /** unlabelled windows that could have been chosen: of which embedding or raw samples are there */
  candidates: number;
  /** unlabelled windows whose raw samples no device holds any more: they cannot teach */
  outOfReach: number;
  /** for people: why there are no more, and when to ask again; null where there were enough */
  missing: string | null;
}

/** Asks people for the labels that teach most, and devices for the raw windows behind them. */
export interface Asking {
  /**
   * Trains a head on the labels that a scope has by now, and goes by its scores in the next choices:
   * those of what the scope runs know nothing of the newest labels. The head goes nowhere.
   */
  learn(scope: Scope): Promise<void>;
  /**
   * Chooses windows of a scope, notes that they were asked for, and fetches those that are still raw
   * on their devices.
   *
   * @param count budget of labels; fewer where there are not as many
   * @param who asks
   */
  ask(count: number, scope: Scope, who: string): AskedFor;
  /**
   * Asks for labels that may settle what the gate refused: of each device that is missing as many (where
   * labels do not show that the champion fails, of those that have an alarm), together a third of the
   * task's `labels.askedToSettle`, and at least as many as make the gateway train again. What was asked
   * for and waits counts. They are drawn by chance: the windows that teach most are those of which the
   * champion is least sure, and on them alone it looks worse than it is.
   *
   * @returns how many windows wait for their label; 0 where `labels.askedToSettle` of the task is used up
   */
  settle(scope: Scope, missing: Missing): number;
  /** Where the raw window of a sample is. */
  whereabouts(sample: Sample): Whereabouts;
  /** A device said that it holds a raw window no more. */
  gone(key: SampleKey): void;
  /** Fetches again what has not come, and asks by itself where the task says so. */
  tick(): void;
}

export interface AskingParts {
  task: Task;
  store: Store;
  registry: Registry;
  clock: Clock;
  seed: number;
  /** fetches raw windows of a device's present session, if it is connected */
  fetch: (device: string, seqs: readonly number[]) => void;
  /** when the present regime of a device began: earlier windows are of another world */
  regime: (device: string) => number;
  /** devices that are connected now */
  online: () => Iterable<string>;
  /** whether a device has an alarm, or a model that is not good enough yet */
  wantsLabels: (device: string) => boolean;
  /** asks by itself, whatever was refused, where the task says so */
  automatic: boolean;
}

/** What is chosen from, and for whom. */
interface Open {
  /** unlabelled windows whose raw samples can be had, newest first, device by device */
  inReach: readonly Sample[];
  members: readonly string[];
  scope: Scope;
  /** what the scope runs */
  version: string | null;
  count: number;
}

/** Chooses windows, in the order of their use, and says among how many. */
type Choice = (open: Open) => Pick<AskedFor, 'chosen' | 'candidates'>;

/** Newest unlabelled windows of a device that are looked at. */
const LOOKED_AT = 1000;
/** Newest labelled windows that others are compared with. */
const COMPARED = 500;
/** In so many rounds what may be asked for after refusals is asked for: after each the gate looks again. */
const ROUNDS = 3;
/** Stream of chance of the windows that settle a refusal. */
const ASKED_STREAM = 80;
/** A device whose board nobody knows may hold this many windows; the smallest ring of a profile. */
const LEAST_RING = 4;

/** @param parts what there is to choose from, and how a window is fetched */
export function createAsking(parts: AskingParts): Asking {
  const { task, store, registry, clock, fetch, regime, wantsLabels } = parts;
  const rings = new Map(boardNames().map((board) => [board, loadBoard(board).ring]));
  const random = createRandom(parts.seed, ASKED_STREAM);
  const unspoilt = { task: task.name, quarantined: false, order: 'newest' } as const;
  const learned = new Map<string, { version: string; score: (embedding: Int8Array) => number }>();
  const ringOf = (device: string): number =>
    rings.get(store.devices.get(device)?.board ?? '') ?? LEAST_RING;

  /**
   * A device keeps its newest windows raw, acknowledged or not, until newer ones need their place: a
   * sample is held while fewer than a ring's windows have come after it in the same session.
   */
  function whereabouts({ id, device, session, seq, window }: Sample): Whereabouts {
    if (window !== null) return 'here';
    const isNow = store.devices.get(device)?.session === session;
    const after = store.samples.progress(device, session).highest - seq;
    const isGone = (store.asked.get(id)?.goneAt ?? null) !== null;
    return isNow && after < ringOf(device) && !isGone ? 'held' : 'gone';
  }

  async function learn(scope: Scope): Promise<void> {
    learned.delete(scopeName(scope));
    const { champion, data } = gather(parts, scope, regime, parts.seed);
    if (champion === null || data.fresh.length === 0) return;
    const { version, model } = champion;
    const score = await learnScores({ task, champion: model, data, seed: parts.seed });
    if (score !== null) learned.set(scopeName(scope), { version, score });
  }

  const ask: Asking['ask'] = (count, scope, who) =>
    askOf(membersOf(store, task.name, scope), count, scope, who, useful);

  /** What teaches most, by the scores of the newest head where there is one. */
  function useful({ inReach, members, scope, version, count }: Open): ReturnType<Choice> {
    const newest = learned.get(scopeName(scope));
    const rescore = newest?.version === version ? newest?.score : undefined;
    const see = seerOf(registry, version, task);
    const seen = inReach.flatMap((sample) => {
      const looks = see(sample);
      return looks === undefined ? [] : [{ sample, looks }];
    });
    const labelled = members
      .flatMap((device) =>
        store.samples.find({
          ...{ ...unspoilt, device, since: regime(device), limit: COMPARED, labelled: true },
        }),
      )
      .flatMap((sample) => see(sample)?.embedding ?? []);
    const chosen = selectUseful(
      seen.map(({ looks }) =>
        rescore === undefined ? looks : { ...looks, score: rescore(looks.embedding) },
      ),
      { count, seed: parts.seed, labelled },
    );
    return { chosen: chosen.map((i) => seen[i]!.sample), candidates: seen.length };
  }

  /** Any, by chance: windows as they come, and no others, show which of two models is the better one. */
  const fair: Choice = ({ inReach, count }) => ({
    chosen: random.shuffle([...inReach]).slice(0, count),
    candidates: inReach.length,
  });

  function askOf(
    members: readonly string[],
    count: number,
    scope: Scope,
    who: string,
    choose: Choice,
  ): AskedFor {
    const version = championOf(registry, task.name, scope);
    const unlabelled = members.flatMap((device) =>
      store.samples.find({
        ...{ ...unspoilt, device, since: regime(device), limit: LOOKED_AT },
        ...{ labelled: false, asked: false },
      }),
    );
    const inReach = unlabelled.filter((sample) => whereabouts(sample) !== 'gone');
    const { chosen, candidates } = choose({ inReach, members, scope, version, count });
    const at = clock.now();
    const asked = { outOfReach: unlabelled.length - inReach.length, candidates };
    const isEnough = chosen.length === count;
    const missing = isEnough ? null : missingOf(scope, version, members, asked, inReach.length);
    if (chosen.length > 0) {
      store.transaction(() => {
        store.asked.note(
          chosen.map(({ id }) => id),
          who,
          at,
        );
        const samples = chosen.map(sampleText);
        store.journal.write('label.asked', scopeName(scope), { who, samples, ...asked }, at);
      });
    }
    for (const device of new Set(chosen.map((sample) => sample.device))) fetchRaw(device);
    return { chosen, ...asked, missing };
  }

  function missingOf(
    scope: Scope,
    version: string | null,
    members: readonly string[],
    { candidates, outOfReach }: Pick<AskedFor, 'candidates' | 'outOfReach'>,
    inReach: number,
  ): string {
    const name = scopeName(scope);
    if (version === null) {
      return `no model serves ${name} yet, and devices send windows once they run one; ask again when its first update is confirmed: whetstone rollouts`;
    }
    const count = (of: { asked?: boolean; labelled?: boolean }): number =>
      members.reduce((sum, device) => {
        const known = { task: task.name, quarantined: false, device, since: regime(device) };
        return sum + store.samples.count({ ...known, ...of });
      }, 0);
    if (count({}) === 0) {
      const isHere = new Set(parts.online());
      return members.some((device) => isHere.has(device))
        ? `no window of ${name} has come yet; ask again in a minute`
        : `no window of ${name} has come yet, and none of its devices is connected: whetstone devices; ask again once one is`;
    }
    if (candidates > 0) return 'there are no more for now; ask again once further windows came';
    if (inReach > 0) {
      return `the ${inReach} windows that wait were seen by another model than the one that runs, without their raw samples; ask again once the devices have sent windows under ${version.slice(0, 8)}`;
    }
    if (outOfReach > 0) {
      return `no device holds the raw samples of the windows that came; ask again while new ones come`;
    }
    const waiting = count({ asked: true, labelled: false });
    return waiting === 0
      ? 'every window that came has its label; ask again once further windows came'
      : `${waiting} that were asked for before still wait for their label: whetstone labels --asked; ask again once further windows came`;
  }

  /** Windows of a device's regime that were asked for, and those of them that wait and can be labelled. */
  function askedOf(device: string): { all: number; waiting: number } {
    const of = { task: task.name, device, since: regime(device), asked: true };
    const waiting = store.samples
      .find({ ...of, labelled: false })
      .filter((sample) => whereabouts(sample) !== 'gone').length;
    return { all: store.samples.count(of), waiting };
  }

  function settle(scope: Scope, missing: Missing): number {
    const devices = missing.devices.filter((device) => missing.fails || wantsLabels(device));
    const before = devices.map(askedOf);
    const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
    const waiting = sum(before.map((one) => one.waiting));
    const { askedToSettle } = task.labels;
    const left = askedToSettle - sum(before.map(({ all }) => all));
    const atOnce = Math.max(task.training.minLabels, Math.ceil(askedToSettle / ROUNDS));
    const wanted = Math.min(left, atOnce - waiting);
    if (devices.length === 0 || wanted <= 0) return waiting;
    const each = Math.ceil(wanted / devices.length);
    const chosen = devices.map((device) => askOf([device], each, scope, 'gateway', fair));
    return waiting + sum(chosen.map((asked) => asked.chosen.length));
  }

  function fetchRaw(device: string): void {
    const session = store.devices.get(device)?.session;
    if (session === undefined) return;
    const seqs = store.asked.waiting(device, session);
    if (seqs.length > 0) fetch(device, seqs);
  }

  return {
    learn,
    ask,
    settle,
    whereabouts,
    gone(key) {
      const sample = store.samples.get(key);
      const at = clock.now();
      if (sample === undefined || !store.asked.gone(sample.id, at)) return;
      const name = sampleText(key);
      store.journal.write('label.gone', key.device, { sample: name }, at);
    },
    tick() {
      const { askedAtOnce } = task.labels;
      for (const device of parts.online()) {
        fetchRaw(device);
        if (askedAtOnce === 0 || !parts.automatic || !wantsLabels(device)) continue;
        const more = askedAtOnce - askedOf(device).waiting;
        if (more > 0) ask(more, { kind: 'device', id: device }, 'gateway');
      }
    },
  };
}

/**
 * How a window looks to a version: computed from its raw samples, or what the device sent of it while
 * it ran that version. What another version saw cannot be compared.
 */
function seerOf(
  registry: Registry,
  version: string | null,
  task: Task,
): (sample: Sample) => Unlabelled | undefined {
  if (version === null) return () => undefined;
  const predict = createPredictor(registry.parts(version));
  return ({ window, length, embedding, score, version: ran }) => {
    if (window !== null) {
      const padded = new Int8Array(task.window.samples * task.sensor.axes.length);
      padded.set(window);
      const said = predict(padded, length);
      return { embedding: said.embedding.slice(), score: said.score };
    }
    return embedding !== null && ran === version ? { embedding, score } : undefined;
  };
}
