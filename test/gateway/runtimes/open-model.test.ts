import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../gateway/runtimes/open-model.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { layerRunner } from '../../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../../gateway/train/tflite/write-tflite.ts';
import { temporary } from '../../support/loop-world.ts';
import { trainedModels } from '../../support/trained-models.ts';

const root = join(import.meta.dirname, '../../..');
const [{ model }] = await trainedModels();
const layers: QuantLayer[] = model.layers;

describe('openModel()', () => {
  it('runs an int8 .tflite file by the kernel of the devices', async () => {
    const runner = await openModel(writeTflite(layers));
    expect(runner.runtime).toBe('whetstone');
    const { scale, zero } = layers[0]!.input;
    const numbers = Int8Array.from({ length: runner.shape.at(-1)! }, (_, i) => (i * 53) % 120);
    const given = await runner.run(Float32Array.from(numbers, (q) => (q - zero) * scale));
    const last = layers.at(-1)! as { output: { scale: number; zero: number } };
    const wanted = layerRunner(layers)(numbers);
    expect([...given]).toEqual(
      Array.from(wanted, (q) => Math.fround(last.output.scale * (q - last.output.zero))),
    );
    runner.close();
  });

  it('asks for no runtime for a file that is no model', async () => {
    for (const text of ['device,session,seq,class', '', '<html>'])
      await expect(openModel(new TextEncoder().encode(text))).rejects.toThrow(
        'the file is no model',
      );
    // what begins as an ONNX model does goes to its runtime, which says what is wrong with it
    await expect(openModel(Uint8Array.of(8, 7, 1))).rejects.toThrow('ONNX Runtime does not run');
  });

  it('names the runtime that is missing and what installs it', () => {
    // the gateway as a user has it: with its dependencies and without those of its tests
    const home = temporary();
    for (const part of ['gateway', 'device']) {
      cpSync(join(root, part), join(home, part), { recursive: true });
    }
    cpSync(join(root, 'package.json'), join(home, 'package.json'));
    mkdirSync(join(home, 'node_modules/@bufbuild'), { recursive: true });
    for (const name of ['flatbuffers', '@bufbuild/protobuf', 'typebox', 'ajv']) {
      symlinkSync(join(root, 'node_modules', name), join(home, 'node_modules', name));
    }
    writeFileSync(
      join(home, 'open.ts'),
      `import { inLiteRt } from './gateway/runtimes/open-model.ts';
       import { openOnnx } from './gateway/runtimes/onnx.ts';
       import { GatewayError } from './gateway/errors.ts';
       import { readFileSync } from 'node:fs';
       const why = new GatewayError('bad-model', 'it is float32');
       const told = (error) => error.code + ': ' + error.line();
       console.log(JSON.stringify([
         await inLiteRt(readFileSync('model.tflite'), why).catch(told),
         await openOnnx(new Uint8Array(4)).catch(told),
       ]));`,
    );
    writeFileSync(join(home, 'model.tflite'), writeTflite(layers));
    const out = execFileSync(process.execPath, ['open.ts'], { cwd: home, encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual([
      'missing-tool: only LiteRT runs this .tflite file: it is float32 (install it beside Whetstone: npm install --no-save @litertjs/core)',
      'missing-tool: an .onnx file needs ONNX Runtime (install it beside Whetstone: npm install --no-save onnxruntime-node (or onnxruntime-web))',
    ]);
  });
});
