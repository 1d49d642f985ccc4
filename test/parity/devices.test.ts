import { describe, expect, it } from 'vitest';
import { loadLayers } from '../../device/core/model.ts';
import * as everything from '../../device/core/options.ts';
import { KERNEL } from '../../device/native/blobs.ts';
import { runThumb, type ThumbCall, thumbMissing } from '../../gateway/bench/thumb-emulator.ts';
import { tier } from '../../gateway/train/gateway-tier.ts';
import { encodeLayers } from '../../gateway/train/layer-codec.ts';
import { allInputs, deviceNets, partsOf, runOnEspruino, VECTORS } from '../support/device-nets.ts';
import { hasLua, LUAS, luaBytes, luaProgram, runLua, skippedLua, UNHEX } from '../support/lua.ts';
import { espruinoPath, skippedEspruino } from '../support/run-espruino.ts';

/** As many multiplications as a device's net may have here. */
const MACS = 10_000;

const nets = deviceNets();
/** What machine code runs. */
const isWeighted = ({ type }: { type: string }): boolean => type === 'dense' || type === 'conv2d';

describe('deviceNets()', () => {
  it('deviceNets() gives all the trained models, of at most 10,000 multiplications, and 20 vectors each', () => {
    expect(nets.length).toBe(11);
    for (const { name, macs, inputs, outputs } of nets) {
      expect(macs, name).toBeLessThanOrEqual(MACS);
      expect([inputs.length, outputs.length]).toEqual([VECTORS, VECTORS]);
      expect(new Set(outputs).size, name).toBeGreaterThan(VECTORS / 2);
    }
  });
});

describe.skipIf(espruinoPath() === undefined)(`Espruino, built${skippedEspruino}`, () => {
  for (const name of ['reference', 'convolve', 'tflm']) {
    for (const net of nets) {
      it(`tier ${name} equals ${net.origin} when given 20 inputs of ${net.name}`, async () => {
        const run = await runOnEspruino(net, name);
        expect(run.tier).toBe(name);
        expect(run.outputs).toEqual(net.outputs);
        const whole = net.parts.filter((layers) => layers.length > 0).length;
        expect(run.nativeParts).toBe(name === 'tflm' ? whole : 0);
        expect(run.nativeLayers).toBe(0);
      }, 180_000);
    }
  }
});

const arm = process.env.WHETSTONE_ESPRUINO_ARM?.split(' ');
const skippedArm = arm === undefined ? ' (skipped: WHETSTONE_ESPRUINO_ARM is not set)' : '';

describe.skipIf(arm === undefined)(`Arm Espruino, built${skippedArm}`, () => {
  // what `build` leaves out for such nets on a board with `thumb`
  const options = { ...everything, TFLM: false, PLANE: false, POINT: false };
  for (const net of nets) {
    it(`tier thumb equals ${net.origin}, in machine code, when given 20 inputs of ${net.name}`, async () => {
      const run = await runOnEspruino(net, 'thumb', options, arm);
      expect(run.tier).toBe('thumb');
      expect(run.outputs).toEqual(net.outputs);
      expect(run.nativeLayers).toBe(net.layers.filter(isWeighted).length);
    }, 180_000);
  }
});

const missing = thumbMissing();

describe.skipIf(missing !== undefined)(
  `ws_layer() on an emulated Cortex-M4${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('ws_layer() equals the gateway in every dense layer and convolution of whole nets', async () => {
      const code = new Uint8Array(Buffer.from(KERNEL, 'base64'));
      const calls: (ThumbCall & { name: string; wanted: Int8Array })[] = [];
      for (const { name, layers, inputs, outputs } of nets) {
        const parts = layers.map((layer) => encodeLayers([layer], 0));
        const loaded = parts.map(loadLayers);
        inputs.forEach((first, k) => {
          let input = first;
          layers.forEach((layer, i) => {
            const wanted = tier.run(loaded[i]!, input);
            const at = `${name}, layer ${i}, input ${k}`;
            const bytes = parts[i]!.subarray(4);
            if (isWeighted(layer)) calls.push({ name: at, layer: bytes, input, wanted });
            input = wanted;
          });
          expect(input.join(), name).toBe(outputs[k]);
        });
      }
      expect(calls.length).toBe(25 * VECTORS);
      (await runThumb(code, calls)).forEach(({ returned, stray, output }, i) => {
        const { name, wanted } = calls[i]!;
        expect([name, returned, stray]).toEqual([name, 0, 0]);
        expect(output, name).toEqual(wanted);
      });
    });
  },
);

const LUA = luaProgram(`
  import { loadLayers } from '../core/model.ts';
  import { luaTier } from './tier.ts';
  T = (backbone: ArrayBuffer, head: ArrayBuffer, inputs: ArrayBuffer, size: number) => {
    const first = loadLayers(new Uint8Array(backbone));
    const last = loadLayers(new Uint8Array(head));
    for (let at = 0; at < ${VECTORS} * size; at += size) {
      const values = new Int8Array(inputs, at, size);
      print(\`\${luaTier.run(last, luaTier.run(first, values))}\`);
    }
  };
`).code;

for (const lua of LUAS) {
  describe.skipIf(!hasLua(lua))(`${lua}, built${skippedLua(lua)}`, () => {
    for (const net of nets) {
      it(`tier lua equals ${net.origin} when given 20 inputs of ${net.name}`, async () => {
        const given = [...partsOf(net), allInputs(net)].map(luaBytes);
        const call = `T(nil,${given},${net.inputs[0]!.length})`;
        const said = await runLua(lua, `do ${LUA} end\n${UNHEX}${call}`);
        expect(said.trim().split('\n')).toEqual(net.outputs);
      });
    }
  });
}
