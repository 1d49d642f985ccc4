import { describe, expect, it } from 'vitest';
import { multiply, tierOf } from '../../../device/core/kernel.ts';
import { goldenLogits, goldenWindow, infer, loadModel } from '../../../device/core/model.ts';
import { pushSample, startWindows } from '../../../device/core/window.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { encodePre } from '../../../gateway/train/pre.ts';
import type { QuantLayer, Sliding } from '../../../gateway/train/quant-layer.ts';
import { coreScript } from '../../support/core-script.ts';
import { featureCases, featureWindow } from '../../support/feature-cases.ts';
import { goldenNets } from '../../support/golden-nets.ts';
import { dot, OPERATORS } from '../../support/kernel-cases.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../../support/run-espruino.ts';

const TIERS = {
  reference: 'function(a,b){var s=0;for(var i=0;i<a.length;i++)s+=a[i]*b[i];return s}',
  convolve: 'E.convolve',
};

const node = tierOf(dot, multiply);

/* A part lies somewhere inside a bigger buffer, as it does in flash. */
const BYTES = `function bytes(text: string, gap: number): Uint8Array {
  const all = atob(text);
  const b = new Uint8Array(all.length + gap);
  for (let i = 0; i < all.length; i++) b[gap + i] = all.charCodeAt(i);
  return new Uint8Array(b.buffer, gap, all.length);
}`;

const base64 = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString('base64'));

interface Net {
  backbone: QuantLayer[];
  head: QuantLayer[];
}

/** Layers of one size of input with random numbers. */
function maker(random: () => number) {
  const zero = (): number => Math.floor(random() * 256) - 128;
  const quantisation = (scale = 1) => ({ scale, zero: zero() });
  const weighted = (rows: number, columns: number, units: number) => ({
    weights: Int8Array.from({ length: rows * columns }, () => Math.floor(random() * 255) - 127),
    bias: Int32Array.from({ length: rows }, () => Math.floor((random() - 0.5) * 20000)),
    weightScale: Float32Array.from({ length: units }, () => 2 ** -(4 + 8 * random())),
    input: quantisation(),
    output: quantisation(),
    activation: random() < 0.5 ? ('relu' as const) : ('none' as const),
  });
  const dense = (inputs: number, outputs: number): QuantLayer => ({
    ...{ type: 'dense', inputs, outputs },
    ...weighted(outputs, inputs, 1),
  });
  const conv = (s: Sliding, filters: number): QuantLayer => ({
    ...{ type: 'conv2d', ...s, filters },
    ...weighted(filters, s.kernelHeight * s.kernelWidth * s.channels, filters),
  });
  return { quantisation, weighted, dense, conv };
}

function slide(
  [height, width, channels]: [number, number, number],
  [kernelHeight, kernelWidth]: [number, number],
  stride: number,
  padding: 'same' | 'valid',
): Sliding {
  const strides = { strideHeight: height === 1 ? 1 : stride, strideWidth: stride };
  return { height, width, channels, kernelHeight, kernelWidth, ...strides, padding };
}

function denseNet(random: () => number): Net {
  const { dense } = maker(random);
  return { backbone: [dense(33, 20)], head: [dense(20, 6)] };
}

function convNet(random: () => number): Net {
  const { conv, dense, quantisation } = maker(random);
  const pool = { input: quantisation(), activation: 'none' } as const;
  return {
    backbone: [
      conv(slide([1, 11, 3], [1, 3], 1, 'same'), 4),
      { type: 'maxpool2d', ...slide([1, 11, 4], [1, 2], 2, 'valid'), ...pool },
      conv(slide([1, 5, 4], [1, 2], 1, 'valid'), 5),
      { type: 'avgpool2d', ...slide([1, 4, 5], [1, 2], 2, 'valid'), ...pool },
    ],
    head: [dense(10, 4)],
  };
}

