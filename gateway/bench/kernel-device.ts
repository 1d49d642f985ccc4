import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { KERNEL, KERNEL_DENSE } from '../../device/native/blobs.ts';
import { GatewayError } from '../errors.ts';
import { encodeLayers } from '../train/layer-codec.ts';
import { timeEspruino } from './espruino-kernel.ts';
import { benchLua } from './lua.ts';
import { BENCH_NETS, denseNet, inputsOf } from './nets.ts';
import { type BenchRow, round } from './report.ts';
import { runThumb, thumbMissing } from './thumb-emulator.ts';

const TIERS = ['reference', 'convolve', 'tflm'];
/** How many times as fast as the loops `convolve` is to be. */
const AIM_CONVOLVE: Record<string, number> = { '33→20→6': 10, '128→64→6': 25 };
const AIM_INSTRUCTIONS = 2;
/** Inputs from which on the aim for machine code holds. */
const WIDE = 32;
const MOST_BYTES = 2048;
const CMSIS = 'CMSIS-NN on Cortex-M4, published: cycles for each MAC, whole model';
const CMSIS_CYCLES = 2.4;
const LUAS = ['lua5.1', 'lua5.3'];

/**
 * The tiers of a real Espruino, each beside the plain loops.
 *
 * @param path of the Linux build; undefined where there is none
 * @throws GatewayError 'bad-model' if a tier gives other numbers than the loops
 */
export async function espruinoRows(path: string | undefined): Promise<BenchRow[]> {
  const rowOf = (net: string, tier: string): BenchRow => ({
    name: `Espruino ${net}, ${tier}`,
    unit: 'µs',
    ...(tier !== 'reference' && { peer: 'tier reference' }),
    ...(tier === 'convolve' && AIM_CONVOLVE[net] && { aim: `ratio at least ${AIM_CONVOLVE[net]}` }),
  });
  if (path === undefined || !existsSync(path)) {
    const skipped =
      path === undefined ? 'WHETSTONE_ESPRUINO is not set' : `there is no Espruino at ${path}`;
    return BENCH_NETS.flatMap(({ name }) =>
      TIERS.map((tier) => ({ ...rowOf(name, tier), skipped })),
    );
  }
  const times = await timeEspruino(path, TIERS);
  return times.map(({ net, tier, micros, equal }): BenchRow => {
    const row = rowOf(net, tier);
    if (micros === undefined) return { ...row, skipped: `this Espruino has no ${tier}` };
    if (tier === 'reference') return { ...row, value: round(micros, 1) };
    if (!equal) throw new GatewayError('bad-model', `tier ${tier} gives other numbers on ${net}`);
    const peerValue = times.find((other) => other.net === net && other.tier === 'reference')!
      .micros!;
    const ratio = peerValue / micros;
    const least = AIM_CONVOLVE[net];
    const measured = {
      value: round(micros, 1),
      peerValue: round(peerValue, 1),
      ratio: round(ratio, 2),
    };
    return { ...row, ...measured, ...(row.aim && least && { met: ratio >= least }) };
  });
}

/** The tier of NodeMCU beside a plain Lua loop. */
export async function luaRows(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const command of LUAS) {
    const peer = 'a plain loop over tables';
    try {
      execFileSync(command, ['-v'], { stdio: 'ignore' });
    } catch {
      const skipped = `${command} is not installed`;
      for (const { name } of BENCH_NETS) {
        rows.push({ name: `${command} ${name}`, unit: 'µs', peer, skipped });
      }
      continue;
    }
    for (const { net, tierUs, plainUs } of await benchLua(command, BENCH_NETS)) {
      rows.push({
        ...{ name: `${command} ${net}`, unit: 'µs', peer },
        ...{
          value: round(tierUs, 2),
          peerValue: round(plainUs, 2),
          ratio: round(plainUs / tierUs, 2),
        },
      });
    }
  }
  return rows;
}

/** Executed instructions for each MAC of single layers, everything in the function counted. */
export async function thumbRows(): Promise<BenchRow[]> {
  const shapes = [
    [32, 32],
    [33, 20],
    [50, 6],
    [128, 64],
    [64, 6],
  ];
  const missing = thumbMissing();
  const rows: BenchRow[] = [];
  for (const [inputs, outputs] of shapes) {
    const net = denseNet([inputs!, outputs!]);
    const row: BenchRow = {
      name: `thumb, dense ${net.name}`,
      unit: 'instructions for each MAC',
      peer: CMSIS,
      peerValue: CMSIS_CYCLES,
      ...(inputs! >= WIDE && { aim: `at most ${AIM_INSTRUCTIONS}` }),
    };
    if (missing !== undefined) {
      rows.push({ ...row, skipped: missing });
      continue;
    }
    const layer = encodeLayers(net.layers, 0).subarray(4);
    const code = Buffer.from(KERNEL_DENSE, 'base64');
    const [result] = await runThumb(code, [{ layer, input: inputsOf(net.inputs)[1]! }], {
      count: true,
    });
    const value = result!.instructions / net.macs;
    rows.push({
      ...row,
      value: round(value, 3),
      ratio: round(CMSIS_CYCLES / value, 2),
      ...(row.aim && { met: value <= AIM_INSTRUCTIONS }),
    });
  }
  for (const [name, code] of [
    ['dense', KERNEL_DENSE],
    ['dense and convolution', KERNEL],
  ] as const) {
    const value = Buffer.from(code, 'base64').length;
    rows.push({
      name: `thumb, code for ${name}`,
      value,
      unit: 'bytes',
      aim: `below ${MOST_BYTES}`,
      met: value < MOST_BYTES,
    });
  }
  return rows;
}
