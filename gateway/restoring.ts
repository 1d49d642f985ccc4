import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from './errors.ts';
import { type BackupContents, STORE } from './store/backup-format.ts';
import { damagedStore } from './store/failure.ts';
import { restoreBackup } from './store/restore.ts';
import { openStore } from './store/store.ts';
import type { StoreKey } from './store/store-key.ts';
import { type TakenBack, takenBack } from './store/taken-back.ts';

/** What is to be restored, and where. */
export interface Restoring {
  /** the backup */
  path: string;
  /** data directory; made if it is missing */
  directory: string;
  /** what is there may be replaced */
  replace?: boolean;
  /** keys and tokens that were revoked or removed after the backup may be trusted again */
  trustAgain?: boolean;
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

/** What was restored. */
export interface Restored extends BackupContents {
  /** what had been revoked or removed since, and is trusted again: it has to be revoked anew */
  trustedAgain?: TakenBack[];
  /** the store that was replaced could not be read: nobody knows what is trusted again */
  unread?: true;
}

/**
 * Restores a backup: unpacks it beside what is there, opens it with its key, looks it through, brings
 * it to the newest schema, notes that it was restored, and only then puts it in place.
 *
 * @throws GatewayError 'bad-file', 'damaged' or 'store-key' if the backup cannot be used; 'not-allowed'
 *   if the directory is not empty, or if the store in it took back trust that the backup still gives;
 *   'in-use' while its gateway runs. Nothing was changed then
 */
export function restore({ key, now = Date.now, trustAgain, ...request }: Restoring): Restored {
  const before = join(request.directory, STORE);
  let since: TakenBack[] | undefined = [];
  const contents = restoreBackup({
    ...request,
    verify(unpacked, { at }) {
      const store = openStore({ directory: unpacked, key, now });
      try {
        const [found] = store.damage();
        if (found !== undefined) throw damagedStore(request.path, found);
        if (existsSync(before)) since = takenBack(before, store.journal.head());
        if (since !== undefined && since.length > 0 && trustAgain !== true) throw refused(since);
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
  return {
    ...contents,
    ...(since === undefined && { unread: true as const }),
    ...(since !== undefined && since.length > 0 && { trustedAgain: since }),
  };
}

function refused(since: readonly TakenBack[]): GatewayError {
  const named = since.map(({ kind, subject }) => `${kind} ${subject}`).join(', ');
  return new GatewayError(
    'not-allowed',
    `the backup still trusts what the store that is there has taken back since: ${named}`,
    {
      hint: 'take a later backup; or restore it with --trust-again, and revoke them again at once',
    },
  );
}
