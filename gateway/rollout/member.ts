import { STATUSES } from '../../device/core/messages.ts';
import { failures, losses, refusals } from './refusals.ts';
import {
  isUndone,
  type Member,
  type MemberStage,
  nothingSeen,
  type RolloutEffect,
  type RolloutState,
  type Seen,
} from './state.ts';

type Status = (typeof STATUSES)[keyof typeof STATUSES];

const progress: Partial<Record<Status, MemberStage>> = {
  accepted: 'transferring',
  installed: 'installed',
  'selftest-equal': 'installed',
  trial: 'trial',
  confirmed: 'confirmed',
};

/** A device that no one has asked yet. */
export function newMember(
  previous: string | null,
  online: boolean,
  at: number,
  past: Seen,
): Member {
  return {
    ...{ stage: 'waiting', canary: false, online, at, attempts: 0, reason: '', previous, past },
    ...{ during: nothingSeen, after: nothingSeen },
  };
}

/** Puts a device into another stage and says so. */
export function enter(
  s: RolloutState,
  device: string,
  stage: MemberStage,
  effects: RolloutEffect[],
  reason = '',
): void {
  const member = s.members[device];
  if (member.stage === stage && member.reason === reason) return;
  member.stage = stage;
  member.reason = reason;
  // what went wrong before it worked is past: a device that comes back empty is served anew
  if (stage === 'confirmed') member.attempts = 0;
  effects.push({ t: 'device', device, stage, reason });
}

/** Asks of a device what its stage wants of it; nothing where nothing is wanted. */
export function ask(s: RolloutState, device: string, effects: RolloutEffect[]): void {
  const { version, release } = s;
  const member = s.members[device];
  if (member.stage === 'waiting') enter(s, device, 'offered', effects);
  if (member.stage === 'offered' || member.stage === 'transferring') {
    effects.push({ t: 'offer', device, version, release });
  } else if (member.stage === 'confirming') {
    effects.push({ t: 'confirm', device, release });
  } else if (member.stage === 'reverting') {
    effects.push({ t: 'revert', device, release });
  } else if (member.stage === 'returning' && member.previous !== null) {
    const back = s.back[member.previous];
    if (back > 0) effects.push({ t: 'offer', device, version: member.previous, release: back });
  }
}

/**
 * Sends a confirmed device back. It refuses what is older than what it runs, rightly; so it gets the
 * version before under a new, higher release number, and its rule stands.
 */
export function sendBack(s: RolloutState, device: string, effects: RolloutEffect[]): void {
  const { previous } = s.members[device];
  if (previous === null) {
    enter(s, device, 'confirmed', effects, 'there is no version before it to go back to');
    return;
  }
  enter(s, device, 'returning', effects);
  if (s.back[previous] === undefined) {
    s.back[previous] = 0;
    effects.push({ t: 'issue', version: previous });
  } else ask(s, device, effects);
}

/** A device is on its old version again: part of undoing everything, its own failure, or its refusal. */
function isBack(s: RolloutState, device: string, effects: RolloutEffect[]): void {
  if (isUndone(s)) enter(s, device, 'back', effects, s.members[device].reason);
  else endHere(s, device, s.members[device].reason, effects);
}

/** A device gets the version no more. One that only could not take it says nothing against it. */
function endHere(s: RolloutState, device: string, why: string, effects: RolloutEffect[]): void {
  const { refusal } = s.members[device];
  delete s.members[device].refusal;
  enter(s, device, refusal === undefined ? 'failed' : 'refused', effects, refusal ?? why);
}

/** The version is gone from a device that had it, or part of it. */
export function lose(
  s: RolloutState,
  device: string,
  reason: string,
  effects: RolloutEffect[],
): void {
  const member = s.members[device];
  if (isUndone(s)) {
    isBack(s, device, effects);
    return;
  }
  member.attempts++;
  member.after = nothingSeen;
  if (member.attempts >= s.settings.maxAttempts) enter(s, device, 'failed', effects, reason);
  else {
    enter(s, device, 'waiting', effects, reason);
    ask(s, device, effects);
  }
}

