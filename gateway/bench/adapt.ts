import { gasRows } from './gas.ts';
import { labelRows } from './label-curves.ts';
import { newClassRows } from './new-class.ts';
import { type BenchOptions, type BenchReport, machine } from './report.ts';
import { searchRows } from './search.ts';

/**
 * How well models stay right on real recordings while the world moves: gas over months, gestures of
 * another wearer, a gesture that is new, a net that is no larger than it must be; in int8 by the
 * device's kernel.
 *
 * @param options data: a folder with bangle-gestures and gas-drift; seeds of what depends on chance
 * @returns the rows, as `whetstone bench adapt` prints them; skipped where there are no recordings
 */
export async function benchAdapt(options: BenchOptions): Promise<BenchReport> {
  const rows = [
    ...(await gasRows(options)),
    ...(await labelRows(options)),
    ...(await newClassRows(options)),
    ...(await searchRows(options)),
  ];
  return { bench: 'adapt', machine: machine(), rows };
}
