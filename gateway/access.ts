import type { Composed } from './compose.ts';
import { GatewayError } from './errors.ts';
import { unlessFull } from './full-disk.ts';
import type { Role } from './roles.ts';
import { drawSecret, isSecret, secretId } from './secret.ts';
import { type Counts, createSeldom } from './seldom.ts';
import type { TokenRow } from './store/tokens.ts';
import type { NewToken, TokenCalls } from './token-calls.ts';
import type { AddedToken, TokenView } from './views/token.ts';

/** Whom a token or a cookie stands for. */
export interface Holder {
  /** of the token */
  id: string;
  name: string;
  role: Role;
}

/** Why a token is none: 'unknown' also where only a part of it is right. */
export type Refused = 'unknown' | 'revoked' | 'expired';

/** Tells who shows a token or a cookie. */
export interface Access {
  ofToken(text: string): Holder | Refused;
  ofCookie(text: string): Holder | undefined;
  /** @returns the cookie, and until when it counts; or why the token is none */
  signIn(token: string): { holder: Holder; cookie: string; expiresAt: number } | Refused;
  signOut(cookie: string): void;
  /**
   * A token was refused: for the log, where it is counted.
   *
   * @param source address that it came from
   * @param why 'throttled' for one that was not even looked at
   */
  refused(source: string, why: Refused | 'throttled'): void;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long a browser stays signed in: a screen on the wall outlives a weekend, not a forgotten laptop. */
const SIGN_IN_DAYS = 30;
/** Browsers that are signed in with one token; the oldest gives way. */
export const SIGN_INS = 100;
const TOKEN = 'wt';
const COOKIE = 'ws';

/**
 * Who may ask a gateway: tokens and sign-ins, of which the store keeps hashes alone.
 *
 * @param gateway composed
 */
export function createAccess({ store, clock }: Pick<Composed, 'store' | 'clock'>): {
  access: Access;
  calls: TokenCalls;
  /**
   * Makes an admin token where none counts.
   *
   * @param keep is told the token before it counts: what it throws leaves none
   * @returns whether one was made
   */
  ensureAdmin(keep: (token: string) => void): boolean;
  /** Writes down what was counted and not written yet. */
  close(): void;
} {
  const { tokens, journal } = store;
  const sum = (counts: Counts): number => Object.values(counts).reduce((all, n) => all + n, 0);
  const signIns = createSeldom(
    clock,
    (id, counts) => {
      const data = { name: tokens.get(id)?.name ?? '', count: sum(counts) };
      journal.write('token.signedin', id, data, clock.now());
    },
    Number.POSITIVE_INFINITY,
  );
  const refusals = createSeldom(clock, (source, counts) => {
    journal.write('token.refused', source, { count: sum(counts), ...counts }, clock.now());
  });
  const standing = (row: TokenRow): Refused | undefined =>
    row.revokedAt !== null
      ? 'revoked'
      : row.expiresAt !== null && row.expiresAt <= clock.now()
        ? 'expired'
        : undefined;

  function viewOf(row: TokenRow): TokenView {
    const { id, name, addedAt, expiresAt, revokedAt } = row;
    // what is noted to the hour is not shown as before it was made
    const usedAt = row.usedAt && Math.max(addedAt, row.usedAt);
    const valid = standing(row) === undefined;
    return {
      ...{ id, name, role: row.role as Role, addedAt, expiresAt, revokedAt, usedAt },
      valid,
    };
  }

  function holderOf(row: TokenRow): Holder {
    const now = clock.now();
    if (now - (row.usedAt ?? 0) >= HOUR_MS) {
      unlessFull(() => tokens.noteUse(row.id, now - (now % HOUR_MS)));
    }
    return { id: row.id, name: row.name, role: row.role as Role };
  }

  function ofToken(text: string): Holder | Refused {
    const id = secretId(TOKEN, text);
    const row = id === undefined ? undefined : tokens.get(id);
    if (row === undefined || !isSecret(text, row.hash)) return 'unknown';
    return standing(row) ?? holderOf(row);
  }

  const access: Access = {
    ofToken,
    ofCookie(text) {
      const id = secretId(COOKIE, text);
      const row = id === undefined ? undefined : tokens.signIn(id);
      if (row === undefined || !isSecret(text, row.hash)) return undefined;
      const token = tokens.get(row.token);
      const isOver = row.expiresAt <= clock.now();
      if (isOver || token === undefined || standing(token) !== undefined) return undefined;
      return holderOf(token);
    },
    signIn(text) {
      const holder = ofToken(text);
      if (typeof holder === 'string') return holder;
      const at = clock.now();
      const until = at + SIGN_IN_DAYS * DAY_MS;
      const expiresAt = Math.min(until, tokens.get(holder.id)?.expiresAt ?? until);
      const { id, text: cookie, hash } = drawSecret(COOKIE);
      store.transaction(() => {
        tokens.sweepSignIns(at);
        tokens.addSignIn({ id, token: holder.id, hash, at, expiresAt }, SIGN_INS);
        signIns.note(holder.id, 'signed in');
      });
      return { holder, cookie, expiresAt };
    },
    signOut(text) {
      const id = secretId(COOKIE, text);
      const row = id === undefined ? undefined : tokens.signIn(id);
      if (row !== undefined && isSecret(text, row.hash)) tokens.removeSignIn(row.id);
    },
    refused: refusals.note,
  };

  /** @param keep is told the token before it counts: what it throws leaves none */
  function make({ name, role, days }: NewToken, by: string, keep?: (token: string) => void) {
    const addedAt = clock.now();
    const expiresAt = days === undefined ? null : addedAt + days * DAY_MS;
    const { id, text, hash } = drawSecret(TOKEN);
    store.transaction(() => {
      tokens.add({ id, name, role, hash, addedAt, expiresAt });
      const sha256 = Buffer.from(hash).toString('hex');
      journal.write('token.added', id, { name, role, expiresAt, sha256, by }, addedAt);
      keep?.(text);
    });
    return { ...viewOf(tokens.get(id)!), token: text };
  }

  const calls: TokenCalls = {
    tokens: async () => tokens.list().map(viewOf),
    async addToken(request, by = ''): Promise<AddedToken> {
      const { name } = request;
      if (tokens.list().some((row) => row.name === name && standing(row) === undefined)) {
        throw new GatewayError('not-allowed', `there is a token '${name}' already`, {
          hint: 'choose another name, or revoke it: whetstone tokens revoke ID',
        });
      }
      return make(request, by);
    },
    async revokeToken(id, by = '') {
      const row = tokens.get(id);
      if (row === undefined) {
        throw new GatewayError('not-found', `no token '${id}'`, { hint: 'see: whetstone tokens' });
      }
      if (row.revokedAt === null) {
        const at = clock.now();
        store.transaction(() => {
          tokens.revoke(id, at);
          journal.write('token.revoked', id, { name: row.name, by }, at);
        });
      }
      return viewOf(tokens.get(id)!);
    },
  };
  return {
    access,
    calls,
    ensureAdmin(keep) {
      const isThere = tokens
        .list()
        .some((row) => row.role === 'admin' && standing(row) === undefined);
      if (!isThere) make({ name: 'admin', role: 'admin' }, 'the first start', keep);
      return !isThere;
    },
    close() {
      signIns.close();
      refusals.close();
    },
  };
}
