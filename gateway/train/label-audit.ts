import { binomialLowerTail } from '../statistics.ts';
import type { Example, Window } from './rungs.ts';

/** What earlier labelled windows say of a new label. */
export type Verdict = 'supported' | 'contradicted' | 'unknown';

/** Labels of one origin, judged together: one who mislabels does it again. */
export interface LabelGroup {
  name: string;
  labels: number;
  supported: number;
  contradicted: number;
  /** contradicted so often that none of its labels teaches or judges */
  distrusted: boolean;
  /** by one other origin alone, and more labels may tell which of the two is right */
  isOpen?: boolean;
}

/** How much of the world of one device is as it was. */
export interface Ground {
  device: string;
  /** recent windows that were compared */
  windows: number;
  /** share of them that look like earlier labelled windows of one class, 0 to 1 */
  known: number;
  /** whether most do, or a part whose labels agree: then earlier labels are evidence against new ones */
  inForce: boolean;
  /** share of the windows since the first new label that look so; 0 without one */
  knownSince: number;
  /** the windows that look so, with that class: what a shared model has to go on saying */
  sure: Example[];
}

/** What became of the new labels, before anything is trained. */
export interface LabelAudit {
  grounds: Ground[];
  /** whether earlier labels are evidence on any device */
  inForce: boolean;
  /** one for each new label */
  verdicts: Verdict[];
  groups: LabelGroup[];
  /** indices of the new labels that may teach and judge */
  trusted: number[];
}

/** Where a label came from. */
export interface LabelOrigin {
  device: string;
  /** 'device', 'person', 'teacher:NAME' … */
  source: string;
}

export interface AuditPolicy {
  /** share of wrong labels from which on an origin is distrusted, 0 to 1 */
  maxWrongLabels: number;
  /** significance of that */
  alpha: number;
}

export interface AuditInput {
  fresh: readonly Example[];
  /** of each new label */
  origins: readonly LabelOrigin[];
  /** labelled windows of earlier regimes, other devices and recordings */
  memory: readonly Example[];
  /** windows of the present regime, labelled or not, by device */
  recent: ReadonlyMap<string, readonly Window[]>;
  /** the newest windows, of this regime or before, by device */
  lately: ReadonlyMap<string, readonly Window[]>;
  /** windows since the first new label, labelled or not, by device */
  labelled: ReadonlyMap<string, readonly Window[]>;
  /** what the frozen layers say of a window */
  embed: (window: Int8Array, length: number) => Int8Array;
  policy: AuditPolicy;
}

/** Neighbours that must agree: one alone may be mislabelled itself, five find no rare class. */
const NEIGHBOURS = 3;
/** A window is near where this share of the earlier windows have their neighbours. */
const USUAL = 0.9;
/** Share of recent windows in known territory from which on the world counts as unchanged. */
const UNCHANGED = 0.6;
/** Share that is still as it was while part of the world has changed, if the labels there agree with it. */
const PARTLY = 0.25;
/** Share of the labels there that have to agree with it: a world that is new has them by luck alone. */
const STILL_AGREE = 0.2;
/** Share of contradicted labels that neighbours alone explain. */
const CHANCE = 0.05;
/** Fewer earlier windows say nothing about what is usual. */
const LEAST_MEMORY = 30;
/** Earlier windows that are compared with every other one: the cost is their square. */
const MOST = 800;
/** Recent windows of a device that say whether its world has changed. */
const MOST_OF_DEVICE = 200;

/**
 * Compares new labels with what was learned before: where a new window looks like three earlier ones
 * that agree on a class, a label of another class is wrong, or the meaning of a class has changed.
 *
 * A class that is not remembered cannot be contradicted by what is: whether it takes windows from
 * another one is for the gate to see.
 *
 * That holds while windows look as they did. After a change of wearer or sensor few of them do; then
 * nothing is contradicted, and only the gate's other checks are left. Whether windows look as they did
 * is decided without labels, so no number of wrong ones can switch the comparison off.
 *
 * @param input new and earlier labels
 * @returns a verdict for each new label, and which of them to trust
 * @throws RangeError unless every new label has an origin
 * @source nearest neighbours that are not in doubt: Wilson 1972, Asymptotic Properties of Nearest
 *   Neighbor Rules Using Edited Data, turned on the new labels alone
 */
export function auditLabels(input: AuditInput): LabelAudit {
  const { fresh, origins, policy } = input;
  if (origins.length !== fresh.length) throw new RangeError('every new label needs an origin');
  const judge = territory(input.memory, input.embed);
  const remembered = (cls: number): number => count(input.memory, (one) => one.cls === cls);
  const isNew = new Set(fresh.map(({ cls }) => cls).filter((cls) => remembered(cls) < NEIGHBOURS));
  const verdicts = fresh.map((example): Verdict => {
    const cls = judge(example);
    if (cls === null || isNew.has(example.cls)) return 'unknown';
    return cls === example.cls ? 'supported' : 'contradicted';
  });
  const grounds = groundsOf(input, judge, verdicts);
  const holds = (i: number): boolean =>
    grounds.some(({ device, inForce }) => inForce && device === origins[i]!.device);
  const gather = (nameOf: (origin: LabelOrigin) => string, which: number[]): LabelGroup[] =>
    [...Map.groupBy(which, (i) => nameOf(origins[i]!))].map(([name, of]) =>
      groupOf(
        name,
        of.map((i) => verdicts[i]!),
        policy,
      ),
    );
  // who mislabels where that can be seen mislabels elsewhere too
  // and who mixes up two classes is seen by one of them
  const seen = Map.groupBy([...fresh.keys()].filter(holds), (i) => origins[i]!.source);
  const bad = [...seen].flatMap(([source, which]) => {
    const byClass = [...Map.groupBy(which, (i) => fresh[i]!.cls).values()];
    const isBad = [which, ...byClass].some((of) => gather(() => source, of)[0]!.distrusted);
    return isBad ? [source] : [];
  });
  const groups = gather(originName, [...fresh.keys()]).map((group) => {
    const isBad = bad.some((source) => group.name.endsWith(`, ${source}`));
    return isBad ? { ...group, distrusted: true } : group;
  });
  const distrusted = new Set(groups.filter((group) => group.distrusted).map(({ name }) => name));
  const clean = new Map(grounds.map(({ device }) => [device, isClean(verdicts, origins, device)]));
  const trusted = [...fresh.keys()].filter((i) => {
    if (distrusted.has(originName(origins[i]!)) && (holds(i) || bad.includes(origins[i]!.source))) {
      return false;
    }
    if (!holds(i) || verdicts[i] === 'supported') return true;
    return verdicts[i] === 'unknown' && clean.get(origins[i]!.device) === true;
  });
  return { grounds, inForce: grounds.some((ground) => ground.inForce), verdicts, groups, trusted };
}

