import { arch, cpus, platform } from 'node:os';

/** One figure of a benchmark; with a peer's in the same run where there is one. */
export interface BenchRow {
  name: string;
  value?: number;
  unit: string;
  /** 95 % confidence interval of the value */
  interval?: readonly [number, number];
  /** the value of each seed, in the order of the seeds */
  perSeed?: readonly number[];
  peer?: string;
  peerValue?: number;
  /** how many times better than the peer; above 1 is better */
  ratio?: number;
  aim?: string;
  met?: boolean;
  /** why there is no value */
  skipped?: string;
}

/** What a benchmark is told; each takes what it needs. */
export interface BenchOptions {
  /** folder of recordings */
  data?: string;
  /** repetitions of what depends on chance */
  seeds?: number;
  /** told what is measured now, for people */
  onProgress?: (what: string) => void;
}

export interface BenchReport {
  bench: string;
  machine: string;
  rows: BenchRow[];
}

/** The machine that measured, in one line. */
export function machine(): string {
  const cpu = cpus()[0]?.model ?? 'unknown processor';
  return `${cpu}, ${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}`;
}

/**
 * The middle one of some figures, the greater of two.
 *
 * @example median([3, 1, 2]) // 2
 */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** A figure with so many digits behind the point. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
