import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { plainVault, SEAL_BYTES, sealedVault } from '../../../gateway/store/vault.ts';

const DAY = 86_400_000;
const key = randomBytes(32);
const salt = randomBytes(16);
const vault = sealedVault(key, salt, 'abc', () => 20_000 * DAY);
const bytes = new Uint8Array([1, 2, 3, 250]);
const damaged = expect.objectContaining({ code: 'damaged' });

describe('sealedVault()', () => {
  test('open() gives what seal() was given, also nothing', () => {
    const sealed = vault.seal('samples', 'w1/7/1', 'window', bytes);
    expect(sealed.length).toBe(bytes.length + SEAL_BYTES);
    expect(Buffer.from(sealed).includes(Buffer.from(bytes))).toBe(false);
    expect([...vault.open('samples', 'w1/7/1', 'window', sealed)]).toEqual([...bytes]);
    const none = vault.seal('t', 1, 'c', new Uint8Array());
    expect(vault.open('t', 1, 'c', none).length).toBe(0);
  });

  test('seal() never gives the same bytes twice', () => {
    const all = new Set(
      Array.from({ length: 2000 }, () =>
        Buffer.from(vault.seal('t', 1, 'c', bytes)).toString('hex'),
      ),
    );
    expect(all.size).toBe(2000);
  });

  test.each([
    ['table', 'labels', 'w1/7/1', 'window'],
    ['row', 'samples', 'w1/7/2', 'window'],
    ['column', 'samples', 'w1/7/1', 'embedding'],
    ['row and column that read alike', 'samples', '\0w1/7/1', 'window'],
  ])('open() refuses what was sealed for another %s', (_what, table, row, column) => {
    const sealed = vault.seal('samples', 'w1/7/1', 'window', bytes);
    expect(() => vault.open(table, row, column, sealed)).toThrow(damaged);
  });

  test('open() refuses every altered bit and every shortened value', () => {
    const sealed = vault.seal('t', 1, 'c', bytes);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Uint8Array.from(sealed);
      altered[bit >> 3] ^= 1 << (bit & 7);
      expect(() => vault.open('t', 1, 'c', altered), `bit ${bit}`).toThrow(damaged);
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => vault.open('t', 1, 'c', sealed.subarray(0, length))).toThrow(damaged);
    }
  });

  test('open() knows the keys of other days, not those of other stores or key files', () => {
    const later = sealedVault(key, salt, 'abc', () => 20_001 * DAY);
    const sealed = later.seal('t', 1, 'c', bytes);
    expect([...vault.open('t', 1, 'c', sealed)]).toEqual([...bytes]);
    for (const other of [
      sealedVault(key, randomBytes(16), 'abc'),
      sealedVault(randomBytes(32), salt, 'abc'),
    ]) {
      expect(() => other.open('t', 1, 'c', sealed)).toThrow(damaged);
    }
  });

  test('seal() has a key of its own for every day, and one for any clock', () => {
    const at = (now: number) =>
      Buffer.from(sealedVault(key, salt, 'abc', () => now).seal('t', 1, 'c', bytes)).readUInt32BE();
    expect([at(0), at(DAY - 1), at(DAY), at(-5), at(1e300)]).toEqual([0, 0, 1, 0, 2 ** 32 - 1]);
  });
});

describe('plainVault', () => {
  test('hands bytes through', () => {
    expect(plainVault.seal('t', 1, 'c', bytes)).toBe(bytes);
    expect(plainVault.open('t', 1, 'c', bytes)).toBe(bytes);
    expect(plainVault.keyId).toBe(null);
  });
});
