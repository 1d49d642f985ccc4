import type { Task } from '../task.ts';
import type { LabelAudit } from './label-audit.ts';

/**
 * How the labelled windows that judge a candidate were kept from it.
 *
 * - `held-out`: the candidate never saw them.
 * - `cross-validated`: each is judged by a model trained without it.
 * - `resubstituted`: too few labels for either (a class with a single one), so the candidate was
 *   trained on them and its own score proves nothing; the release rests on the champion's failure.
 */
export type EvidenceKind = 'held-out' | 'cross-validated' | 'resubstituted';

/** Predictions on the same labelled windows, by class index; -1 where nothing was predicted. */
export interface Evidence {
  kind: EvidenceKind;
  truth: readonly number[];
  /** Made by the champion before anyone trained on these windows; empty without a champion. */
  champion: readonly number[];
  candidate: readonly number[];
  /** the device that each window came from */
  device: readonly string[];
}

/** A regime that must not be forgotten: the windows of an earlier wearer, say. */
export interface Regime {
  name: string;
  truth: readonly number[];
  champion: readonly number[];
  candidate: readonly number[];
  /** whether a device still lives in it */
  isPresent: boolean;
}

/** The task's rules for the gate. */
export type GatePolicy = Task['gate'];

export interface GateInput {
  classes: readonly string[];
  /** classes that the champion does not know; left out where it knows all */
  newcomers?: readonly number[];
  /** new labels of each class that teach the candidate */
  taught: readonly number[];
  /** those of them that look like no earlier labelled window */
  taughtNew: readonly number[];
  evidence: Evidence;
  /** What the champion's accuracy was when it was released, 0 to 1; the reference that it failed. */
  championReference: number | null;
  /** the champion is no first model: it has replaced another one */
  isUpdated: boolean;
  regimes: readonly Regime[];
  /** Predictions on recent windows, labelled or not; -1 without a champion. */
  recent: { champion: readonly number[]; candidate: readonly number[] };
  /** Names of pinned windows that the candidate gets wrong, and how many there are. */
  mustPass: { total: number; broken: readonly string[] };
  /** Classes of the pinned windows: somebody has made sure of them. */
  pinned?: readonly number[];
  /** Accuracy of the float net and of its int8 form on the same windows. */
  quantisation: { float: number; int8: number };
  /** Bytes that the model needs and has, board by board. */
  budgets: readonly { board: string; bytes: number; limit: number }[];
  /** what became of the new labels before the training; null for a first model */
  audit: LabelAudit | null;
  policy: GatePolicy;
}

export interface GateCheck {
  name: string;
  ok: boolean;
  why: string;
}

/** The decision with its reasons; stored with the version. */
export interface GateReport {
  decision: 'release' | 'provisional' | 'refuse';
  reason: string;
  reachesAim: boolean;
  /** the labels that follow have to show that it is better: too few taught it */
  unproven: boolean;
  evidence: {
    kind: EvidenceKind;
    windows: number;
    champion: number | null;
    candidate: number;
    interval: [number, number];
    gained: number;
    lost: number;
    midP: number | null;
  };
  classes: { name: string; windows: number; champion: number | null; candidate: number | null }[];
  worstClass: string | null;
  confusion: { champion: number[][] | null; candidate: number[][] };
  regimes: { name: string; windows: number; champion: number; candidate: number }[];
  mustPass: { total: number; broken: readonly string[] };
  quantisation: { float: number; int8: number };
  budgets: readonly { board: string; bytes: number; limit: number }[];
  /** new labels: how many there were, how many earlier ones contradicted, by origin */
  labels: {
    given: number;
    trusted: number;
    grounds: Omit<LabelAudit['grounds'][number], 'sure'>[];
    groups: LabelAudit['groups'];
  } | null;
  checks: GateCheck[];
}
