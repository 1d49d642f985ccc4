import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { plainSuite } from '../../../device/core/frame.ts';
import { partOf, readSlot, type SlotConfig } from '../../../device/core/slot.ts';
import { kindOf } from '../../../device/kind.ts';
import { serveApi } from '../../../gateway/api/server.ts';
import { tinyModel } from '../../../gateway/bench/faults/tiny-model.ts';
import { compose } from '../../../gateway/compose.ts';
import { realClock } from '../../../gateway/link/port.ts';
import { createService } from '../../../gateway/service.ts';
import { loadTask } from '../../../gateway/task.ts';
import { meta } from '../registry/support.ts';
import { whetstone } from './run.ts';

/** A gateway without devices, its API, and a folder; gone after the test. */
async function gatewayWith() {
  const folder = mkdtempSync(join(tmpdir(), 'whetstone-cli-keys-'));
  const gateway = compose({
    ...{ task: loadTask('gesture'), directory: ':memory:', clock: realClock },
    ...{ automatic: false, seed: 1 },
  });
  const service = createService(gateway, { sentence: '', startedAt: 0 });
  const api = await serveApi(service.call, { port: 0 });
  onTestFinished(async () => {
    await api.close();
    service.close();
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = (...args: string[]) => whetstone('keys', ...args, '--url', api.url);
  return { ...gateway, ask, out: join(folder, 'image') };
}

describe('whetstone keys', () => {
  it('writes what the flash of a new device gets, for its owner alone, and shows no key', async () => {
    const { ask, out, store } = await gatewayWith();
    writeFileSync(out, 'before', { mode: 0o644 });
    const added = await ask('add', 'puck-1', '--board', 'puckjs', '--out', out);
    expect([added.status, added.err]).toEqual([0, '']);
    const { up, down } = store.keys.get('puck-1')!.present;
    const image = readFileSync(out);
    expect([image.length, statSync(out).mode & 0o777]).toEqual([2 * 4096, 0o600]);
    const record = plainSuite((bytes) => crc32(bytes)).open(new Uint8Array(image.subarray(0, 64)))!;
    expect([...record.subarray(0, 8)]).toEqual([1, 0, 0, 0, 2, 0, 1, 0]);
    expect(Buffer.compare(record.subarray(8, 24), up)).toBe(0);
    expect(Buffer.compare(record.subarray(24, 40), down)).toBe(0);
    expect(record.subarray(40).every((byte) => byte === 0)).toBe(true);
    expect(image.subarray(64).every((byte) => byte === 0xff)).toBe(true);

    const json = await ask('add', 'puck-2', '--board', 'puckjs', '--out', out, '--json');
    const listed = [await ask(), await ask('list'), await ask('list', '--json')];
    const log = JSON.stringify(store.journal.find());
    const said = [added, json, ...listed].map(({ out: text, err }) => text + err).join() + log;
    for (const id of ['puck-1', 'puck-2']) {
      const { present } = store.keys.get(id)!;
      for (const key of [present.up, present.down].map((bytes) => Buffer.from(bytes))) {
        for (const form of ['hex', 'base64', 'base64url'] as const) {
          expect(said).not.toContain(key.toString(form).slice(0, 12));
        }
      }
    }
    expect(listed[0]!.out).toMatch(/puck-1\s+puckjs\s+ccm\s+1 /);
    expect(JSON.parse(listed[2]!.out).keys[0]).toMatchObject({ device: 'puck-1', generation: 1 });
  });

  it('draws no keys that could not be written down, and replaces none unasked', async () => {
    const { ask, out, store } = await gatewayWith();
    const nowhere = await ask('add', 'puck-1', '--board', 'puckjs', '--out', join(out, 'x'));
    expect(nowhere).toMatchObject({
      status: 1,
      err: expect.stringMatching(/cannot write .*--out/),
    });
    expect(store.keys.get('puck-1')).toBeUndefined();
    await ask('add', 'puck-1', '--board', 'puckjs', '--out', out);
    const image = readFileSync(out);
    const again = await ask('add', 'puck-1', '--board', 'puckjs', '--out', out);
    expect(again).toMatchObject({
      status: 1,
      err: expect.stringMatching(/has keys already.*--replace/),
    });
    expect(readFileSync(out).equals(image)).toBe(true);
    store.keys.begin('puck-1', 300);
    await ask('add', 'puck-1', '--board', 'puckjs', '--out', out, '--replace');
    const other = readFileSync(out);
    expect([...other.subarray(0, 3)]).toEqual([300 % 256, 1, 0]); // above every session that was
    expect(other.subarray(8, 24).equals(image.subarray(8, 24))).toBe(false);
  });

  it('takes the strongest suite of the board, and weaker ones where that is allowed', async () => {
    const { ask, out, store } = await gatewayWith();
    await ask('add', 'pixl', '--board', 'pixljs', '--out', out);
    expect(store.keys.get('pixl')!.suite).toBe('mac');
    expect(await ask('add', 'b', '--board', 'banglejs1', '--out', out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/nothing to secure.*--allow-weak-link/),
    });
    expect(
      await ask('add', 'b', '--board', 'puckjs', '--suite', 'mac', '--out', out),
    ).toMatchObject({
      status: 1,
      err: expect.stringMatching(/cannot do mac/),
    });
    expect(await ask('add', 'b', '--board', 'no-such', '--out', out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/no board named/),
    });
    expect(await ask('add', 'a b', '--board', 'puckjs', '--out', out)).toMatchObject({ status: 1 });
    expect(store.keys.list().length).toBe(1);
  });

  it('puts a model behind the keys, as a device boots with it', async () => {
    const { ask, out, registry, task } = await gatewayWith();
    const { parts } = tinyModel(1);
    const [pre, backbone, head] = parts as [Uint8Array, Uint8Array, Uint8Array];
    const version = registry.register({ pre, backbone, head }, meta(), null);
    const added = await ask(
      ...['add', 'puck-1', '--board', 'puckjs', '--out', out, '--model', version.slice(0, 8)],
    );
    expect([added.status, added.err]).toEqual([0, '']);
    const image = new Uint8Array(readFileSync(out));
    const suite = plainSuite((bytes) => crc32(bytes));
    const flash: SlotConfig = {
      ...{ page: 4096, slotPages: 1, ...suite, crc32: (bytes) => crc32(bytes) },
      read: (at, n) => image.subarray(at, at + n),
    };
    const found = readSlot(flash, 0);
    expect(Buffer.from(found.f[1]).toString('hex')).toBe(version.slice(0, 16));
    expect(found.f[7]).toBe(kindOf('puckjs', task.name));
    for (const [i, part] of parts.entries()) {
      expect(Buffer.compare(partOf(flash, 0, found, i), part)).toBe(0);
    }
    expect(image[3]).toBe(1); // the record of its keys says that this slot is confirmed
    const none = await ask('add', 'b', '--board', 'puckjs', '--out', out, '--model', '0000');
    expect(none).toMatchObject({ status: 1, err: expect.stringMatching(/0000/) });
  });

  it('rotates, but not where new keys would travel in clear', async () => {
    const { ask, out, store } = await gatewayWith();
    await ask('add', 'puck', '--board', 'puckjs', '--out', out);
    await ask('add', 'pixl', '--board', 'pixljs', '--out', out);
    const rotated = await ask('rotate', 'puck');
    expect(rotated.out).toMatch(/waiting until it is here/);
    expect((await ask('list')).out).toMatch(/puck .*generation 2 is on its way/);
    expect(await ask('rotate', 'pixl')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/not encrypted.*in clear/),
    });
    expect(store.keys.get('pixl')!.pending).toBeNull();
    expect(await ask('rotate', 'nobody')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/'nobody' has no keys/),
    });
  });

  it('removes, and remembers that it has', async () => {
    const { ask, out, store } = await gatewayWith();
    await ask('add', 'puck', '--board', 'puckjs', '--out', out);
    expect((await ask('remove', 'puck')).out).toMatch(/refused from now on/);
    expect((await ask('list')).out).toMatch(/puck .*removed: refused/);
    expect([store.keys.get('puck'), store.keys.knows('puck')]).toEqual([undefined, true]);
    expect(await ask('remove', 'puck')).toMatchObject({ status: 1 });
    const kinds = store.journal.find().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.startsWith('key.'))).toEqual(['key.added', 'key.removed']);
  });
});
