import { describe, expect, it } from 'vitest';
import { goldenLogits, goldenWindow, infer, loadModel } from '../../../device/core/model.ts';
import { pushSample, startWindows } from '../../../device/core/window.ts';
import {
  type DeviceLayer,
  encodeLayers,
  encodePre,
  quantiseMultiplier,
} from '../../../gateway/train/quant-layer.ts';
import { coreScript } from '../../support/core-script.ts';
import { featureCases, featureWindow } from '../../support/feature-cases.ts';
import { dot, kernelCases } from '../../support/kernel-cases.ts';
import { espruinoPath, runEspruino, skippedEspruino } from '../../support/run-espruino.ts';

const TIERS = {
  reference: 'function(a,b){var s=0;for(var i=0;i<a.length;i++)s+=a[i]*b[i];return s}',
  convolve: 'E.convolve',
};

/* A part lies somewhere inside a bigger buffer, as it does in flash. */
const BYTES = `function bytes(text: string, gap: number): Uint8Array {
  const all = atob(text);
  const b = new Uint8Array(all.length + gap);
  for (let i = 0; i < all.length; i++) b[gap + i] = all.charCodeAt(i);
  return new Uint8Array(b.buffer, gap, all.length);
}`;

const base64 = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString('base64'));

function weighted(random: () => number, rows: number, columns: number, units: number) {
  const parts = Array.from({ length: units }, () => quantiseMultiplier(2 ** -(4 + 8 * random())));
  return {
    weights: Int8Array.from({ length: rows * columns }, () => Math.floor(random() * 255) - 127),
    bias: Int32Array.from({ length: rows }, () => Math.floor((random() - 0.5) * 20000)),
    multiplier: Int32Array.from(parts, (p) => p.multiplier),
    shift: Int32Array.from(parts, (p) => p.shift),
    inputZero: Math.floor(random() * 256) - 128,
    outputZero: Math.floor(random() * 256) - 128,
    relu: random() < 0.5,
  };
}

function denseNet(random: () => number): { backbone: DeviceLayer[]; head: DeviceLayer[] } {
  return {
    backbone: [{ type: 'dense', inputs: 33, outputs: 20, ...weighted(random, 20, 33, 1) }],
    head: [{ type: 'dense', inputs: 20, outputs: 6, ...weighted(random, 6, 20, 1) }],
  };
}

function convNet(random: () => number): { backbone: DeviceLayer[]; head: DeviceLayer[] } {
  const first = { length: 11, channels: 3, filters: 4, kernel: 3, stride: 1 };
  const second = { length: 5, channels: 4, filters: 5, kernel: 2, stride: 1 };
  return {
    backbone: [
      { type: 'conv1d', padding: 'same', ...first, ...weighted(random, 4, 9, 4) },
      { type: 'maxpool1d', length: 11, channels: 4, pool: 2, stride: 2 },
      { type: 'conv1d', padding: 'valid', ...second, ...weighted(random, 5, 8, 5) },
      { type: 'avgpool1d', length: 4, channels: 5, pool: 2, stride: 2 },
    ],
    head: [{ type: 'dense', inputs: 10, outputs: 4, ...weighted(random, 4, 10, 1) }],
  };
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 75 + 74) % 65537;
    return state / 65537;
  };
}

for (const [tier, source] of Object.entries(TIERS)) {
  describe.skipIf(espruinoPath() === undefined)(`Espruino, tier ${tier}${skippedEspruino}`, () => {
    it('infer() equals Node when the model is raw dense or convolutional', async () => {
      const expected: string[] = [];
      const calls: string[] = [];
      for (let seed = 1; seed <= 6; seed++) {
        const random = generator(seed * 1000);
        const net = seed % 2 === 0 ? convNet(random) : denseNet(random);
        const pre = encodePre({
          kind: 'raw',
          set: 0,
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
          const r = infer(model, window, 11, dot);
          expected.push([r.cls, r.score, ...r.embedding, ...r.logits].join());
          calls.push(`[${base64(pre)},${base64(backbone)},${base64(head)},${golden}]`);
        }
      }
      const program = `import { goldenWindow, infer, loadModel } from './model.ts';
        ${BYTES}
        [${calls}].forEach((c) => {
          const window = new Int8Array(33);
          goldenWindow(c[3], window);
          const m = loadModel(bytes(c[0], 4), bytes(c[1], 8), bytes(c[2], 12));
          const r = infer(m, window, 11, ${source});
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
        kind: 'features',
        set: 2,
        offset: Int32Array.from({ length: 50 }, () => Math.floor((random() - 0.5) * 400)),
        multiplier: Uint16Array.from({ length: 50 }, () => 32768 + Math.floor(random() * 32768)),
        shift: Uint8Array.from({ length: 50 }, () => 16 + Math.floor(random() * 5)),
      });
      const weights = weighted(random, 6, 50, 1);
      const head = encodeLayers([{ type: 'dense', inputs: 50, outputs: 6, ...weights }], 0.11);
      const backbone = encodeLayers([], 0);
      const logits = goldenLogits(loadModel(pre, backbone, head), 99, 4, 150, dot);
      const program = `import { loadModel, selfTest } from './model.ts';
        ${BYTES}
        const m = loadModel(${[pre, backbone, head].map((b) => `bytes(${base64(b)}, 4)`)});
        const logits = new Uint8Array([${logits}]);
        const right = selfTest(m, 99, 4, 150, logits, ${source});
        logits[23] = (logits[23] + 1) % 256;
        print(right, selfTest(m, 99, 4, 150, logits, ${source}));`;
      expect((await runEspruino(await coreScript(program))).trim()).toBe('true false');
    });

    it('runLayers() equals TensorFlow Lite Micro when given its vectors', async () => {
      const cases = (['dense', 'conv1d', 'pool'] as const).flatMap((type) =>
        kernelCases(type).map((c) => ({ part: encodeLayers([c.layer], 0), ...c })),
      );
      const expected = cases.flatMap((c) => [0, c.input.length - 1].map((i) => c.output[i].join()));
      const rows = cases.map((c) => {
        const inputs = [c.input[0], c.input[c.input.length - 1]];
        return `[${base64(c.part)},${inputs.map((x) => base64(Uint8Array.from(x)))}]`;
      });
      const program = `import { runLayers } from './kernel.ts';
        import { loadLayers } from './model.ts';
        ${BYTES}
        [${rows.join(',\n')}].forEach((c) => {
          const layers = loadLayers(bytes(c[0], 4));
          for (let i = 1; i < 3; i++) {
            const b = bytes(c[i], 0);
            print(runLayers(layers, new Int8Array(b.buffer, b.byteOffset, b.length), ${source}).join());
          }
        });`;
      const printed = await runEspruino(await coreScript(program));
      expect(printed.trim().split('\n')).toEqual(expected);
    });

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
