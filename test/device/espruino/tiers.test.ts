import { describe, expect, it } from 'vitest';
import { buildScript } from '../../../device/build.ts';
import { multiply, tierOf } from '../../../device/core/kernel.ts';
import { goldenWindow, loadLayers } from '../../../device/core/model.ts';
import { BENCH_NETS } from '../../../gateway/bench/nets.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { goldenNets } from '../../support/golden-nets.ts';
import { dot, OPERATORS } from '../../support/kernel-cases.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../../support/run-espruino.ts';

const TIERS = ['reference', 'convolve', 'tflm'];

/** What TensorFlow Lite Micro runs of our own making; the rest is left to `convolve`. */
const IN_TFLM = ['dense', 'conv2d', 'maxpool2d', 'avgpool2d'];

const base64 = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString('base64'));
const int8 = (values: Int8Array): string =>
  base64(new Uint8Array(values.buffer, values.byteOffset, values.length));

/** Runs nets in a tier as it is built; the second run counts, since the first one may be a check. */
async function run(
  tier: string,
  nets: readonly { layers: QuantLayer[]; input: Int8Array }[],
): Promise<{ native: number; outputs: string[] }> {
  const rows = nets.map((net) => `[${base64(encodeLayers(net.layers, 0))},${int8(net.input)}]`);
  const { code } = await buildScript(`
    import { loadLayers } from './core/model.ts';
    import { chooseTier } from './espruino/tiers.ts';
    const bytes = (text) => {
      const all = atob(text);
      const b = new Uint8Array(all.length);
      for (let i = 0; i < all.length; i++) b[i] = all.charCodeAt(i);
      return b;
    };
    const chosen = chooseTier(${JSON.stringify(TIERS)}, '${tier}');
    const tier = chosen[0];
    print('tier ' + chosen[1]);
    [${rows.join(',\n')}].forEach((row) => {
      const layers = loadLayers(bytes(row[0]));
      const b = bytes(row[1]);
      const input = new Int8Array(b.buffer, 0, b.length);
      tier.run(layers, input);
      print((layers.net ? 1 : 0) + ':' + tier.run(layers, input).join());
    });`);
  const [first, ...lines] = (await runEspruino(code, { timeoutMs: 120_000 })).trim().split('\n');
  expect(first).toBe(`tier ${tier}`);
  const split = lines.map((line) => line.split(':'));
  return {
    native: split.filter(([native]) => native === '1').length,
    outputs: split.map(([, output]) => output ?? ''),
  };
}

for (const tier of TIERS) {
  describe.skipIf(espruinoPath() === undefined)(
    `Espruino, built, ${tier}${skippedEspruino}`,
    () => {
      for (const operator of OPERATORS) {
        it(`chooseTier() gives a kernel that equals TensorFlow Lite Micro for ${operator}`, async () => {
          const nets = goldenNets(operator).filter((net, i, all) => {
            // of every case its first input and its last
            return all[i - 1]?.name !== net.name || all[i + 1]?.name !== net.name;
          });
          expect(nets.length).toBeGreaterThan(20);
          const { native, outputs } = await run(tier, nets);
          nets.forEach(({ name, output }, i) => {
            expect(outputs[i], name).toBe(output.join());
          });
          if (tier === 'tflm' && IN_TFLM.includes(operator)) {
            expect(native).toBeGreaterThan(nets.length / 4);
          } else expect(native).toBe(0); // see docs/models.md, Tiers
        }, 180_000);
      }

      it('chooseTier() gives a kernel that equals Node for whole nets, 20 inputs each', async () => {
        for (const { layers, inputs, name } of BENCH_NETS) {
          const node = loadLayers(encodeLayers(layers, 0));
          const nets = Array.from({ length: 20 }, (_, seed) => {
            const input = new Int8Array(inputs);
            goldenWindow(1000 + seed, input);
            return { layers, input };
          });
          const { native, outputs } = await run(
            tier,
            nets.slice(0, name.startsWith('128') ? 4 : 20),
          );
          // each keeps its arena, and Linux's variables do not stay in one piece
          if (tier === 'tflm') expect(native).toBeGreaterThan(3);
          outputs.forEach((output, i) => {
            const expected = tierOf(dot, multiply).run(node, nets[i]!.input);
            expect(output, name).toBe(expected.join());
          });
        }
      }, 180_000);
    },
  );
}
