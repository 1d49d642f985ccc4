import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { infer, loadModel } from '../../../device/core/model.ts';
import { tinyModel, walk } from '../../../gateway/bench/faults/tiny-model.ts';
import { tier } from '../../../gateway/train/gateway-tier.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { featureCases, featureWindow } from '../../support/feature-cases.ts';
import { goldenNets } from '../../support/golden-nets.ts';
import { OPERATORS } from '../../support/kernel-cases.ts';
import {
  hasLua,
  LUAS,
  luaBytes,
  luaProgram,
  runLua,
  skippedLua,
  UNHEX,
} from '../../support/lua.ts';
import { randomLayers, wiredNets, withInput } from '../../support/random-layers.ts';

const TIERS = ['lua', 'reference'];

/* Global functions over the core, for Lua strings; each gives a line. */
const CORE = luaProgram(`
  import { multiply, tierOf } from '../core/kernel.ts';
  import type { Dot } from '../core/arithmetic.ts';
  import { features } from '../core/features.ts';
  import { infer, loadLayers, loadModel } from '../core/model.ts';
  import { luaTier } from './tier.ts';
  const loop: Dot = (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };
  const own = [luaTier, tierOf(loop, multiply)];
  const bytes = (raw: ArrayBuffer): Uint8Array => new Uint8Array(raw);
  T = {
    layers: (tier: number, part: ArrayBuffer, input: ArrayBuffer) =>
      \`\${own[tier].run(loadLayers(bytes(part)), new Int8Array(input))}\`,
    features: (tier: number, set: number, window: ArrayBuffer, n: number) =>
      \`\${features(set, new Int8Array(window), n, 50, 3, own[tier].dot)}\`,
    infer: (tier: number, a: ArrayBuffer, b: ArrayBuffer, c: ArrayBuffer, window: ArrayBuffer, n: number) => {
      const r = infer(loadModel(bytes(a), bytes(b), bytes(c)), new Int8Array(window), n, own[tier]);
      return \`\${r.cls};\${r.score};\${r.embedding};\${r.logits}\`;
    },
  };
`).code;

/** Runs calls of `T` and gives their lines. */
async function lines(lua: string, calls: string[]): Promise<string[]> {
  // A Lua function holds so many constants: the calls are split over some.
  const blocks: string[] = [];
  for (let at = 0; at < calls.length; at += 500) {
    const prints = calls.slice(at, at + 500).map((call) => `print(T:${call})`);
    blocks.push(`(function()\n${prints.join('\n')}\nend)();`);
  }
  return (await runLua(lua, `do ${CORE} end\n${UNHEX}${blocks.join('\n')}`)).trimEnd().split('\n');
}

const layersCall = (index: number, part: Uint8Array, input: ArrayLike<number>): string =>
  `layers(${index},${luaBytes(part)},${luaBytes(input)})`;

for (const lua of LUAS) {
  describe.skipIf(!hasLua(lua))(`${lua}${skippedLua(lua)}`, () => {
    for (const [index, name] of TIERS.entries()) {
      it(`runLayers() equals TensorFlow Lite Micro in tier ${name} when given the vectors of every operator`, async () => {
        const nets = OPERATORS.flatMap(goldenNets);
        const calls = nets.map((net) => layersCall(index, encodeLayers(net.layers, 0), net.input));
        const said = await lines(lua, calls);
        expect(nets.length).toBeGreaterThan(300);
        for (const [i, net] of nets.entries()) expect(said[i], net.name).toBe(net.output.join());
      }, 60_000);

      it(`runLayers() equals Node in tier ${name} when given any layers`, async () => {
        const each = Object.values(randomLayers).flatMap((layers) =>
          fc.sample(
            layers.chain((layer) => withInput([layer])),
            { numRuns: 60, seed: 11 },
          ),
        );
        const nets = each.concat(fc.sample(wiredNets, { numRuns: 100, seed: 12 }));
        const parts = nets.map(({ layers }) => encodeLayers(layers, 0));
        const said = await lines(
          lua,
          nets.map(({ input }, i) => layersCall(index, parts[i], input)),
        );
        for (const [i, { input }] of nets.entries()) {
          const model = loadModel(new Uint8Array([2, 0, 0, 0]), parts[i], parts[i]);
          expect(said[i]).toBe(tier.run(model.backbone, Int8Array.from(input)).join());
        }
      }, 60_000);

      it(`features() equals the reference in Python in tier ${name} when given its vectors`, async () => {
        const cases = featureCases();
        const calls = cases.map((c) => `features(${index},2,${luaBytes(featureWindow(c))},${c.n})`);
        expect(await lines(lua, calls)).toEqual(cases.map((c) => c.features.join()));
      }, 60_000);

      it(`infer() equals Node in tier ${name} when given whole models`, async () => {
        const calls: string[] = [];
        const expected: string[] = [];
        for (let seed = 1; seed <= 12; seed++) {
          const { parts } = tinyModel(seed, seed % 3);
          const window = walk(seed);
          const r = infer(loadModel(parts[0], parts[1], parts[2]), window, 50 - seed, tier);
          expected.push([r.cls, r.score, r.embedding, r.logits].join(';'));
          const given = [...parts, window].map(luaBytes);
          calls.push(`infer(${index},${given},${50 - seed})`);
        }
        expect(await lines(lua, calls)).toEqual(expected);
      }, 60_000);
    }
  });
}
