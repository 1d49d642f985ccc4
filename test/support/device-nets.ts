import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildScript } from '../../device/build.ts';
import { BENCH_NETS, inputsOf } from '../../gateway/bench/nets.ts';
import { encodeLayers } from '../../gateway/train/layer-codec.ts';
import { summarise } from '../../gateway/train/model-summary.ts';
import type { QuantLayer } from '../../gateway/train/quant-layer.ts';
import { readTflite } from '../../gateway/train/tflite/read-tflite.ts';
import { layerRunner } from '../../gateway/train/tflite/run-tflite.ts';
import { modelCases, modelInputs } from './model-cases.ts';
import { runEspruino } from './run-espruino.ts';

/** A whole model for devices, with what it gives. */
export interface DeviceNet {
  name: string;
  /** whose its outputs are */
  origin: string;
  /** all of it */
  layers: QuantLayer[];
  /** as devices have it: backbone, which may be empty, and head */
  parts: [QuantLayer[], QuantLayer[]];
  macs: number;
  inputs: Int8Array[];
  /** of each input */
  outputs: string[];
}

/** What a device did with a net. */
export interface DeviceRun {
  /** as `hello` names it */
  tier: string;
  outputs: string[];
  /** parts that TensorFlow Lite Micro ran, of those that have layers */
  nativeParts: number;
  /** layers that machine code ran */
  nativeLayers: number;
}

/** Vectors a net. */
export const VECTORS = 20;

function netOf(
  of: Pick<DeviceNet, 'name' | 'origin' | 'layers' | 'inputs'>,
  outputs: number[][],
): DeviceNet {
  const { layers } = of;
  return {
    ...of,
    parts: [layers.slice(0, -1), layers.slice(-1)],
    macs: summarise(layers).macs,
    outputs: outputs.map((output) => output.join()),
  };
}

/** The ten models that Whetstone trained, and the largest net of `bench kernel`. */
export function deviceNets(): DeviceNet[] {
  const trained = modelCases('trained').map((model) => {
    const bytes = readFileSync(new URL(`../vectors/trained/${model.file}`, import.meta.url));
    const { layers, input } = readTflite(bytes);
    const size = input.shape.reduce((product, n) => product * n, 1);
    const inputs = modelInputs({ ...model, inputs: VECTORS }, size) as Int8Array[];
    const name = model.file.replace('.tflite', '');
    return netOf({ name, origin: 'TensorFlow Lite Micro', layers, inputs }, model.output);
  });
  const { name, layers, inputs: size } = BENCH_NETS.find((net) => net.name === '128→64→6')!;
  const inputs = inputsOf(size).slice(0, VECTORS);
  const run = layerRunner(layers);
  const outputs = inputs.map((input) => Array.from(run(input)));
  return [...trained, netOf({ name, origin: 'the gateway', layers, inputs }, outputs)];
}

/** Both parts, in bytes. */
export function partsOf(net: DeviceNet): Uint8Array[] {
  return net.parts.map((layers) => encodeLayers(layers, 0));
}

/** One input after the other, as bytes. */
export function allInputs(net: DeviceNet): Uint8Array {
  return Uint8Array.from(net.inputs.flatMap((input) => Array.from(input)));
}

/**
 * Runs a net on a real Espruino, in a process of its own: what a tier takes of the RAM is then all there.
 *
 * @param name the tier that is asked for
 * @param options of the bundle, see device/core/options.ts
 * @param command what runs Espruino; default WHETSTONE_ESPRUINO
 * @returns outputs of every input, from the first on, whoever ran it; who did from the second on
 */
export async function runOnEspruino(
  net: DeviceNet,
  name: string,
  options?: Record<string, boolean>,
  command?: readonly string[],
): Promise<DeviceRun> {
  const { code } = await buildScript(
    `
    import { loadLayers } from './core/model.ts';
    import { chooseTier } from './espruino/tiers.ts';
    const bytes = (file) => {
      const all = library('fs').readFileSync(file);
      const b = new Uint8Array(all.length);
      for (let i = 0; i < all.length; i++) b[i] = all.charCodeAt(i);
      return b;
    };
    const chosen = chooseTier(['${name}', 'reference'], '${name}');
    const tier = chosen[0];
    const parts = ['backbone', 'head'].map((file) => loadLayers(bytes(file)));
    const inputs = bytes('inputs');
    const size = inputs.length / ${net.inputs.length};
    for (let at = 0; at < inputs.length; at += size) {
      let values = new Int8Array(inputs.buffer, at, size);
      parts.forEach((layers) => {
        values = tier.run(layers, values);
      });
      print(values.join());
    }
    let layers = 0;
    parts.forEach((part) => part.forEach((layer) => {
      if (layer.run) layers++;
    }));
    print(chosen[1] + ' ' + parts.filter((part) => part.net).length + ' ' + layers);`,
    options,
  );
  const cwd = mkdtempSync(join(tmpdir(), 'espruino-net-'));
  const lines: string[] = [];
  try {
    // as text of the script they would need the RAM twice
    const [backbone, head] = partsOf(net);
    writeFileSync(join(cwd, 'backbone'), backbone!);
    writeFileSync(join(cwd, 'head'), head!);
    writeFileSync(join(cwd, 'inputs'), allInputs(net));
    const said = await runEspruino(code, { cwd, timeoutMs: 120_000, command });
    lines.push(...said.trim().split('\n'));
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  const [tierName, parts, layers] = lines.pop()!.split(' ');
  return {
    tier: tierName!,
    outputs: lines,
    nativeParts: Number(parts),
    nativeLayers: Number(layers),
  };
}
