import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  shortId,
  versionOf,
} from '../../../gateway/registry/manifest.ts';
import { openRegistry } from '../../../gateway/registry/registry.ts';
import { memorySigner, openSigner, verifyWith } from '../../../gateway/registry/signing.ts';
import { type Stage, stageChanges } from '../../../gateway/registry/stages.ts';
import { sha256 } from '../../../gateway/store/catalogue.ts';
import { temporary, testStore } from '../store/support.ts';
import { meta, parts } from './support.ts';

const because = { who: 'test', why: 'to see' };

function setUp() {
  const store = testStore();
  const signer = memorySigner();
  const registry = openRegistry(store, signer, () => 5000);
  const crown = (head: number, changes: Parameters<typeof meta>[0] = {}) => {
    const version = registry.register(parts(head), meta(changes), null);
    registry.setStage(version, 'trial', because);
    registry.setStage(version, 'champion', because);
    return version;
  };
  const device = (id: string, cohort: string | null = null) => {
    store.devices.hello({
      ...{ id, board: 'b', task: 'gesture', tier: 't', session: 1, release: 1, version: null },
      ...{ state: 1, at: 1 },
    });
    if (cohort !== null) store.devices.setCohort(id, cohort);
  };
  return { store, signer, registry, crown, device };
}

const part = { sha256: 'c'.repeat(64), length: 4, crc32: 4294967295 };
const manifest: Manifest = { ...meta(), parts: { pre: part, backbone: part, head: part } };

describe('manifest', () => {
  test('decodeManifest() returns what encodeManifest() was given', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
    const child = { ...manifest, parent: 'd'.repeat(64) };
    expect(decodeManifest(encodeManifest(child))).toEqual(child);
  });

  test('versionOf() is a fixed number for a fixed manifest, whatever the order of its budgets', () => {
    const other = { ...manifest, budgets: { flash: 400, ram: 900 } };
    expect(versionOf(other)).toBe(versionOf(manifest));
    expect(versionOf(manifest)).toBe(
      '9480e266f12dde1ce0d92c65dfa53c9d4bd58f7aec29ae07460f53d862b110d2',
    );
  });

  test('versionOf() changes with every field', () => {
    const changes: Partial<Manifest>[] = [
      { task: 'gas' },
      { taskHash: 'e'.repeat(64) },
      { parts: { ...manifest.parts, head: { ...part, crc32: 1 } } },
      { golden: { ...manifest.golden, outputs: Int8Array.of(-128, 0, 127, 5, -6, 8) } },
      { scope: { kind: 'device', id: 'w1' } },
      { parent: 'e'.repeat(64) },
      { lineage: { ...manifest.lineage, seed: 4 } },
      { budgets: { ram: 901, flash: 400 } },
    ];
    const versions = changes.map((change) => versionOf({ ...manifest, ...change }));
    expect(new Set([versionOf(manifest), ...versions]).size).toBe(changes.length + 1);
  });

  test('decodeManifest() refuses what is none', () => {
    expect(() => decodeManifest(Uint8Array.of(0x81, 9))).toThrow(TypeError);
  });
});

