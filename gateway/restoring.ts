import type { BackupContents } from './store/backup-format.ts';
import { damagedStore } from './store/failure.ts';
import { restoreBackup } from './store/restore.ts';
import { openStore } from './store/store.ts';
import type { StoreKey } from './store/store-key.ts';

/** What is to be restored, and where. */
export interface Restoring {
  /** the backup */
  path: string;
  /** data directory; made if it is missing */
  directory: string;
  /** what is there may be replaced */
  replace?: boolean;
  /** of an encrypted backup */
  key?: StoreKey | undefined;
  now?: () => number;
}

/**
 * Releases that may have been given after the backup was made: their numbers are not given again, for
 * devices know them, and refuse an older number.
 */
const RELEASES = 1000;
/** Starts of a link since the backup, of each device: more than one a second for 11 days. */
const EPOCHS = 1_000_000;

/**
 * Restores a backup: unpacks it beside what is there, opens it with its key, looks it through, brings
 * it to the newest schema, notes that it was restored, and only then puts it in place.
 *
 * @throws GatewayError 'bad-file', 'damaged' or 'store-key' if the backup cannot be used; 'not-allowed'
 *   if the directory is not empty; 'in-use' while its gateway runs. Nothing was changed then
 */
export function restore({ key, now = Date.now, ...request }: Restoring): BackupContents {
  return restoreBackup({
    ...request,
    verify(unpacked, { at }) {
      const store = openStore({ directory: unpacked, key, now });
      try {
        const [found] = store.damage();
        if (found !== undefined) throw damagedStore(request.path, found);
        const when = Math.max(now(), store.latestAt());
        store.transaction(() => {
          store.catalogue.skipReleases(RELEASES);
          store.keys.skipEpochs(EPOCHS);
          store.journal.write('store.restored', '', { from: at }, when);
        });
      } finally {
        store.close();
      }
    },
  });
}
