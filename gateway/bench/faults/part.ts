import type { BenchOptions, BenchRow } from '../report.ts';

/** The parts of the bench `faults`, each a file beside this one. */
export const PARTS = ['power', 'bytes', 'link', 'kill'] as const;

export type PartName = (typeof PARTS)[number];

/** What every part of the bench `faults` is told. */
export interface FaultsOptions extends BenchOptions {
  /** this part alone */
  only?: PartName;
  /** seconds instead of minutes: the same code on fewer cases, with the same seeds */
  short?: boolean;
  /** the Linux build of Espruino; without it, what needs a real one is skipped, with a row that says so */
  espruino?: string;
  /** worker threads; default one for each processor */
  threads?: number;
}

/** What a part's file exports. */
export interface FaultsPart {
  /** Runs the part and gives its figures. @throws when it could not run, never for a fault found */
  rows(options: FaultsOptions): Promise<BenchRow[]>;
}
