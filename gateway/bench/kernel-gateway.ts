import { loadLayers } from '../../device/core/model.ts';
import { tier } from '../train/gateway-tier.ts';
import { encodeLayers } from '../train/layer-codec.ts';
import { writeOnnx } from '../train/onnx/write-onnx.ts';
import { writeTflite } from '../train/tflite/write-tflite.ts';
import { type BenchNet, inputsOf } from './nets.ts';
import { litertRunner, onnxRunner, type Peer, type PeerRunner } from './peers.ts';
import { type BenchRow, median, round } from './report.ts';

/** A batch lasts about so long; of as many the median counts, after half of them for warming up. */
const BATCH_MS = 20;
const BATCHES = 20;
/** Below so many MACs the gateway's kernel is to be as fast as its peers. */
const SMALL_MACS = 10_000;

/**
 * The gateway's kernel on one net, beside LiteRT and ONNX Runtime on its exports.
 *
 * @returns for each peer the times, and the share of outputs that are equal
 */
export async function gatewayRows(net: BenchNet): Promise<BenchRow[]> {
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
