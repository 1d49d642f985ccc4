import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KERNEL, KERNEL_DENSE } from '../../../device/native/blobs.ts';
import { denseNet } from '../../../gateway/bench/nets.ts';
import { runThumb, thumbMissing } from '../../../gateway/bench/thumb-emulator.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { goldenNets } from '../../support/golden-nets.ts';
import { type RawLayer, rawBytes, rawLayers, rawOutput } from './raw-layers.ts';

const missing = thumbMissing();
const skipped = missing === undefined ? '' : ` (skipped: ${missing})`;
const kernels = {
  kernel: new Uint8Array(Buffer.from(KERNEL, 'base64')),
  'kernel-dense': new Uint8Array(Buffer.from(KERNEL_DENSE, 'base64')),
};

/** What kernel-dense leaves to another tier. */
const refused = (layer: RawLayer): boolean =>
  layer.type !== 1 || layer.perChannel || layer.shift[0]! >= 0;

/** Whether a layer as it lies in a part is one that kernel-dense runs. */
function denseRuns(layer: Uint8Array): boolean {
  const view = new DataView(layer.buffer, layer.byteOffset);
  const [inputs, outputs] = [view.getUint16(4, true), view.getUint16(6, true)];
  const shiftAt = Math.ceil((20 + inputs * outputs) / 4) * 4 + 4 * outputs + 4;
  return view.getUint8(0) === 1 && view.getUint8(16) === 0 && view.getInt8(shiftAt) < 0;
}

describe.skipIf(missing !== undefined)(`ws_layer() on an emulated Cortex-M4${skipped}`, () => {
  for (const [name, code] of Object.entries(kernels)) {
    it(`ws_layer() of ${name} equals TensorFlow Lite Micro when given the golden vectors`, async () => {
      const nets = [...goldenNets('dense'), ...goldenNets('conv2d')];
      const calls = nets.map(({ layers, input }) => ({
        layer: encodeLayers(layers, 0).subarray(4),
        input,
      }));
      const runs = calls.map(({ layer }) => name === 'kernel' || denseRuns(layer));
      expect(runs.filter(Boolean).length).toBeGreaterThan(20);
      const results = await runThumb(code, calls);
      results.forEach(({ returned, output, stray }, i) => {
        const { name, output: wanted } = nets[i]!;
        expect([name, returned, stray]).toEqual([name, runs[i] ? 0 : -1, 0]);
        if (runs[i]) expect(output, name).toEqual(wanted);
      });
    });

    it(`ws_layer() of ${name} equals whole integers when given any shape, shift, bias and bounds`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(rawLayers, { minLength: 150, maxLength: 300 }),
          async (layers) => {
            const calls = layers.map((layer) => ({
              layer: rawBytes(layer),
              input: Int8Array.from(layer.input),
            }));
            const results = await runThumb(code, calls);
            results.forEach(({ returned, output, stray }, i) => {
              const layer = layers[i]!;
              const runs = name === 'kernel' || !refused(layer);
              expect([returned, stray]).toEqual([runs ? 0 : -1, 0]);
              if (runs) expect(Array.from(output)).toEqual(rawOutput(layer));
            });
          },
        ),
        { numRuns: 8, endOnFailure: true },
      );
    });

    it(`ws_layer() of ${name} returns -1 and writes nothing when it has no such type`, async () => {
      const layer = encodeLayers(denseNet([8, 4]).layers, 0).slice(4);
      const types = [0, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 255];
      const calls = types.map((type) => ({
        layer: Uint8Array.from(layer, (byte, i) => (i === 0 ? type : byte)),
        input: new Int8Array(8),
      }));
      for (const { returned, stray } of await runThumb(code, calls)) {
        expect([returned, stray]).toEqual([-1, 0]);
      }
    });

    for (const sizes of [
      [32, 32],
      [33, 20],
      [64, 6],
      [128, 64],
    ]) {
      it(`ws_layer() of ${name} takes at most 2.0 instructions a product when ${sizes.join('→')}`, async () => {
        const { layers, macs, inputs } = denseNet(sizes);
        const call = {
          layer: encodeLayers(layers, 0).subarray(4),
          input: Int8Array.from({ length: inputs }, (_, i) => 37 * i),
        };
        const [first, second] = await runThumb(code, [call, call], { count: true });
        const perProduct = first!.instructions / macs;
        console.log(`${name} ${sizes.join('→')}: ${perProduct.toFixed(3)} instructions a product`);
        expect(perProduct).toBeLessThanOrEqual(2.0);
        expect(perProduct).toBeGreaterThan(1.25); // LDR, SXTB16 and SMLAD alone
        expect(second!.instructions).toBe(first!.instructions);
      });
    }
  }

  it('runThumb() counts every instruction from the entry to the return', async () => {
    // movs r0, #5; subs r0, #1; bne to the subs; bx lr: 1 + 5 + 5 + 1
    const code = Uint8Array.of(0x05, 0x20, 0x01, 0x38, 0xfd, 0xd1, 0x70, 0x47);
    const call = { layer: rawBytes(rawExample), input: new Int8Array(1) };
    const results = await runThumb(code, [call, call], { count: true });
    expect(results.map(({ instructions }) => instructions)).toEqual([12, 12]);
  });

  it('runThumb() counts stray bytes when code writes outside its output', async () => {
    // movs r3, #1; strb r3, [r1]; movs r0, #0; bx lr: into the input, which holds 0
    const code = Uint8Array.of(0x01, 0x23, 0x0b, 0x70, 0x00, 0x20, 0x70, 0x47);
    const call = { layer: rawBytes(rawExample), input: new Int8Array(1) };
    expect((await runThumb(code, [call]))[0]!.stray).toBe(1);
  });

  it('runThumb() throws when the code faults', async () => {
    const call = { layer: rawBytes(rawExample), input: new Int8Array(1) };
    await expect(runThumb(Uint8Array.of(0x00, 0xde), [call])).rejects.toThrow(
      'machine code failed',
    );
  });
});

const rawExample: RawLayer = {
  ...{ type: 1, low: -128, high: 127, zpIn: 0, zpOut: 0, channelsIn: 1, channelsOut: 1 },
  across: { size: 1, kernel: 1, stride: 1, before: 0, out: 1 },
  down: { size: 1, kernel: 1, stride: 1, before: 0, out: 1 },
  ...{ perChannel: false, weights: [1], bias: [0], multiplier: [2 ** 30], shift: [-1], input: [0] },
};
