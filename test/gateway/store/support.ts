import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore, type Store, type StoreOptions } from '../../../gateway/store/store.ts';

/** A folder that is gone after the test. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whetstone-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A store that is closed after the test. */
export function testStore(options: Partial<StoreOptions> = {}): Store {
  const store = openStore({ directory: ':memory:', now: () => 5000, ...options });
  onTestFinished(() => store.close());
  return store;
}

export { sample } from './support-sample.ts';
