import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { plainSuite } from '../../../device/core/frame.ts';
import { partOf, readSlot, type SlotConfig } from '../../../device/core/slot.ts';
import { readTflite } from '../../../gateway/train/tflite/read-tflite.ts';
import { layerRunner } from '../../../gateway/train/tflite/run-tflite.ts';
import { modelGateway, registerModel } from '../../support/model-gateway.ts';
import { trainedModels } from '../../support/trained-models.ts';
import { whetstone } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'whetstone-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [, , , , convolutional] = await trainedModels();
const { model, task } = convolutional!;

/** A gateway that has the model, and its export in a format. */
async function exported(format: string) {
  const gateway = await modelGateway(task);
  const version = registerModel(gateway, model);
  const out = join(folder, `model.${format}`);
  const args = ['export', version.slice(0, 8), '--format', format, '--out', out];
  const done = await whetstone(...args, '--url', gateway.api.url, '--json');
  expect([done.status, done.err]).toEqual([0, '']);
  const file = readFileSync(out);
  expect(JSON.parse(done.out)).toEqual({ version, format, out, bytes: file.length });
  return { gateway, version, file };
}

describe('whetstone export', () => {
  it('writes a .tflite file of the very layers', async () => {
    const { file } = await exported('tflite');
    const { layers, metadata } = readTflite(file);
    const input = new Int8Array(150).fill(9);
    expect(layerRunner(layers)(input)).toEqual(layerRunner(model.layers)(input));
    expect(Object.keys(metadata)).toContain('whetstone.manifest');
  });

  it('writes the slot that a device reads', async () => {
    const { gateway, version, file } = await exported('image');
    const page = 4096;
    const flash = new Uint8Array(4 * page).fill(0xff);
    flash.set(file, 2 * page); // slot A, behind two pages of log
    const config: SlotConfig = {
      ...{ page, slotPages: 1, crc32, ...plainSuite(crc32) },
      read: (at, n) => flash.slice(at, at + n),
    };
    const head = readSlot(config, 0);
    expect(Buffer.from(head.f[1]).toString('hex')).toBe(version.slice(0, 16));
    const { pre, backbone, head: last } = gateway.registry.parts(version);
    [pre, backbone, last].forEach((bytes, part) => {
      expect(Buffer.compare(partOf(config, 0, head, part), bytes)).toBe(0);
    });
  });

  it('writes ONNX', async () => {
    const { file } = await exported('onnx');
    expect(file.includes('QuantizeLinear')).toBe(true);
  });

  it('says what is missing', async () => {
    const { api } = await modelGateway(task);
    const ask = (...args: string[]) => whetstone('export', ...args, '--url', api.url);
    const out = ['--out', join(folder, 'x')];
    expect(await ask('abcdef', '--format', 'tflite', ...out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/no model, or more than one, begins with 'abcdef'/),
    });
    expect(await ask('abcdef', '--format', 'zip', ...out)).toMatchObject({
      status: 2,
      err: expect.stringMatching(/tflite, onnx, image/),
    });
    expect(await ask('abcdef', '--format', 'onnx')).toMatchObject({
      status: 2,
      err: expect.stringMatching(/--out/),
    });
  });

  it('fails in one line when the file cannot be written', async () => {
    const gateway = await modelGateway(task);
    const version = registerModel(gateway, model);
    const out = join(folder, 'no-such-folder', 'x');
    const args = ['export', version, '--format', 'onnx', '--out', out, '--url', gateway.api.url];
    expect(await whetstone(...args)).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /^whetstone: cannot write .*its folder is not there \(.*--out\)\n$/,
      ),
    });
  });
});