/** Takes a status of a device. */
export function hear(
  s: RolloutState,
  device: string,
  { release, code }: { release: number; code: number },
  effects: RolloutEffect[],
): void {
  const { stage, previous } = s.members[device];
  const status: Status | undefined = STATUSES[code as keyof typeof STATUSES];
  if (status === undefined) return;
  if (stage === 'returning' && previous !== null && release === s.back[previous]) {
    hearReturning(s, device, release, status, effects);
  } else if (
    release === s.release &&
    stage !== 'returning' &&
    (isUndone(s) || stage === 'reverting')
  ) {
    hearUnwanted(s, device, status, effects);
  } else if (release === s.release && stage !== 'returning' && stage !== 'back') {
    hearForward(s, device, status, effects);
  }
}

/** A device goes on with a version that it should leave. */
function hearUnwanted(
  s: RolloutState,
  device: string,
  status: Status,
  effects: RolloutEffect[],
): void {
  const { stage, reason } = s.members[device];
  if (status === 'confirmed') sendBack(s, device, effects);
  else if (stage === 'reverting' && status === 'refused-release') {
    // Its other slot is empty: it cannot go back by itself, and on trial takes nothing else either.
    effects.push({ t: 'confirm', device, release: s.release });
  } else if (progress[status] !== undefined) {
    enter(s, device, 'reverting', effects, reason);
    ask(s, device, effects);
  } else if (stage === 'reverting' && status !== 'busy') isBack(s, device, effects);
}

function hearForward(
  s: RolloutState,
  device: string,
  status: Status,
  effects: RolloutEffect[],
): void {
  const { stage } = s.members[device];
  const to = progress[status];
  const refusal = refusals[status];
  const loss = losses[status];
  const failure = failures[status];
  // A status that was repeated, or overtaken by the confirmation, changes nothing.
  const late = stage === 'confirmed' || (stage === 'confirming' && status !== 'confirmed');
  if (to !== undefined && !late) enter(s, device, to, effects);
  else if (refusal !== undefined) enter(s, device, 'refused', effects, refusal);
  else if (loss !== undefined) lose(s, device, loss, effects);
  else if (failure !== undefined) enter(s, device, 'failed', effects, failure);
}

function hearReturning(
  s: RolloutState,
  device: string,
  release: number,
  status: Status,
  effects: RolloutEffect[],
): void {
  if (status === 'trial') effects.push({ t: 'confirm', device, release });
  else if (status === 'confirmed') isBack(s, device, effects);
  else {
    const why = refusals[status] ?? failures[status];
    if (why !== undefined) cannotReturn(s, device, why, effects);
  }
}

/** The version before can not be given to a device any more. */
export function cannotReturn(
  s: RolloutState,
  device: string,
  why: string,
  effects: RolloutEffect[],
): void {
  endHere(s, device, `it cannot go back: ${why}`, effects);
}

/** Takes a hello: what the device runs is the truth, whatever was expected. */
export function heardHello(
  s: RolloutState,
  device: string,
  { release, state }: { release: number; state: number },
  effects: RolloutEffect[],
): void {
  const member = s.members[device];
  const { stage } = member;
  const unwanted =
    isUndone(s) || ['reverting', 'returning', 'back', 'failed', 'refused'].includes(stage);
  if (release === s.release) {
    if (unwanted && state === 1) sendBack(s, device, effects);
    else if (unwanted) {
      enter(s, device, 'reverting', effects, member.reason);
      ask(s, device, effects);
    } else if (state === 1) enter(s, device, 'confirmed', effects);
    else if (stage === 'confirming' || stage === 'confirmed') {
      enter(s, device, 'confirming', effects);
      ask(s, device, effects);
    } else enter(s, device, 'trial', effects);
    return;
  }
  const back = member.previous === null ? 0 : s.back[member.previous];
  if (release === 0 && ['back', 'failed', 'refused'].includes(stage) && member.previous !== null) {
    // it lost everything, for example with its flash: what it ran last is served anew
    if (stage === 'refused') member.refusal = member.reason;
    sendBack(s, device, effects);
  } else if (stage === 'returning' && release === back) {
    if (state === 1) isBack(s, device, effects);
    else effects.push({ t: 'confirm', device, release });
  } else if (stage === 'reverting') isBack(s, device, effects);
  else if (['installed', 'trial', 'confirming', 'confirmed'].includes(stage)) {
    lose(s, device, 'it came back without the version', effects);
  } else if (stage !== 'waiting') ask(s, device, effects);
}
