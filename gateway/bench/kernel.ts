import { espruinoRows, luaRows, thumbRows } from './kernel-device.ts';
import { gatewayRows } from './kernel-gateway.ts';
import { BENCH_NETS, denseNet } from './nets.ts';
import { type BenchReport, machine } from './report.ts';

/** Beside the nets of all: one of many small layers, close to 10,000 MACs. */
const WIDE_NET = denseNet([64, 96, 32, 6]);

/**
 * Times the kernel's tiers, each beside its peer in the same run, and counts instructions of the
 * machine code.
 *
 * @param options espruino: path of a Linux build of Espruino, for its tiers
 * @returns the rows, as `whetstone bench kernel` prints them
 * @throws GatewayError 'bad-model' if a tier gives other numbers than the loops
 */
export async function benchKernel(options: { espruino?: string } = {}): Promise<BenchReport> {
  const rows = [
    ...(await espruinoRows(options.espruino)),
    ...(await thumbRows()),
    ...(await luaRows()),
  ];
  for (const net of [...BENCH_NETS, WIDE_NET]) rows.push(...(await gatewayRows(net)));
  return { bench: 'kernel', machine: machine(), rows };
}