/** A residual net of two dimensions, as imported ones are: layers of every other type. */
function planeNet(random: () => number): Net {
  const { conv, dense, quantisation, weighted } = maker(random);
  const pool = { input: quantisation(), activation: 'relu6' } as const;
  return {
    backbone: [
      conv(slide([11, 3, 1], [3, 2], 2, 'same'), 4),
      {
        ...{ type: 'depthwise2d', ...slide([6, 2, 4], [3, 3], 1, 'same'), depthMultiplier: 1 },
        ...weighted(4, 9, 4),
      },
      {
        ...{ type: 'add', size: 48, from: 0, from2: 1, activation: 'relu' },
        ...{
          input: quantisation(),
          input2: quantisation(Math.fround(0.7)),
          output: quantisation(2),
        },
      },
      { type: 'maxpool2d', ...slide([6, 2, 4], [3, 2], 2, 'same'), ...pool },
      { type: 'avgpool2d', ...slide([3, 1, 4], [2, 1], 1, 'same'), ...pool },
      {
        ...{ type: 'mean', height: 3, width: 1, channels: 4 },
        ...{ input: quantisation(), output: quantisation(0.5) },
      },
      { type: 'quantise', size: 4, input: quantisation(), output: quantisation(0.75) },
    ],
    head: [
      dense(4, 5),
      {
        ...{ type: 'logistic', size: 5, input: quantisation(0.0625) },
        output: { scale: 1 / 256, zero: -128 },
      },
      { type: 'softmax', size: 5, input: quantisation(0.125), beta: 1, from: 0 },
    ],
  };
}

const NETS = [denseNet, convNet, planeNet];

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 75 + 74) % 65537;
    return state / 65537;
  };
}

