import { canaryCount } from './cohorts.ts';
import { judge } from './judge.ts';
import { ask, cannotReturn, enter, hear, heardHello, lose, newMember, sendBack } from './member.ts';
import {
  addLabel,
  addPair,
  addWindow,
  goesOn,
  isUndone,
  type Member,
  nothingSeen,
  type RolloutEffect,
  type RolloutInput,
  type RolloutStage,
  type RolloutState,
} from './state.ts';

/** The machine's answer: the state to keep, then what to do. */
export interface Step {
  state: RolloutState;
  effects: RolloutEffect[];
}

/** A device on the new version, not confirmed yet. */
const onTrial = (m: Member) => m.stage === 'trial';
/** A device on its way to the new version. */
const underWay = (m: Member) =>
  ['offered', 'transferring', 'installed', 'trial', 'confirming'].includes(m.stage);
const finished = (m: Member) => ['confirmed', 'refused', 'failed'].includes(m.stage);

/**
 * The next state of a rollout. Pure: the state that is given is not changed, time is in the input,
 * and doing an effect twice does no harm.
 *
 * @param state as it was stored
 * @param input what happened
 * @returns the state to store before any effect is done
 */
export function next(state: RolloutState, input: RolloutInput): Step {
  const s = copyOf(state);
  const effects: RolloutEffect[] = [];
  if (s.stage === 'superseded') return { state: s, effects };
  take(s, input, effects);
  if (s.stage === 'canary') judgeCanaries(s, input.now, effects);
  if (s.stage === 'awaiting-approval') judgeWaiting(s, input.now, effects);
  if (s.stage === 'rest' || s.stage === 'settled') judgeRest(s, input.now, effects);
  if (s.stage === 'returning') finishReturn(s, input.now, effects);
  return { state: s, effects };
}

/**
 * Everything that a step changes in place is new; what it replaces whole is shared. Each window of each
 * device is a step: a deep copy of a fleet took half of the gateway's time.
 */
function copyOf(state: RolloutState): RolloutState {
  const members = Object.entries(state.members).map(([id, member]) => [id, { ...member }]);
  return {
    ...state,
    order: [...state.order],
    back: { ...state.back },
    members: Object.fromEntries(members),
  };
}

function take(s: RolloutState, input: RolloutInput, effects: RolloutEffect[]): void {
  if (input.t === 'begin') {
    effects.push({ t: 'stage', stage: s.stage, why: s.why });
  } else if (input.t === 'rollback') {
    giveUp(s, input.why, input.now, effects);
  } else if (input.t === 'approve') {
    approve(s, input.who, input.now, effects);
  } else if (input.t === 'stop') {
    stop(s, input, effects);
  } else if (input.t === 'supersede') {
    goTo(s, 'superseded', 'another rollout of this scope began', input.now, effects);
  } else if (input.t === 'issued') {
    s.back[input.version] = input.release;
    for (const id of s.order) {
      const { stage, previous } = s.members[id];
      if (stage === 'returning' && previous === input.version) ask(s, id, effects);
    }
  } else if (input.t === 'unissued') {
    for (const id of s.order) {
      const { stage, previous } = s.members[id];
      const isLeft = stage === 'returning' && previous === input.version;
      if (isLeft) cannotReturn(s, id, input.why, effects);
    }
  } else if (input.t === 'renewed') {
    for (const id of s.order) {
      const { stage, online } = s.members[id];
      if (stage === 'refused') enter(s, id, 'waiting', effects);
      if (online && (stage === 'refused' || stage === 'offered')) ask(s, id, effects);
    }
  } else if (input.t === 'refused') {
    if (s.members[input.device] !== undefined) refusedHere(s, input, effects);
  } else if (input.t === 'enrol') {
    enrol(s, input.device, input.previous, input.now);
  } else if (input.t === 'tick') {
    tick(s, input.now, effects);
  } else if (s.members[input.device] !== undefined) {
    fromDevice(s, input.device, input, effects);
  }
}

type DeviceInput = Extract<RolloutInput, { device: string }>;

