import type { StageRow } from '../store/catalogue.ts';
import { beginning, entryHash, type LogRow } from '../store/chain.ts';
import type { Store } from '../store/store.ts';

/** What the log tells of things that also lie in tables. */
export interface Told {
  /** when it was registered, and the SHA-256 of the gate's report, where that was kept */
  registered: Map<string, { at: number; report: string | undefined }>;
  stages: Map<string, Omit<StageRow, 'version'>[]>;
  releases: Map<number, string>;
  keys: Set<string>;
  revoked: Set<string>;
  /** what each token for the API is: see {@link tokenLine} */
  tokens: Map<string, string>;
  revokedTokens: Set<string>;
}

/** What a token may not lose or gain unseen. @param sha256 of it, hex */
export function tokenLine(role: unknown, sha256: unknown, expiresAt: unknown): string {
  return `${role} ${sha256} ${expiresAt}`;
}

/** What a walk along the log found. */
export interface Walk {
  /** how many entries there are */
  entries: number;
  /** of the newest */
  hash: Uint8Array;
  /** the first entry that is not what was written */
  bad: { entry: number; why: string } | undefined;
  /** of the entries that were wanted */
  hashes: Map<number, Uint8Array>;
  /** the entry whose hash was noted */
  noted: number | undefined;
  /** the newest entry that tells of a restored backup; 0 without one */
  restored: number;
  notes: string[];
  told: Told;
}

/** Entries read at a time. */
const PAGE = 1000;

/**
 * Computes the whole chain again, entry by entry.
 *
 * @param wanted entries whose hashes are wanted
 * @param noted a hash to look for, hex, or its first digits
 */
export function walk(store: Store, wanted: readonly number[], noted?: string): Walk {
  const { journal, gateway } = store;
  const asked = new Set(wanted);
  const looked = noted?.toLowerCase();
  const told: Told = {
    ...{ registered: new Map(), stages: new Map(), releases: new Map() },
    ...{ keys: new Set(), revoked: new Set(), tokens: new Map(), revokedTokens: new Set() },
  };
  const found: Walk = {
    ...{ entries: 0, hash: beginning(gateway), bad: undefined, hashes: new Map() },
    ...{ noted: undefined, restored: 0, notes: [], told },
  };
  let rows = journal.rows(0, PAGE);
  while (rows.length > 0) {
    for (const row of rows) {
      const next = found.entries + 1;
      if (found.bad === undefined && row.id !== next) {
        const gone = row.id - 1 > next ? `#${next} to #${row.id - 1} are` : `#${next} is`;
        found.bad = { entry: next, why: `${gone} missing: removed, or moved` };
      }
      const hash = entryHash(found.hash, row);
      if (found.bad === undefined && Buffer.compare(hash, row.hash) !== 0) {
        found.bad = {
          entry: next,
          why: `#${next} is not what was written: changed, put in or moved`,
        };
      }
      found.entries = row.id;
      found.hash = row.hash;
      if (found.bad !== undefined) continue;
      if (asked.has(row.id)) found.hashes.set(row.id, hash);
      if (looked !== undefined && Buffer.from(hash).toString('hex').startsWith(looked)) {
        found.noted = row.id;
      }
      listen(found, row);
    }
    rows = journal.rows((rows.at(-1) as { id: number }).id, PAGE);
  }
  const written = journal.written();
  if (found.bad === undefined && written !== found.entries) {
    const why = `cut off behind #${found.entries}: ${written} had been written`;
    found.bad = { entry: found.entries + 1, why };
  }
  return found;
}

const telling = new Set([
  ...['model.registered', 'model.stage', 'model.released', 'log.broken', 'log.unsigned'],
  'token.added',
]);

function listen(found: Walk, { id, at, kind, subject, data: json }: LogRow): void {
  const { told } = found;
  if (kind === 'signer.created' || kind === 'signer.rotated') told.keys.add(subject);
  if (kind === 'signer.revoked') told.revoked.add(subject);
  if (kind === 'token.revoked') told.revokedTokens.add(subject);
  if (kind === 'store.restored') found.restored = id;
  if (!telling.has(kind)) return;
  const data = JSON.parse(json) as Record<string, never>;
  if (kind === 'model.registered') told.registered.set(subject, { at, report: data.report });
  if (kind === 'token.added') {
    told.tokens.set(subject, tokenLine(data.role, data.sha256, data.expiresAt));
  }
  if (kind === 'model.released') told.releases.set(data.release, subject);
  if (kind === 'model.stage') {
    const { stage, who, why } = data;
    told.stages.set(subject, [...(told.stages.get(subject) ?? []), { stage, who, why, at }]);
  }
  if (kind === 'log.broken') found.bad ??= { entry: id, why: `#${id} tells that ${data.reason}` };
  if (kind === 'log.unsigned') {
    found.notes.push(
      `#${data.from} to #${data.to} were not signed when the gateway had ended: killed`,
    );
  }
}
