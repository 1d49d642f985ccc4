/**
 * Who speaks. 'score': it is less sure of itself; 'features': what its head sees moved; 'classes': what
 * it says comes in other shares; 'accuracy': labels say that it is wrong more often; 'sensor': it no
 * longer measures, which no training mends.
 */
export type AlarmKind = 'score' | 'features' | 'classes' | 'accuracy' | 'sensor';

/** A device got worse. */
export interface Alarm {
  device: string;
  what: AlarmKind;
  release: number;
  /** when it seems to have begun, ms since 1970 */
  since: number;
  /** when it was seen, ms since 1970 */
  at: number;
  /**
   * As it was: mean score, mean of the feature that moved most, share of the class, accuracy (as
   * registered with the version), or share of sick windows.
   */
  before: number;
  /** the same since the change */
  after: number;
  /** capital won by betting on a change (score, classes), or probability that chance alone did it */
  evidence: number;
  /** windows, labelled ones for accuracy, that the figure `after` rests on */
  windows: number;
  /** features, classes or axes that it is about, the surest first */
  where: string[];
  /** what is wrong with a sensor, for people; null for what is no sensor's */
  reason: string | null;
  /** how often the watchers spoke in this episode, who else did, and when the last one did */
  count: number;
  also: AlarmKind[];
  lastAt: number;
  /** what it was raised as, before raw windows showed that the sensor is sick; else null */
  raisedAs: AlarmKind | null;
}

/** Features or classes that an alarm names, at most. */
const named = 5;

/**
 * An alarm in a sentence, without its device.
 *
 * @example alarmText({ what: 'accuracy', before: 0.97, after: 0.4, windows: 10, where: [], reason: null }) // 'accuracy 0.97 → 0.40 on 10 labelled windows'
 */
export function alarmText(
  alarm: Pick<Alarm, 'what' | 'before' | 'after' | 'windows' | 'where' | 'reason'>,
): string {
  const { what, before, after, windows, where, reason } = alarm;
  const list = where.slice(0, named).join(', ');
  const more = where.length > named ? ` and ${where.length - named} more` : '';
  const two = (value: number) => value.toFixed(2);
  switch (what) {
    case 'accuracy':
      return `accuracy ${two(before)} → ${two(after)} on ${windows} labelled windows`;
    case 'features':
      return `what it measures moved: ${list}${more}; the surest ${before.toFixed(1)} → ${after.toFixed(1)}`;
    case 'classes':
      return `says '${list}' in ${two(after)} instead of ${two(before)} of the windows, on ${windows}`;
    case 'sensor':
      return `sick sensor: ${reason}`;
    default:
      return `less sure of itself on ${windows} windows`;
  }
}