function fromDevice(
  s: RolloutState,
  device: string,
  input: Exclude<DeviceInput, { t: 'enrol' | 'refused' }>,
  effects: RolloutEffect[],
): void {
  const member = s.members[device];
  if (input.t === 'offline') {
    member.online = false;
    return;
  }
  // A device that waits is asked when its turn comes, and never once everything is undone.
  const returned = !member.online && member.stage !== 'waiting';
  member.online = true;
  member.at = input.now;
  if (input.t === 'window' || input.t === 'label') {
    const period = input.release === s.release ? 'after' : 'during';
    member[period] =
      input.t === 'window'
        ? addWindow(member[period], input.score)
        : addLabel(member[period], input.correct, input.before);
    if (returned) ask(s, device, effects);
  } else if (input.t === 'pair') {
    const period = input.release === s.release ? 'after' : 'during';
    member[period] = addPair(member[period], input.correct, input.before);
    if (returned) ask(s, device, effects);
  } else if (input.t === 'hello') {
    heardHello(s, device, input, effects);
  } else {
    hear(s, device, input, effects);
    if (returned) ask(s, device, effects);
  }
}

/** What the gateway does not let out is not offered again, and no reason to wait for an answer. */
function refusedHere(
  s: RolloutState,
  { device, release, rotten, why, now }: Extract<RolloutInput, { t: 'refused' }>,
  effects: RolloutEffect[],
): void {
  if (release !== s.release) cannotReturn(s, device, why, effects);
  else {
    enter(s, device, 'refused', effects, why);
    if (rotten && goesOn(s)) giveUp(s, why, now, effects);
  }
}

/**
 * A device that came into the scope later. A provisional version stays with the devices it has; of one that
 * is undone it gets what the others are back on, once it says that it runs nothing.
 */
function enrol(s: RolloutState, device: string, previous: string | null, now: number): void {
  if (s.members[device] !== undefined || (s.provisional && !isUndone(s))) return;
  s.order.push(device);
  s.members[device] = newMember(previous, false, now, nothingSeen);
  if (isUndone(s)) s.members[device].stage = 'back';
}

function tick(s: RolloutState, now: number, effects: RolloutEffect[]): void {
  for (const device of s.order) {
    const member = s.members[device];
    if (!member.online || now - member.at < s.settings.stallMs) continue;
    member.at = now;
    const silent = member.stage === 'offered' || member.stage === 'transferring';
    if (silent) lose(s, device, 'it does not answer', effects);
    else if (member.stage !== 'waiting') ask(s, device, effects);
  }
}

function goTo(
  s: RolloutState,
  stage: RolloutStage,
  why: string,
  now: number,
  effects: RolloutEffect[],
): void {
  s.stage = stage;
  s.why = why;
  if (stage === 'superseded' || stage === 'returned' || stage === 'settled') s.endedAt = now;
  effects.push({ t: 'stage', stage, why });
}

function judgeCanaries(s: RolloutState, now: number, effects: RolloutEffect[]): void {
  const members = s.order.map((id) => s.members[id]);
  if (hasFailed(s, now, effects)) return;
  const lost = (m: Member) => !m.online && now - m.at >= s.settings.stallMs;
  // who ran it before shows nothing new, and installs nothing
  const ranIt = (m: Member) => m.previous === s.version;
  const changing = s.order.filter((id) => {
    const m = s.members[id];
    return !ranIt(m) && m.stage !== 'refused';
  });
  const eligible = changing.length > 0 ? changing : s.order;
  const active = eligible.filter((id) => {
    const m = s.members[id];
    return m.canary && m.stage !== 'refused' && !lost(m);
  });
  const wanted = canaryCount(members.length, s.settings.canaryShare);
  for (const id of eligible) {
    const member = s.members[id];
    if (active.length >= wanted) break;
    if (active.includes(id) || !member.online || member.stage !== 'waiting') continue;
    member.canary = true;
    active.push(id);
    ask(s, id, effects);
  }
  // where no device is known yet, the first one to come is the canary
  if (members.length > 0 && members.every((m) => m.stage === 'refused')) {
    giveUp(s, 'no device can take it', now, effects);
    return;
  }
  const canaries = active.map((id) => s.members[id]);
  if (canaries.length === 0 || !canaries.every((m) => onTrial(m) || m.stage === 'confirmed'))
    return;
  const others = members.filter((m) => !m.canary && m.stage === 'waiting');
  const { verdict, why } = canaries.every((m) => ranIt(m) && m.stage === 'confirmed')
    ? { verdict: 'good', why: 'they ran it before' }
    : judge(canaries, others, s);
  if (verdict === 'worse') giveUp(s, why, now, effects);
  if (verdict !== 'good') return;
  for (const id of active.filter((id) => onTrial(s.members[id]))) confirm(s, id, effects);
  const good = `canaries are good: ${why}`;
  if (s.settings.approval !== 'canary') goTo(s, 'rest', good, now, effects);
  else goTo(s, 'awaiting-approval', `${good}; ${howToApprove(s.id)}`, now, effects);
}

