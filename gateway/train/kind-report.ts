import type { Task } from '../task.ts';
import type { Evidence, GateCheck, GateReport, Regime } from './gate-report.ts';

/** What the gate is given of a task that is no classification; answers as {@link Answers} has them. */
export interface KindInput {
  task: Task;
  evidence: Evidence;
  /** answers of all labels that teach */
  taught: readonly number[];
  regimes: readonly Regime[];
  mustPass: { total: number; broken: readonly string[] };
  quantisation: { float: number; int8: number };
  budgets: GateReport['budgets'];
  /** kind 'anomaly': made-up anomalies that each model sees, of how many */
  probes: { total: number; champion: number | null; candidate: number } | null;
}

/** A report with what a kind measures beside shares of right answers. */
export interface KindReport extends GateReport {
  /** kind 'regression': errors in units; null without a champion */
  errors?: { unit: string; champion: Errors | null; candidate: Errors };
  /** kind 'anomaly': shares; null where no window can tell */
  verdicts?: { champion: Verdicts | null; candidate: Verdicts };
}

export interface Errors {
  meanAbsolute: number;
  rootMeanSquare: number;
}

export interface Verdicts {
  falseAlarms: number | null;
  detected: number | null;
  probes: number;
}

/** What a kind checks by itself; the first check's words say why a candidate was released. */
export interface OwnChecks {
  checks: GateCheck[];
  midP: number | null;
  reachesAim: boolean;
  measured: Pick<KindReport, 'errors' | 'verdicts'>;
}
