import { existsSync } from 'node:fs';
import { GatewayError } from '../errors.ts';
import type { RetentionState } from '../retention.ts';
import { storeFile } from '../store/database.ts';
import { openStore } from '../store/store.ts';
import { readStoreKey } from '../store/store-key.ts';
import { type Check, has, lacks } from './checks.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Looks at the store of a data directory, also while its gateway runs.
 *
 * @param directory data directory
 * @param keyFile of an encrypted store
 * @param whole looks the whole store through; else only whether it opens, and how full it is
 */
export function checkStore(
  directory: string,
  { keyFile, whole = false }: { keyFile?: string | undefined; whole?: boolean } = {},
): Check[] {
  if (!existsSync(storeFile(directory))) return [has('store', `none in ${directory} yet`)];
  const means = 'the gateway does not start with it';
  try {
    const store = openStore({ directory, readOnly: true, key: readStoreKey(keyFile) });
    try {
      const damage = whole ? store.damage() : [];
      if (damage.length > 0) {
        const mend = `whetstone restore FILE --data-dir ${directory} --replace`;
        return damage.map((found) => lacks('store', found, means, mend, true));
      }
      const { samples, labelled } = store.counts();
      const { file } = store.size();
      const { keyId } = store.vault;
      const key = keyId === null ? 'not encrypted' : `encrypted with key ${keyId}`;
      const seen = whole ? ', whole' : '';
      const found = `${megabytes(file)}, ${samples} windows (${labelled} labelled), ${key}${seen}`;
      const kept = store.states.load<RetentionState>('retention');
      if (kept === undefined || kept.crowdedSince === null) return [has('store', found)];
      return [
        lacks(
          'store',
          `${found}; larger than retention.maxBytes`,
          'all that is left in it is labelled or new: it goes on growing',
          'allow more in the configuration: "retention": {"maxBytes": …}, or a larger disk',
        ),
      ];
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [lacks('store', error.message, means, error.hint ?? 'see docs/store.md', true)];
  }
}