/** Devices whose world is as it was, where that of others is not. */
export function unchanged({ grounds }: { grounds: readonly Omit<Ground, 'sure'>[] }): string[] {
  const same = grounds.filter(
    ({ known, knownSince, inForce }) =>
      inForce && known >= UNCHANGED && (knownSince === 0 ? false : knownSince >= UNCHANGED),
  );
  return same.length === grounds.length ? [] : same.map(({ device }) => device);
}

/** How much of each device's world is as it was. */
function groundsOf(
  { recent, lately, labelled, origins }: AuditInput,
  judge: (window: Window) => number | null,
  verdicts: readonly Verdict[],
): Ground[] {
  const devices = new Set([...recent.keys(), ...origins.map(({ device }) => device)]);
  return [...devices].map((device) => {
    const windows = thin(recent.get(device) ?? [], MOST_OF_DEVICE);
    const near = count(windows, (window) => judge(window) !== null);
    const known = windows.length === 0 ? 0 : near / windows.length;
    const own = verdicts.filter((_, i) => origins[i]!.device === device);
    const supported = count(own, (verdict) => verdict === 'supported');
    const agree = supported >= STILL_AGREE * count(own, (verdict) => verdict !== 'unknown');
    const inForce = known >= UNCHANGED || (known >= PARTLY && agree);
    const seen = inForce ? thin(lately.get(device) ?? [], MOST_OF_DEVICE) : [];
    const sure = seen.flatMap((window) => {
      const cls = judge(window);
      return cls === null ? [] : [{ ...window, cls }];
    });
    const since = labelled.get(device) ?? [];
    const knownSince =
      since.length === 0 ? 0 : count(since, (window) => judge(window) !== null) / since.length;
    return { device, windows: windows.length, known, knownSince, inForce, sure };
  });
}

/** Who is often wrong where that can be seen is as often wrong where it cannot. */
function isClean(
  verdicts: readonly Verdict[],
  origins: readonly LabelOrigin[],
  device: string,
): boolean {
  const seen = verdicts.filter(
    (verdict, i) => origins[i]!.device === device && verdict !== 'unknown',
  );
  return count(seen, (verdict) => verdict === 'contradicted') <= CHANCE * seen.length;
}

/** Who gave a label, where: one who mislabels there does it again. */
export function originName({ device, source }: LabelOrigin): string {
  return `${device}, ${source}`;
}

function groupOf(
  name: string,
  own: readonly Verdict[],
  { maxWrongLabels, alpha }: AuditPolicy,
): LabelGroup {
  const supported = count(own, (verdict) => verdict === 'supported');
  const contradicted = count(own, (verdict) => verdict === 'contradicted');
  const p = binomialLowerTail(supported, supported + contradicted, 1 - maxWrongLabels);
  const distrusted = contradicted > 1 && p < alpha;
  return { name, labels: own.length, supported, contradicted, distrusted };
}

/** Tells the class that a window's nearest earlier windows agree on; null where they are far or differ. */
function territory(
  memory: readonly Example[],
  embed: AuditInput['embed'],
): (window: Window) => number | null {
  const kept = thin(memory, MOST);
  if (kept.length < LEAST_MEMORY) return () => null;
  const rows = kept.map(({ window, length }) => embed(window, length));
  const reach = rows.map((row, i) => nearest(rows, row, i).at(-1)!.distance).sort((a, b) => a - b)[
    Math.floor(USUAL * (rows.length - 1))
  ]!;
  return ({ window, length }) => {
    const found = nearest(rows, embed(window, length), -1);
    if (found.at(-1)!.distance > reach) return null;
    const { cls } = kept[found[0]!.index]!;
    return found.every(({ index }) => kept[index]!.cls === cls) ? cls : null;
  };
}

/** The nearest rows by squared distance, nearest first, without the one of index `self`. */
function nearest(
  rows: readonly Int8Array[],
  to: Int8Array,
  self: number,
): { index: number; distance: number }[] {
  const best: { index: number; distance: number }[] = [];
  for (let index = 0; index < rows.length; index++) {
    if (index === self) continue;
    const row = rows[index]!;
    const limit = best.length < NEIGHBOURS ? Infinity : best[NEIGHBOURS - 1]!.distance;
    let distance = 0;
    for (let i = 0; i < to.length && distance < limit; i++) distance += (row[i]! - to[i]!) ** 2;
    if (distance >= limit) continue;
    const at = best.findIndex((other) => other.distance > distance);
    best.splice(at < 0 ? best.length : at, 0, { index, distance });
    if (best.length > NEIGHBOURS) best.pop();
  }
  return best;
}

/** At most so many items, evenly from the whole. */
function thin<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}

function count<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length;
}
