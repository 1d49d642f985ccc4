import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { checkStore } from '../../../gateway/cli/check-store.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { makeStoreKey, readStoreKey } from '../../../gateway/store/store-key.ts';
import { temporary, testStore } from '../store/support.ts';
import { fillStore } from '../store/whole.ts';

describe('checkStore()', () => {
  it('says what is in a store, also while it is open', async () => {
    const directory = temporary();
    expect(checkStore(directory)).toMatchObject([{ ok: true, found: `none in ${directory} yet` }]);
    await fillStore(testStore({ directory }));
    const [{ ok, found }] = checkStore(directory, { whole: true });
    expect([ok, found]).toEqual([
      true,
      expect.stringMatching(/^0\.\d MB, 6 windows \(2 labelled\), not encrypted, whole$/),
    ]);
  });

  it('names every damage and what mends it, and that nothing starts with it', async () => {
    const directory = temporary();
    const store = openStore({ directory });
    await fillStore(store);
    store.close();
    const db = new DatabaseSync(join(directory, 'store.db'), {
      enableForeignKeyConstraints: false,
    });
    db.exec("UPDATE parts SET bytes = x'00'; DELETE FROM samples WHERE id = 1");
    db.close();
    const checks = checkStore(directory, { whole: true });
    expect(checks.length).toBeGreaterThan(2);
    for (const check of checks) {
      expect(check).toMatchObject({ ok: false, needed: true });
      expect(check.mend).toContain('whetstone restore FILE');
    }
    writeFileSync(
      join(directory, 'store.db'),
      'no database at all, and long enough to be seen as one',
    );
    expect(checkStore(directory)).toMatchObject([{ ok: false, needed: true }]);
  });

  it('wants the key of an encrypted store', () => {
    const directory = temporary();
    const keyFile = join(temporary(), 'key');
    const keyId = makeStoreKey(keyFile);
    openStore({ directory, key: readStoreKey(keyFile) }).close();
    expect(checkStore(directory)).toMatchObject([
      { ok: false, mend: expect.stringContaining(keyId) },
    ]);
    expect(checkStore(directory, { keyFile })).toMatchObject([
      { ok: true, found: expect.stringContaining(`encrypted with key ${keyId}`) },
    ]);
  });

  it('says when a store is too large and cannot become smaller', () => {
    const directory = temporary();
    const store = openStore({ directory });
    store.states.saveNow('retention', { crowdedSince: 5 });
    store.close();
    expect(checkStore(directory)).toMatchObject([
      {
        ok: false,
        needed: false,
        found: expect.stringContaining('larger than retention.maxBytes'),
      },
    ]);
  });
});
