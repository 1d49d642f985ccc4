import { type FaultsOptions, type FaultsPart, PARTS } from './faults/part.ts';
import { type BenchReport, type BenchRow, machine } from './report.ts';

/**
 * Shows by exhaustion that link, update and store keep their promises: the power is cut at every
 * flash operation, a million bad frames and files come in, links are as bad as links get, and the
 * gateway is killed where it stands.
 *
 * @param options see FaultsOptions
 * @returns the rows of each part, as `whetstone bench faults` prints them
 */
export async function benchFaults(options: FaultsOptions = {}): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  for (const name of PARTS) {
    if (options.only !== undefined && options.only !== name) continue;
    const part = (await import(`./faults/${name}.ts`)) as FaultsPart;
    rows.push(...(await part.rows(options)));
  }
  return { bench: 'faults', machine: machine(), rows };
}
