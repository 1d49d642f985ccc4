import type { GroupCommit } from './commit.ts';
import type { Rows } from './rows.ts';

/** A token for the API: everything of it but itself. */
export interface TokenRow {
  id: string;
  name: string;
  role: string;
  /** SHA-256 of the token, 32 bytes */
  hash: Uint8Array;
  /** ms since 1970, as the others */
  addedAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
  /** to the hour */
  usedAt: number | null;
}

/** A browser that is signed in. */
export interface SignInRow {
  id: string;
  /** id of the token that it signed in with */
  token: string;
  /** SHA-256 of the cookie, 32 bytes */
  hash: Uint8Array;
  at: number;
  expiresAt: number;
}

/** Tokens and sign-ins, as rows; `access.ts` gives them their meaning. */
export interface Tokens {
  /** In the order in which they were made. */
  list(): TokenRow[];
  get(id: string): TokenRow | undefined;
  add(row: Pick<TokenRow, 'id' | 'name' | 'role' | 'hash' | 'addedAt' | 'expiresAt'>): void;
  /** Ends a token and every sign-in with it. */
  revoke(id: string, at: number): void;
  noteUse(id: string, at: number): void;
  signIn(id: string): SignInRow | undefined;
  /** @param most that a token has at a time: the oldest gives way */
  addSignIn(row: SignInRow, most: number): void;
  removeSignIn(id: string): void;
  /** Forgets sign-ins that are over. */
  sweepSignIns(now: number): void;
}

/** @param rows the database @param commit where writes are grouped */
export function tokensOf(rows: Rows, commit: GroupCommit): Tokens {
  const run = (sql: string, ...values: (string | number | Uint8Array | null)[]) =>
    commit.now(() => void rows.run(sql, ...values));
  return {
    list: () => rows.all<TokenRow>('SELECT * FROM tokens ORDER BY rowid'),
    get: (id) => rows.one<TokenRow>('SELECT * FROM tokens WHERE id = ?', id),
    add: ({ id, name, role, hash, addedAt, expiresAt }) =>
      run(
        `INSERT INTO tokens (id, name, role, hash, addedAt, expiresAt) VALUES (?, ?, ?, ?, ?, ?)`,
        ...[id, name, role, hash, addedAt, expiresAt],
      ),
    revoke: (id, at) =>
      commit.now(() => {
        rows.run('UPDATE tokens SET revokedAt = ? WHERE id = ? AND revokedAt IS NULL', at, id);
        rows.run('DELETE FROM signIns WHERE token = ?', id);
      }),
    noteUse: (id, at) => run('UPDATE tokens SET usedAt = ? WHERE id = ?', at, id),
    signIn: (id) => rows.one<SignInRow>('SELECT * FROM signIns WHERE id = ?', id),
    addSignIn: ({ id, token, hash, at, expiresAt }, most) =>
      commit.now(() => {
        rows.run(
          'INSERT INTO signIns (id, token, hash, at, expiresAt) VALUES (?, ?, ?, ?, ?)',
          ...[id, token, hash, at, expiresAt],
        );
        rows.run(
          `DELETE FROM signIns WHERE token = ?1 AND rowid NOT IN
           (SELECT rowid FROM signIns WHERE token = ?1 ORDER BY rowid DESC LIMIT ?2)`,
          ...[token, most],
        );
      }),
    removeSignIn: (id) => run('DELETE FROM signIns WHERE id = ?', id),
    sweepSignIns: (now) => run('DELETE FROM signIns WHERE expiresAt <= ?', now),
  };
}