describe('openSigner()', () => {
  test('makes a key that only its owner reads, and finds it again', () => {
    const path = join(temporary(), 'key.pem');
    const first = openSigner(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const bytes = Uint8Array.of(1, 2, 3);
    const signature = first.current.sign(bytes);
    const { current: again } = openSigner(path);
    expect(again.publicKey).toEqual(first.current.publicKey);
    expect(verifyWith(again.publicKey, bytes, signature)).toBe(true);
    expect(verifyWith(again.publicKey, Uint8Array.of(1, 2, 4), signature)).toBe(false);
    expect(verifyWith(memorySigner().current.publicKey, bytes, signature)).toBe(false);
  });

  test('refuses a key that others may read, and a file that is none', () => {
    const path = join(temporary(), 'key.pem');
    openSigner(path);
    chmodSync(path, 0o640);
    expect(() => openSigner(path)).toThrow(expect.objectContaining({ code: 'not-allowed' }));
    const other = join(temporary(), 'other.pem');
    writeFileSync(other, 'no key', { mode: 0o600 });
    expect(() => openSigner(other)).toThrow(expect.objectContaining({ code: 'bad-file' }));
    expect(readFileSync(other, 'utf8')).toBe('no key');
    expect(() => openSigner('/nowhere/key.pem')).toThrow(
      expect.objectContaining({ code: 'bad-file' }),
    );
  });
});

describe('registry', () => {
  test('register() stores a signed candidate, and the same one once', () => {
    const { registry, store } = setUp();
    const version = registry.register(parts(), meta(), { decision: 'pass' });
    expect(registry.register(parts(), meta(), { decision: 'pass' })).toBe(version);
    expect(registry.get(version)).toMatchObject({
      ...{ stage: 'candidate', at: 5000, report: { decision: 'pass' } },
      manifest: { parts: { head: { length: 2 }, backbone: { length: 0, crc32: 0 } } },
    });
    expect(registry.verify(version)).toEqual({ ok: true });
    expect(registry.parts(version)).toEqual(parts());
    expect(store.counts().models).toBe(1);
    expect(registry.find(version.slice(0, 16))).toBe(version);
    expect(registry.find('')).toBe(version);
    registry.register(parts(2), meta(), null);
    expect(registry.find('')).toBeUndefined();
  });

  test.each([
    ['signature', "UPDATE models SET signature = x'00'"],
    ['manifest', "UPDATE models SET manifest = x'00'"],
    ['head', "UPDATE parts SET bytes = x'0207' WHERE length(bytes) = 2 AND bytes = x'0107'"],
    ['pre', "DELETE FROM parts WHERE bytes = x'0102'"],
  ])('verify() and offer() find a changed %s', (why, change) => {
    const directory = temporary();
    const path = join(directory, 'key.pem');
    const registry = openRegistry(testStore({ directory }), openSigner(path));
    const version = registry.register(parts(), meta(), null);
    const release = registry.release(version, 'first');
    // while it runs: at a start the store itself refuses damaged parts
    const db = new DatabaseSync(join(directory, 'store.db'));
    db.exec(change);
    db.close();
    expect(registry.verify(version)).toEqual({ ok: false, why });
    const code = why === 'signature' ? 'bad-signature' : 'bad-hash';
    expect(() => registry.offer(release)).toThrow(expect.objectContaining({ code }));
    expect(() => registry.release(version, 'again')).toThrow(expect.objectContaining({ code }));
  });

  test('register() refuses more golden windows than a device takes', () => {
    const { registry } = setUp();
    const golden = (count: number) =>
      meta({ golden: { seed: 1, count, outputs: new Int8Array(9) } });
    expect(() => registry.register(parts(1), golden(65), null)).toThrow(RangeError);
    expect(registry.register(parts(1), golden(64), null)).toHaveLength(64);
  });

  test('offer() refuses a release that was given another version', () => {
    const directory = temporary();
    const path = join(directory, 'key.pem');
    const first = testStore({ directory });
    const one = openRegistry(first, openSigner(path));
    const release = one.release(one.register(parts(1), meta(), null), 'first');
    const other = one.register(parts(2), meta(), null);
    first.close();
    const db = new DatabaseSync(join(directory, 'store.db'));
    db.prepare('UPDATE releases SET version = ?').run(other);
    db.close();
    const again = openRegistry(testStore({ directory }), openSigner(path));
    expect(() => again.offer(release)).toThrow(/not signed by this gateway/);
  });

  test('offer() holds what the message needs', () => {
    const { registry } = setUp();
    const version = registry.register(parts(), meta(), null);
    const release = registry.release(version, 'first');
    const offer = registry.offer(release);
    expect(offer).toMatchObject({ release: 1, version: shortId(version), goldenCount: 2 });
    expect(offer.golden).toEqual(Uint8Array.of(128, 0, 127, 5, 250, 7));
    expect(offer.parts.map(([, length]) => length)).toEqual([2, 0, 2]);
    expect(offer.bytes[2]).toEqual(parts().head);
  });

  test.each([
    [1, 'an older', 'begin in another --data-dir'],
    [3, 'a newer', 'use the Whetstone that wrote it'],
  ])('openRegistry() refuses models of layout %i, and takes damaged ones', (layout, age, hint) => {
    const directory = temporary();
    let store = testStore({ directory });
    const signer = memorySigner();
    const version = openRegistry(store, signer).register(parts(), meta(), null);
    store.close();
    const db = new DatabaseSync(join(directory, 'store.db'));
    const { manifest } = db.prepare('SELECT manifest FROM models').get() as {
      manifest: Uint8Array;
    };
    const other = manifest.slice();
    other[1] = layout;
    db.prepare('UPDATE models SET manifest = ?').run(other);
    store = testStore({ directory });
    expect(openRegistry(store, signer).verify(version)).toMatchObject({ why: 'manifest' });
    db.prepare('UPDATE models SET version = ?').run(sha256(other)); // as that Whetstone named it
    db.close();
    const open = () => openRegistry(store, signer);
    expect(open).toThrow(expect.objectContaining({ code: 'store' }));
    expect(open).toThrow(`models are of ${age} Whetstone`);
    expect(open).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
  });

  test('release() numbers upwards, also the same version again', () => {
    const { registry } = setUp();
    const version = registry.register(parts(), meta(), null);
    expect([registry.release(version, 'a'), registry.release(version, 'b')]).toEqual([1, 2]);
    expect(registry.releaseOf(2)).toEqual({
      version,
      at: 5000,
      expires: 5000 + 90 * 86_400_000,
      why: 'b',
    });
    expect(registry.latestRelease(version)).toBe(2);
    expect(registry.releaseOf(3)).toBeUndefined();
  });

  test('setStage() follows the table and keeps who, what and when', () => {
    const { registry } = setUp();
    const stages = Object.keys(stageChanges) as Stage[];
    for (const from of stages) {
      for (const to of stages) {
        const { registry: fresh, store } = setUp();
        const version = fresh.register(parts(), meta(), null);
        store.catalogue.setStage({ version, stage: from, at: 1, who: '', why: '' });
        const change = () => fresh.setStage(version, to, because);
        if (stageChanges[from].includes(to)) change();
        else expect(change, `${from} to ${to}`).toThrow(/not to be/);
        expect(fresh.get(version).stage).toBe(stageChanges[from].includes(to) ? to : from);
      }
    }
    const version = registry.register(parts(), meta(), null);
    registry.setStage(version, 'rejected', { who: 'gate', why: 'worse' });
    expect(registry.history(version).at(-1)).toEqual({
      ...{ version, stage: 'rejected', at: 5000, who: 'gate', why: 'worse' },
    });
  });

  test('a new champion retires the one of its scope and no other', () => {
    const { registry, crown } = setUp();
    const fleet = crown(1);
    const own = crown(2, { scope: { kind: 'device', id: 'w1' } });
    const next = crown(3, { parent: fleet });
    expect(registry.get(fleet).stage).toBe('retired');
    expect(registry.get(own).stage).toBe('champion');
    expect(registry.champion('gesture', { kind: 'fleet', id: '' })).toBe(next);
    expect(registry.list({ stage: 'champion' }).map((m) => m.version)).toEqual([own, next]);
    expect(registry.lineage(next).map((m) => m.version)).toEqual([next, fleet]);
  });

  test('championFor() prefers device to cohort to fleet; served() is the other way round', () => {
    const { registry, crown, device } = setUp();
    device('w1', 'left');
    device('w2', 'left');
    device('w3');
    const of = (id: string, cohort: string | null) =>
      registry.championFor({ id, cohort, task: 'gesture' });
    expect(of('w1', 'left')).toBeUndefined();
    const fleet = crown(1);
    const cohort = crown(2, { scope: { kind: 'cohort', id: 'left' } });
    const own = crown(3, { scope: { kind: 'device', id: 'w1' } });
    expect([of('w1', 'left'), of('w2', 'left'), of('w3', null)]).toEqual([own, cohort, fleet]);
    expect(registry.championFor({ id: 'w1', cohort: null, task: 'gas' })).toBeUndefined();
    const served = (kind: 'fleet' | 'cohort' | 'device', id: string) =>
      registry.served('gesture', { kind, id }).map((d) => d.id);
    expect([served('fleet', ''), served('cohort', 'left'), served('device', 'w1')]).toEqual([
      ...[['w3'], ['w2'], ['w1']],
    ]);
  });

  test('get() says when there is no such model', () => {
    const { registry } = setUp();
    expect(() => registry.get('ff')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(registry.verify('ff')).toEqual({ ok: false, why: 'unknown' });
  });
});
