import { binomialLowerTail, fisherWorse } from '../statistics.ts';
import {
  type Member,
  nothingSeen,
  type RolloutSettings,
  type RolloutState,
  type Seen,
  together,
} from './state.ts';

/** What the windows say about the new version, and on which evidence. */
export interface Verdict {
  verdict: 'wait' | 'good' | 'worse';
  why: string;
}

/** A fall beyond this many standard errors is not taken for chance. */
const certain = 3;
/** Significance at which an unproven version is right in more than half of the labels that follow. */
const certainly = 0.05;
/** Without any label a provisional version waits for this many soaks, then scores decide. */
const patience = 2;

const percent = (right: number, of: number) => `${Math.round((100 * right) / of)} % of ${of}`;
const sum = (parts: Seen[]) => parts.reduce(together, nothingSeen);
const before = (member: Member) => together(member.past, member.during);

/**
 * Judges devices on trial: against their own past, with the devices that did not change as witnesses
 * of what the world did meanwhile. Labels decide where there are enough on both sides, else scores.
 *
 * @param trial devices on the new version
 * @param others devices of the same rollout that still run the old one
 * @param of the rollout: a provisional one waits for labels (for a while: then scores decide), an unproven
 *   one has to win on them
 */
export function judge(
  trial: readonly Member[],
  others: readonly Member[],
  of: Pick<RolloutState, 'provisional' | 'unproven' | 'settings'>,
): Verdict {
  const { provisional, unproven = false, settings } = of;
  const { soakWindows, trialWindows, minLabels } = settings;
  const short = trial.filter((member) => member.after.windows < soakWindows).length;
  if (short > 0) return { verdict: 'wait', why: `${short} of ${trial.length} still soaking` };
  const after = sum(trial.map((member) => member.after));
  const own = sum(trial.map(before));
  const controls = { past: sum(others.map((m) => m.past)), now: sum(others.map((m) => m.during)) };
  const longest = Math.min(patience * soakWindows, Math.floor(trialWindows * 0.75));
  const isLate = trial.every((member) => member.after.windows >= longest);
  if (after.labelled >= minLabels) {
    const pairs = byPairs(after, unproven, isLate);
    return pairs ?? byLabels(after, own, controls, settings);
  }
  if (provisional && !isLate) {
    return { verdict: 'wait', why: `provisional: ${after.labelled} of ${minLabels} labels` };
  }
  return byScores(after, own, controls, settings);
}

/**
 * The same windows, by both versions: what neither was trained on decides without a past to compare. An
 * unproven version has to win, and to be right in more than half: else the labels are no better than it.
 *
 * @returns null where it decides nothing
 */
function byPairs(
  { gained, lost, labelled, right }: Seen,
  unproven: boolean,
  isLate: boolean,
): Verdict | null {
  const isSure = binomialLowerTail(labelled - right, labelled, 0.5) < certainly;
  const isFine = unproven ? gained > lost && isSure : gained >= lost;
  if (isFine) return null;
  const why = `of ${labelled} labelled windows ${right} right, ${gained} gained, ${lost} lost against the version before`;
  return { verdict: isLate ? 'worse' : 'wait', why };
}

interface Controls {
  past: Seen;
  now: Seen;
}

function byLabels(after: Seen, own: Seen, { past, now }: Controls, s: RolloutSettings): Verdict {
  const worse = (a: Seen, b: Seen) => fisherWorse(a.right, a.labelled, b.right, b.labelled);
  const known = own.labelled >= s.minLabels;
  const other = known ? own : now;
  const said = `right in ${percent(after.right, after.labelled)} labelled windows`;
  if (other.labelled < s.minLabels) return { verdict: 'good', why: said };
  const against = `${known ? 'before' : 'unchanged devices'}: ${percent(other.right, other.labelled)}`;
  const p = worse(after, other);
  const why = `${said}, ${against}`;
  if (p >= s.alpha) return { verdict: 'good', why };
  const everyone =
    known && Math.min(now.labelled, past.labelled) >= s.minLabels && worse(now, past) < s.alpha;
  if (everyone) return { verdict: 'good', why: `${why}; unchanged devices fell as well` };
  return { verdict: 'worse', why: `${why} (p = ${p.toPrecision(2)})` };
}

function byScores(after: Seen, own: Seen, { past, now }: Controls, s: RolloutSettings): Verdict {
  if (own.windows < s.minLabels || own.mean <= 0) {
    return { verdict: 'good', why: `no windows before to compare ${after.windows} with` };
  }
  const comparable = past.windows >= s.minLabels && now.windows >= s.minLabels && past.mean > 0;
  const world = comparable ? Math.min(1, now.mean / past.mean) : 1;
  const expected = own.mean * world;
  const drop = 1 - after.mean / expected;
  const error = Math.sqrt(spread(after) + spread(own));
  const why = `mean score ${after.mean.toFixed(0)}, expected ${expected.toFixed(0)}`;
  const significant = expected - after.mean > certain * error;
  return { verdict: drop > s.maxScoreDrop && significant ? 'worse' : 'good', why };
}

/** Variance of the mean. */
function spread({ windows, squares }: Seen): number {
  return windows < 2 ? 0 : squares / (windows - 1) / windows;
}
