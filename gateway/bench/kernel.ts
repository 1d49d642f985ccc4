import { loadLayers } from '../../device/core/model.ts';
import { KERNEL, KERNEL_DENSE } from '../../device/native/blobs.ts';
import { tier } from '../train/gateway-tier.ts';
import { encodeLayers } from '../train/layer-codec.ts';
import { writeOnnx } from '../train/onnx/write-onnx.ts';
import { writeTflite } from '../train/tflite/write-tflite.ts';
import { BENCH_NETS, type BenchNet, denseNet } from './nets.ts';
import { litertRunner, onnxRunner, type Peer, type PeerRunner } from './peers.ts';
import { type BenchReport, type BenchRow, machine, median, round } from './report.ts';
import { runThumb, thumbMissing } from './thumb-emulator.ts';

/** A batch lasts about so long; of as many the median counts, after half of them for warming up. */
const BATCH_MS = 20;
const BATCHES = 20;
/** Below so many MACs the gateway's kernel is to be as fast as its peers. */
const SMALL_MACS = 10_000;
const AIM_INSTRUCTIONS = 2;
/** Inputs from which on the aim for machine code holds. */
const WIDE = 32;
const CMSIS = 'CMSIS-NN on Cortex-M4, published: cycles for each MAC, whole model';
const CMSIS_CYCLES = 2.4;

/**
 * Times the kernel's tiers, each beside its peer in the same run, and counts instructions of the
 * machine code.
 *
 * @returns the rows, as `whetstone bench kernel` prints them
 */
export async function benchKernel(): Promise<BenchReport> {
  const rows: BenchRow[] = [];
  rows.push(...(await thumbRows()));
  for (const net of [...BENCH_NETS, denseNet([64, 96, 32, 6])])
    rows.push(...(await gatewayRows(net)));
  return { bench: 'kernel', machine: machine(), rows };
}

async function gatewayRows(net: BenchNet): Promise<BenchRow[]> {
  const layers = loadLayers(encodeLayers(net.layers, 0));
  const inputs = inputsOf(net.inputs);
  const ours: PeerRunner = (input) => tier.run(layers, input);
  const peers: [name: string, peer: Peer][] = [
    ['LiteRT, WebAssembly (XNNPACK)', await litertRunner(writeTflite(net.layers))],
    ['ONNX Runtime, WebAssembly', await onnxRunner(writeOnnx(net.layers))],
  ];
  const rows: BenchRow[] = [];
  for (const [name, peer] of peers) {
    const row = {
      name: `gateway ${net.name}, against ${name.split(',')[0]}`,
      unit: 'µs',
      peer: name,
    };
    const aim = net.macs < SMALL_MACS ? 'ratio at least 1' : undefined;
    if ('skipped' in peer) {
      rows.push({ ...row, skipped: peer.skipped, ...(aim && { aim }) });
      continue;
    }
    const [value, peerValue] = await timeBoth(ours, peer.run, inputs);
    const share = await equalShare(ours, peer.run, inputs);
    peer.close();
    const ratio = peerValue / value;
    rows.push({
      ...row,
      value: round(value, 3),
      peerValue: round(peerValue, 3),
      ratio: round(ratio, 2),
      ...(aim && { aim, met: ratio >= 1 }),
    });
    rows.push({
      name: `${row.name}: outputs that are equal`,
      value: round(share, 4),
      unit: 'share',
    });
  }
  return rows;
}

function inputsOf(size: number): Int8Array[] {
  return Array.from({ length: 64 }, (_, k) =>
    Int8Array.from({ length: size }, (_, i) => ((i * 53 + k * 91 + i * k) % 256) - 128),
  );
}

/** µs for one inference of each, measured in turns so that both meet the same noise. */
async function timeBoth(
  ours: PeerRunner,
  theirs: PeerRunner,
  inputs: readonly Int8Array[],
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let batch = 0; batch < BATCHES; batch++) {
    times[0].push(await timeBatch(ours, inputs));
    times[1].push(await timeBatch(theirs, inputs));
  }
  const warm = (of: number[]): number => median(of.slice(BATCHES / 2));
  return [warm(times[0]), warm(times[1])];
}

async function timeBatch(run: PeerRunner, inputs: readonly Int8Array[]): Promise<number> {
  const start = performance.now();
  let runs = 0;
  let spent = 0;
  while (spent < BATCH_MS) {
    for (const input of inputs) {
      const result = run(input);
      if (result instanceof Promise) await result;
    }
    runs += inputs.length;
    spent = performance.now() - start;
  }
  return (spent / runs) * 1000;
}

async function equalShare(
  ours: PeerRunner,
  theirs: PeerRunner,
  inputs: readonly Int8Array[],
): Promise<number> {
  let equal = 0;
  let all = 0;
  for (const input of inputs) {
    const mine = (await ours(input)).slice();
    const other = await theirs(input);
    mine.forEach((value, i) => {
      if (value === other[i]) equal++;
      all++;
    });
  }
  return equal / all;
}

/** Executed instructions for each MAC of single layers, everything in the function counted. */
async function thumbRows(): Promise<BenchRow[]> {
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
      aim: 'below 2048',
      met: value < 2048,
    });
  }
  return rows;
}
