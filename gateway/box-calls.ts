import type { AuditView, BackupView, Verification } from './views/box.ts';

/** What can be asked of a gateway about the store as a whole: a part of its calls, see `calls.ts`. */
export interface BoxCalls {
  /**
   * Whether the past of the store is what was written and signed.
   *
   * @param head a hash that somebody noted, hex, or its first 16 digits
   */
  verify(head?: string): Promise<Verification>;
  /** What was decided, with the hash of each entry of the log, oldest first. */
  audit(query?: AuditQuery): Promise<AuditView>;
  /** Writes store and keys into one file on the box, in `backups` of the data directory. */
  backup(): Promise<BackupView>;
}

export interface AuditQuery {
  /** entries after this one */
  since?: number;
  /** the newest of them; default 50 */
  limit?: number;
  /** also what decides nothing: labels one by one, alarms, progress */
  all?: boolean;
}
