import { LEAST_OF_CLASS, WORKS } from './gate-labels.ts';
import type { GatePolicy, GateReport } from './gate-report.ts';
import { type LabelAudit, type LabelOrigin, originName, unchanged } from './label-audit.ts';

/** Labels that could settle what a gate refused for want of them. */
export interface Missing {
  /** classes of which fewer than two labels judge */
  classes: string[];
  /** devices whose labels would count */
  devices: string[];
  /** the labels show that the champion fails: it takes no alarm to ask for more */
  fails: boolean;
}

/** Labels a class from which on a refusal is no matter of their number, unless the check says so. */
const FEW_OF_CLASS = 4;

/**
 * Whether more labels may turn a refusal, and of which classes there is hardly any: there is something to
 * gain, nothing else stands in the way, and the labels are few or a check could not be decided with them.
 *
 * @param report of an update; a first model has nobody to be better than
 * @returns null where labels would not settle it, or nothing was refused
 */
export function missingLabels(
  report: GateReport,
  policy: GatePolicy,
): Omit<Missing, 'devices'> | null {
  const { decision, evidence, classes, checks } = report;
  if (decision !== 'refuse') return null;
  const { champion, gained, lost, interval, windows } = evidence;
  const isFew = windows < FEW_OF_CLASS * classes.length;
  // a few labels of few classes show nothing of the others
  const isShown = !isFew || checks.some(({ name, ok }) => name === 'labels' && ok);
  const works = champion === null || champion >= WORKS;
  if (isShown && champion !== null && works && gained <= lost) return null;
  const isOpen = (name: string): boolean => {
    if (name === 'labels') return true;
    if (name === 'better') return isFew || gained > lost;
    if (name === 'labels agree') return isFew || interval[1] > policy.minAgreement;
    return isFew && name !== 'must-pass' && name !== 'int8' && !name.startsWith('budget ');
  };
  if (checks.some(({ name, ok }) => !ok && !isOpen(name))) return null;
  const rare = classes.filter(({ windows }) => windows < LEAST_OF_CLASS);
  return { classes: rare.map(({ name }) => name), fails: isShown && !works };
}

/**
 * Devices whose labels would count: not those whose world is as it was, where that of others is not, and
 * nobody of whom no label is trusted. Two who contradict one another are asked for more, which may tell
 * who is right.
 *
 * @param origins of each new label
 */
export function worthAsking(audit: LabelAudit, origins: readonly LabelOrigin[]): string[] {
  const spared = unchanged(audit);
  const trusted = new Set(audit.trusted.map((i) => origins[i]!.device));
  const labelled = new Set(origins.map(({ device }) => device));
  const open = audit.groups.filter(({ isOpen }) => isOpen === true).map(({ name }) => name);
  const isOpen = (device: string): boolean =>
    origins.some((origin) => origin.device === device && open.includes(originName(origin)));
  return audit.grounds
    .map(({ device }) => device)
    .filter((device) => !spared.includes(device))
    .filter((device) => trusted.has(device) || !labelled.has(device) || isOpen(device));
}
