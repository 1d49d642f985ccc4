import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImportView } from '../../../gateway/calls.ts';
import { exportVersion } from '../../../gateway/model-files.ts';
import type { Task } from '../../../gateway/task.ts';
import { createPredictor, type QuantModel } from '../../../gateway/train/model.ts';
import { writeTflite } from '../../../gateway/train/tflite/write-tflite.ts';
import { modelGateway, registerModel } from '../../support/model-gateway.ts';
import { rawTask } from '../../support/tasks.ts';
import { trainedModels } from '../../support/trained-models.ts';
import { whetstone } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'whetstone-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const models = await trainedModels();
const { model, task } = models[4]!;
const taskFile = join(folder, 'trained.json');
writeFileSync(taskFile, JSON.stringify(task));

/** Imports bytes into a gateway. */
async function importBytes(url: string, bytes: Uint8Array, ...args: string[]) {
  const file = join(folder, 'model.tflite');
  writeFileSync(file, bytes);
  return whetstone('import', file, '--task', taskFile, '--url', url, ...args);
}

async function view(url: string, bytes: Uint8Array, ...args: string[]): Promise<ImportView> {
  const done = await importBytes(url, bytes, '--json', ...args);
  expect(done.err).toBe('');
  return JSON.parse(done.out);
}

/** The model's file as its version exports it. */
async function exportOf(
  of: QuantModel,
  task: Task,
): Promise<{ version: string; file: Uint8Array }> {
  const gateway = await modelGateway(task);
  const version = registerModel(gateway, of);
  return { version, file: exportVersion(gateway.registry, version, 'tflite', task) };
}

describe('whetstone import', () => {
  it.each(models)('gives the version back that was exported: $name', async ({ model, task }) => {
    const { version, file } = await exportOf(model, task);
    writeFileSync(taskFile, JSON.stringify(task));
    const gateway = await modelGateway(task);
    const { version: back, report } = await view(gateway.api.url, file);
    expect([back, report.exported, report.notes]).toEqual([version, true, []]);
    expect(gateway.registry.verify(version)).toEqual({ ok: true });
  });

  it('registers a candidate that can be promoted, its report in the place of the gate', async () => {
    writeFileSync(taskFile, JSON.stringify(task));
    const gateway = await modelGateway(task);
    const { version, report } = await view(gateway.api.url, writeTflite(model.layers));
    const { stage, manifest, report: stored } = gateway.registry.get(version!);
    expect([stage, manifest.lineage.rung, manifest.scope.kind]).toEqual([
      'candidate',
      'import',
      'fleet',
    ]);
    expect(stored).toEqual({ imported: report });
    expect(report.layers.map(({ operator, macs, weights }) => [operator, macs, weights])).toEqual([
      ['CONV_2D', 25 * 5 * 3 * 8, 120],
      ['MAX_POOL_2D', 12 * 8 * 2, 0],
      ['FULLY_CONNECTED', 96 * 6, 96 * 6],
    ]);
    expect(report.boards.find(({ board }) => board === 'espruino-linux')?.fits).toBe(true);
    const predict = createPredictor(gateway.registry.parts(version!));
    expect(predict(new Int8Array(150), 50).logits).toHaveLength(6);
    const shown = await whetstone('models', version!, '--url', gateway.api.url);
    expect(shown.out).toContain('rung    import');
    const promoted = await whetstone('promote', version!, '--url', gateway.api.url);
    expect(promoted.status).toBe(0);
  });

  it('makes another version of an export that was changed, with its normalisation', async () => {
    const { version, file } = await exportOf(model, task);
    const head = model.layers.at(-1)!;
    if (!('weights' in head)) throw new TypeError('a head without weights');
    const changed = Buffer.from(file);
    const at = changed.indexOf(Buffer.from(head.weights));
    changed[at] = (changed[at]! + 1) % 256;
    const gateway = await modelGateway(task);
    const { version: other, report } = await view(gateway.api.url, changed);
    expect(other).not.toBe(version);
    expect(report.exported).toBe(false);
    const { pre } = gateway.registry.get(other!).manifest.parts;
    const registered = await modelGateway(task);
    const before = registered.registry.get(registerModel(registered, model)).manifest.parts.pre;
    expect(pre).toEqual(before);
  });

  it('only looks when asked to', async () => {
    const gateway = await modelGateway(task);
    const done = await importBytes(gateway.api.url, writeTflite(model.layers), '--dry-run');
    expect(done.status).toBe(0);
    expect(done.out).toMatch(/CONV_2D +1 × 50 × 3 +1 × 25 × 8 +relu +3000 +120/);
    expect(done.out).toContain('not registered: --dry-run');
    expect(gateway.registry.list()).toEqual([]);
  });

  it('fails in one line, naming what is wrong and what to do', async () => {
    const gateway = await modelGateway(task);
    const { url } = gateway.api;
    const line = async (bytes: Uint8Array) => (await importBytes(url, bytes)).err;
    expect(await line(Buffer.from('nonsense'))).toMatch(
      /^whetstone: this is no \.tflite file \(.*\n$/,
    );
    expect(await line(writeTflite(model.layers).slice(0, 900))).toMatch(/damaged: .*again\)\n$/);
    const features = models[1]!.model.layers;
    expect(await line(writeTflite(features))).toMatch(/reads \[1,50\].*50 samples of 3 axes/);
    const missing = await whetstone(
      'import',
      join(folder, 'none'),
      '--task',
      taskFile,
      '--url',
      url,
    );
    expect(missing).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^whetstone: cannot read model .*none: there is no such file\n$/),
    });
  });

  it('is refused by a gateway of another task', async () => {
    const gateway = await modelGateway(rawTask());
    const done = await importBytes(gateway.api.url, writeTflite(model.layers));
    expect(done.err).toMatch(/for task 'raw' \(.*whetstone start --task trained\)/);
  });

  it('takes a file of hundreds of kilobytes', async () => {
    const gateway = await modelGateway(task);
    const large = writeTflite(model.layers, { padding: new Uint8Array(600_000) });
    const { version } = await view(gateway.api.url, large);
    expect(version).not.toBe(null);
  });
});