for (const [tier, source] of Object.entries(TIERS)) {
  describe.skipIf(espruinoPath() === undefined)(`Espruino, tier ${tier}${skippedEspruino}`, () => {
    it('infer() equals Node when the model is dense, of one dimension or of two', async () => {
      const expected: string[] = [];
      const calls: string[] = [];
      for (let seed = 1; seed <= 9; seed++) {
        const random = generator(seed * 1000);
        const net = NETS[seed % 3](random);
        const pre = encodePre({
          ...{ set: 0, zero: seed },
          offset: Int32Array.from([-3, 0, 17]),
          multiplier: Uint16Array.from([40000, 32768, 50001]),
          shift: Uint8Array.from([15, 15, 16]),
        });
        const backbone = encodeLayers(net.backbone, 0);
        const head = encodeLayers(net.head, 0.11);
        const model = loadModel(pre, backbone, head);
        for (const golden of [seed, seed + 77]) {
          const window = new Int8Array(33);
          goldenWindow(golden, window);
          const r = infer(model, window, 11, node);
          expected.push([r.cls, r.score, ...r.embedding, ...r.logits].join());
          calls.push(`[${base64(pre)},${base64(backbone)},${base64(head)},${golden}]`);
        }
      }
      const program = `import { goldenWindow, infer, loadModel } from './model.ts';
        import { multiply, tierOf } from './kernel.ts';
        ${BYTES}
        const tier = tierOf(${source}, multiply);
        [${calls}].forEach((c) => {
          const window = new Int8Array(33);
          goldenWindow(c[3], window);
          const m = loadModel(bytes(c[0], 4), bytes(c[1], 8), bytes(c[2], 12));
          const r = infer(m, window, 11, tier);
          print([r.cls, r.score, r.embedding.join(), r.logits.join()].join());
        });`;
      const printed = await runEspruino(await coreScript(program));
      expect(printed.trim().split('\n')).toEqual(expected);
    });

    it('features() equals the reference in Python when given its vectors', async () => {
      const cases = featureCases();
      const rows = cases.map((c) => {
        const window = featureWindow(c);
        return `[${base64(new Uint8Array(window.buffer))},${c.n}]`;
      });
      const program = `import { features } from './features.ts';
        ${BYTES}
        [${rows}].forEach((c) => {
          const b = bytes(c[0], 0);
          print(features(2, new Int8Array(b.buffer, 0, 150), c[1], 50, 3, ${source}).join());
        });`;
      const printed = await runEspruino(await coreScript(program));
      expect(printed.trim().split('\n')).toEqual(cases.map((c) => c.features.join()));
    });

    it("selfTest() accepts Node's golden logits, and only them, when given features", async () => {
      const random = generator(4242);
      const pre = encodePre({
        ...{ set: 2, zero: 0 },
        offset: Int32Array.from({ length: 50 }, () => Math.floor((random() - 0.5) * 400)),
        multiplier: Uint16Array.from({ length: 50 }, () => 32768 + Math.floor(random() * 32768)),
        shift: Uint8Array.from({ length: 50 }, () => 16 + Math.floor(random() * 5)),
      });
      const head = encodeLayers([maker(random).dense(50, 6)], 0.11);
      const backbone = encodeLayers([], 0);
      const logits = goldenLogits(loadModel(pre, backbone, head), 99, 4, 150, node);
      const program = `import { loadModel, selfTest } from './model.ts';
        import { multiply, tierOf } from './kernel.ts';
        ${BYTES}
        const tier = tierOf(${source}, multiply);
        const m = loadModel(${[pre, backbone, head].map((b) => `bytes(${base64(b)}, 4)`)});
        const logits = new Uint8Array([${logits}]);
        const right = selfTest(m, 99, 4, 150, logits, tier);
        logits[23] = (logits[23] + 1) % 256;
        print(right, selfTest(m, 99, 4, 150, logits, tier));`;
      expect((await runEspruino(await coreScript(program))).trim()).toBe('true false');
    });

    for (const operator of OPERATORS) {
      it(`runLayers() equals TensorFlow Lite Micro when given its ${operator} vectors`, async () => {
        const nets = goldenNets(operator).filter((net, i, all) => {
          // of every case its first input and its last
          return all[i - 1]?.name !== net.name || all[i + 1]?.name !== net.name;
        });
        expect(nets.length).toBeGreaterThan(20);
        const rows = nets.map(({ layers, input }) => {
          const bytes = new Uint8Array(input.buffer, input.byteOffset, input.length);
          return `[${base64(encodeLayers(layers, 0))},${base64(bytes)}]`;
        });
        const program = `import { multiply, tierOf } from './kernel.ts';
          import { loadLayers } from './model.ts';
          ${BYTES}
          const tier = tierOf(${source}, multiply);
          [${rows.join(',\n')}].forEach((c) => {
            const b = bytes(c[1], 0);
            print(tier.run(loadLayers(bytes(c[0], 4)), new Int8Array(b.buffer, 0, b.length)).join());
          });`;
        const printed = await runEspruino(await coreScript(program));
        const lines = printed.trim().split('\n');
        expect(lines.length).toBe(nets.length);
        nets.forEach(({ name, output }, i) => {
          expect(lines[i], name).toBe(output.join());
        });
      }, 60_000);
    }

    it('pushSample() cuts the windows that Node cuts, in both modes', async () => {
      const shared = { axes: 2, samples: 9, stride: 4, threshold: 14, quiet: 3, preRoll: 2 };
      const options = [
        { ...shared, mode: 'gesture', least: 3 },
        { ...shared, mode: 'sliding', least: 1 },
      ];
      const source = `${JSON.stringify(options)}.forEach((o) => {
          const state = startWindows(o);
          const walk = new Int8Array(400);
          goldenWindow(4, walk);
          for (let i = 0; i < 400; i += 2) {
            const bent = (i / 20) % 3 < 1.2 ? 0 : 2;
            const w = pushSample(state, [walk[i] * bent, walk[i + 1] * bent]);
            if (w !== undefined) print([i, w.n, w.values.join()].join());
          }
        });`;
      const printed: string[] = [];
      const node = new Function('startWindows', 'pushSample', 'goldenWindow', 'print', source);
      node(startWindows, pushSample, goldenWindow, (line: string) => printed.push(line));
      const program = `import { goldenWindow } from './model.ts';
        import { pushSample, startWindows } from './window.ts';
        ${source}`;
      const there = await runEspruino(await coreScript(program));
      expect(printed.length).toBeGreaterThan(40);
      expect(there.trim().split('\n')).toEqual(printed);
    });
  });
}