/**
 * What a person has to do for a rollout to go on.
 *
 * @example howToApprove('3f2a9c41-77') // "a person has to approve it: npx whetstone rollouts approve 3f2a9c41, or on the dashboard's page Rollouts"
 */
export function howToApprove(id: string): string {
  return `a person has to approve it: npx whetstone rollouts approve ${id.slice(0, 8)}, or on the dashboard's page Rollouts`;
}

/** One canary that failed ends it. */
function hasFailed(s: RolloutState, now: number, effects: RolloutEffect[]): boolean {
  const failed = s.order.find((id) => s.members[id].stage === 'failed');
  if (failed === undefined) return false;
  giveUp(s, `canary ${failed}: ${s.members[failed].reason}`, now, effects);
  return true;
}

/** Nobody new is asked; a canary that lost the version, or was away, soaks and is judged as the others were. */
function judgeWaiting(s: RolloutState, now: number, effects: RolloutEffect[]): void {
  if (hasFailed(s, now, effects)) return;
  const members = s.order.map((id) => s.members[id]);
  const others = members.filter((m) => m.stage === 'waiting');
  for (const id of s.order.filter((id) => onTrial(s.members[id]))) {
    const { verdict, why } = judge([s.members[id]], others, s);
    if (verdict === 'good') confirm(s, id, effects);
    if (verdict !== 'worse') continue;
    giveUp(s, `canary ${id}: ${why}`, now, effects);
    return;
  }
}

function approve(s: RolloutState, who: string, now: number, effects: RolloutEffect[]): void {
  if (s.stage !== 'awaiting-approval') return;
  effects.push({ t: 'decided', what: 'approved', who, why: s.why });
  goTo(s, 'rest', `approved by ${who}`, now, effects);
}

function stop(
  s: RolloutState,
  { who, why, now }: Extract<RolloutInput, { t: 'stop' }>,
  effects: RolloutEffect[],
): void {
  if (!goesOn(s)) return;
  effects.push({ t: 'decided', what: 'stopped', who, why });
  giveUp(s, `stopped by ${who}: ${why}`, now, effects);
}

function confirm(s: RolloutState, id: string, effects: RolloutEffect[]): void {
  enter(s, id, 'confirming', effects);
  ask(s, id, effects);
}

function judgeRest(s: RolloutState, now: number, effects: RolloutEffect[]): void {
  const members = s.order.map((id) => s.members[id]);
  const others = members.filter((m) => m.stage === 'waiting');
  for (const id of s.order) {
    const member = s.members[id];
    if (member.stage === 'waiting' && member.online) ask(s, id, effects);
    if (!onTrial(member)) continue;
    const { verdict, why } = judge([member], others, s);
    if (verdict === 'good') confirm(s, id, effects);
    if (verdict !== 'worse') continue;
    enter(s, id, 'reverting', effects, why);
    ask(s, id, effects);
  }
  const bad = members.filter((m) => m.stage === 'failed' || m.stage === 'reverting').length;
  if (bad >= 2 && bad > s.settings.maxFailedShare * members.length) {
    giveUp(s, `${bad} of ${members.length} devices failed`, now, effects);
    return;
  }
  const open = members.some((m) => !finished(m) && (m.online || m.stage !== 'waiting'));
  if (s.stage === 'settled' || open) return;
  const done = members.filter((m) => m.stage === 'confirmed').length;
  goTo(s, 'settled', `${done} of ${members.length} devices confirmed it`, now, effects);
  effects.push({ t: 'crown' });
}

/** Undoes everything; the version before is champion from this moment on. */
function giveUp(s: RolloutState, why: string, now: number, effects: RolloutEffect[]): void {
  if (isUndone(s)) return;
  goTo(s, 'returning', why, now, effects);
  effects.push({ t: 'restore', why });
  for (const id of s.order) {
    const member = s.members[id];
    if (member.stage === 'confirmed') sendBack(s, id, effects);
    else if (underWay(member)) {
      enter(s, id, 'reverting', effects, why);
      ask(s, id, effects);
    }
  }
}

function finishReturn(s: RolloutState, now: number, effects: RolloutEffect[]): void {
  const left = Object.values(s.members).filter(
    (m) => m.stage === 'reverting' || m.stage === 'returning',
  );
  if (left.length > 0) return;
  goTo(s, 'returned', s.why, now, effects);
}
