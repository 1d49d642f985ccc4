import { createHash } from 'node:crypto';
import whetstone from '../package.json' with { type: 'json' };
import type { BoardProfile } from './board.ts';
import { boardNames, loadBoard } from './board.ts';
import { gather, membersOf } from './dataset.ts';
import type { Clock } from './link/port.ts';
import { canonical, type Scope, scopeName } from './registry/manifest.ts';
import type { Registry } from './registry/registry.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { Store } from './store/store.ts';
import type { Task } from './task.ts';
import type { Attempt } from './train/attempt.ts';
import type { GateReport } from './train/gate-report.ts';
import type { LabelAudit } from './train/label-audit.ts';
import type { Missing } from './train/missing.ts';
import { type ModelParts, tellingVectors } from './train/model.ts';
import { retrain } from './train/retrain.ts';
import type { Rung } from './train/rungs.ts';

/** What healing works with. */
export interface HealParts {
  task: Task;
  store: Store;
  registry: Registry;
  rollouts: Rollouts;
  clock: Clock;
  seed: number;
  /** when the present regime of a device began */
  regime: (device: string) => number;
  /** asks for labels that may settle a refusal, as many as it sees fit. @returns how many */
  settle: (scope: Scope, missing: Missing) => number;
}

export interface HealOptions {
  signal?: AbortSignal;
  onRung?: (rung: Rung) => void;
  /** who asked; default the gateway itself */
  who?: string;
  /** why now, for people */
  reason?: string;
}

/** What became of it. */
export interface Healed {
  scope: Scope;
  /** null where nothing passed the gate */
  version: string | null;
  /** id of the rollout */
  rollout: string | null;
  attempts: Attempt[];
  /** devices of the scope that are left as they are: their world has not changed */
  spared: string[];
  /** labels that were asked for, since they may turn the refusal */
  asked: number;
  /** why it was released, or why not */
  reason: string;
  trainMs: number;
}

/** Golden windows of a version: each costs a device one inference before its trial. */
const GOLDEN = 4;
/** Windows that a first model soaks: there is nothing to compare it with, it only has to run. */
const FIRST_SOAK = 3;
/** An offer with its golden vectors and the length of a slot, beside the parts; see slot.ts. */
export const OFFER_BYTES = 160;

/**
 * retrain → prove → register → roll out: one scope, once.
 *
 * @param scope whom the model serves
 * @throws GatewayError 'cancelled' when the signal is raised; 'not-allowed' if a device of the scope
 *   is in a rollout that has not settled
 */
export async function heal(
  parts: HealParts,
  scope: Scope,
  options: HealOptions = {},
): Promise<Healed> {
  const { task, store, registry, rollouts, clock, seed, regime } = parts;
  const { journal } = store;
  const name = scopeName(scope);
  const known = gather(parts, scope, regime, seed);
  const { champion, data, samples, ...evidence } = known;
  const { reason: why, who } = options;
  const started = { labels: data.fresh.length, ...(why && { reason: why }), ...(who && { who }) };
  journal.write('train.started', name, started, clock.now());
  const boards = boardsOf(store, task.name, scope);
  const { attempts, chosen, audit, waits, spared, missing } = await retrain({
    ...{ ...evidence, task, data, seed },
    champion: champion?.model ?? null,
    championReference: champion?.reference ?? null,
    isUpdated: champion?.isUpdated ?? false,
    budgets: (model) => boards.map((board) => budget(board, model)),
    ...(options.signal && { signal: options.signal }),
    ...(options.onRung && { onRung: options.onRung }),
  });
  const trainMs = attempts.reduce((sum, attempt) => sum + attempt.trainMs, 0);
  if (chosen === null) {
    const moved = audit?.grounds.filter(({ inForce }) => !inForce) ?? [];
    rollouts.include(moved.map(({ device }) => device));
    const proven = attempts.at(-1)?.report.reason;
    const asked = missing === null ? 0 : parts.settle(scope, missing);
    const refused = proven ?? (waits === null ? nothingToLearn(audit) : null);
    const reason = [refused, waits, asked > 0 ? askedFor(asked, missing) : null]
      .filter((text) => text !== null)
      .join('; ');
    journal.write('gate.refused', name, { scope: name, reason }, clock.now());
    return { scope, version: null, rollout: null, attempts, spared, asked, reason, trainMs };
  }
  const { report, rung } = chosen;
  journal.write('train.finished', name, { scope: name, rung, trainMs }, clock.now());
  const { candidate, champion: before } = report.evidence;
  const passed = {
    scope: name,
    rung,
    reason: report.reason,
    accuracy: candidate,
    champion: before,
  };
  journal.write('gate.passed', name, passed, clock.now());
  const values = task.window.samples * task.sensor.axes.length;
  const { seed: goldenSeed, count, outputs } = tellingVectors(chosen.parts, values, seed, GOLDEN);
  const version = registry.register(
    chosen.parts,
    {
      ...{ task: task.name, taskHash: hashOf(task), scope, parent: champion?.version ?? null },
      golden: { seed: goldenSeed, count, outputs: Int8Array.from(outputs) },
      lineage: {
        dataSnapshot: store.catalogue.addSnapshot(samples, clock.now()),
        ...{ codeVersion: whetstone.version, seed, rung },
      },
      budgets: { bytes: modelBytes(chosen.parts) },
    },
    report,
  );
  const { canaryShare, soakWindows, trialWindows } = task.rollout;
  const rollout = rollouts.start(version, {
    who: options.who ?? 'gateway',
    why: report.reason,
    provisional: report.decision === 'provisional' && champion !== null,
    unproven: report.unproven,
    spared,
    since: Math.max(0, ...membersOf(store, task.name, scope).map(regime)),
    settings: {
      canaryShare,
      trialWindows,
      soakWindows: champion === null ? FIRST_SOAK : soakWindows,
    },
  });
  return { scope, version, rollout, attempts, spared, asked: 0, reason: report.reason, trainMs };
}

function askedFor(count: number, missing: Missing | null): string {
  const classes = missing?.classes ?? [];
  const of = classes.length === 0 ? '' : `, hardly any is of ${classes.join(', ')}`;
  return `more labels may settle it${of}: ${count} windows are asked for, see labels --asked`;
}

function nothingToLearn(audit: LabelAudit | null): string {
  const given = audit?.verdicts.length ?? 0;
  if (given === 0) return 'there is no labelled window to learn from';
  return `none of ${given} labels is trusted: earlier windows that look alike have other labels`;
}

/** Bytes of a model's three parts. */
export function modelBytes({ pre, backbone, head }: ModelParts): number {
  return pre.length + backbone.length + head.length;
}

function budget(board: BoardProfile, parts: ModelParts): GateReport['budgets'][number] {
  const limit = board.slotPages * board.flash.pageBytes;
  return { board: board.name, bytes: modelBytes(parts) + OFFER_BYTES, limit };
}

/** Profiles of the boards in a scope; a board without one says itself, at the offer, if it has room. */
function boardsOf(store: Store, task: string, scope: Scope): BoardProfile[] {
  const members = new Set(membersOf(store, task, scope));
  const boards = store.devices.list({ task }).filter(({ id }) => members.has(id));
  const known = new Set(boardNames());
  const names = new Set(boards.map(({ board }) => board).filter((board) => known.has(board)));
  return [...names].map(loadBoard);
}

/** SHA-256 of a task, hex. */
export function hashOf(task: Task): string {
  return createHash('sha256').update(canonical(task)).digest('hex');
}
