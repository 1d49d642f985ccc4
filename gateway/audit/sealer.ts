import type { Keyring } from '../registry/keyring.ts';
import { entryHash } from '../store/chain.ts';
import { takesNothing } from '../store/failure.ts';
import type { HeadRow } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import { headStatement, readHead, trustInHead, writeHead } from './heads.ts';

/** How long entries of the log wait for a signature at most, while the gateway runs. */
export const SEAL_EVERY_MS = 60_000;

/** Signs the head of the log now and then, and once more at the end. */
export interface Sealer {
  /** Signs the newest entry, if it is not signed yet. */
  seal(): void;
}

/**
 * Looks, at the start of a gateway, whether the log is the one that was signed last, and says in the
 * log itself when it is not: what is signed from then on, and at once, does not hide it.
 *
 * @param file where the newest head lies beside the store; undefined where nothing is kept
 */
export function createSealer(
  store: Store,
  keyring: Keyring,
  file: string | undefined,
  now: () => number,
): Sealer {
  const { journal, gateway } = store;
  const trust = keyring.trust;
  const beside = file === undefined ? undefined : readHead(file);
  const newest = journal.heads().at(-1);
  const why =
    problemOf(newest) ?? (beside === null ? 'the file of the head is damaged' : undefined);
  const restored = journal.find({ kind: 'store.restored', order: 'newest', limit: 1 })[0];
  const cut = beside ? problemOf(beside) : undefined;
  const isRestored = restored !== undefined && restored.id <= (beside?.event ?? 0);
  const { event } = journal.head();
  const [last] = journal.rows(event - 1, 1);
  // what was never signed ends with the entry of the first key, which was made a moment ago
  const isBare = newest === undefined && beside === undefined && last?.kind !== 'signer.created';
  const gone = isBare && event > 0 ? 'no signed head of it is left' : undefined;
  const found = why ?? gone ?? (isRestored ? undefined : cut);
  try {
    if (found !== undefined) journal.write('log.broken', '', { reason: found }, now());
    else if (newest !== undefined && event > newest.event) {
      journal.write('log.unsigned', '', { from: newest.event + 1, to: event }, now());
    }
    seal();
  } catch (error) {
    if (!takesNothing(error)) throw error; // a full disk: the gateway starts all the same
  }

  /** Why a head is not one of this log. */
  function problemOf(head: HeadRow | undefined): string | undefined {
    if (head === undefined) return undefined;
    const worth = trustInHead(gateway, head, trust);
    if (worth === 'wrong' || worth === 'unknown') return `the head #${head.event} is not signed`;
    const [row, ...tail] = journal.rows(head.event - 1, -1);
    if (row?.id !== head.event || Buffer.compare(row.hash, head.hash) !== 0) {
      return `entry #${head.event} is not the one that was signed`;
    }
    let before = row;
    for (const entry of tail) {
      const isNext = entry.id === before.id + 1;
      if (!isNext || Buffer.compare(entryHash(before.hash, entry), entry.hash) !== 0) {
        return `entry #${before.id + 1} is not what was written`;
      }
      before = entry;
    }
    return undefined;
  }

  function seal(): void {
    const { event, hash } = journal.head();
    const before = journal.heads().at(-1);
    const signer = keyring.list().at(-1)?.id;
    if (event === 0 || (before?.event === event && before.signer === signer)) return;
    const head = { event, hash, at: now() };
    const row = { ...head, ...keyring.sign(headStatement(gateway, head)) };
    journal.addHead(row);
    if (file !== undefined) writeHead(file, row);
  }

  return { seal };
}
