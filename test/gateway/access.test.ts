import { describe, expect, it } from 'vitest';
import { createAccess, SIGN_INS } from '../../gateway/access.ts';
import { GatewayError } from '../../gateway/errors.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { openStore } from '../../gateway/store/store.ts';

const DAY_MS = 24 * 3600 * 1000;

function world() {
  const store = openStore({ directory: ':memory:' });
  const clock = virtualClock(Date.UTC(2026, 0, 1, 12, 30));
  return { store, pass: clock.advance, ...createAccess({ store, clock }) };
}

describe('createAccess()', () => {
  it('knows a token by its name and role, and none that differs in a letter', async () => {
    const { access, calls } = world();
    const { token, id } = await calls.addToken({ name: 'ann', role: 'labeller' }, 'bob');
    expect(access.ofToken(token)).toEqual({ id, name: 'ann', role: 'labeller' });
    const last = token.at(-1) === 'A' ? 'B' : 'A';
    expect(access.ofToken(token.slice(0, -1) + last)).toBe('unknown');
    expect(access.ofToken(token.replace(id, '0'.repeat(12)))).toBe('unknown');
    for (const odd of ['', 'wt', `wt_${id}_`, `${token} `, token.slice(3)]) {
      expect(access.ofToken(odd)).toBe('unknown');
    }
  });

  it('keeps no token: neither store nor log holds it', async () => {
    const { store, access, calls } = world();
    const { token } = await calls.addToken({ name: 'ann', role: 'viewer' });
    const signedIn = access.signIn(token);
    if (typeof signedIn === 'string') throw new Error(signedIn);
    const kept = JSON.stringify([store.tokens.list(), store.journal.find()]);
    expect(kept).not.toContain(token.slice(-43));
    expect(kept).not.toContain(signedIn.cookie.slice(-43));
    expect(JSON.stringify(await calls.tokens())).not.toContain('hash');
    expect(store.tokens.list()[0]?.hash).toHaveLength(32);
  });

  it('ends a token when it is revoked or has expired, with its sign-ins', async () => {
    const { store, access, calls, pass } = world();
    const ann = await calls.addToken({ name: 'ann', role: 'viewer', days: 2 });
    const bob = await calls.addToken({ name: 'bob', role: 'operator' });
    const cookieOf = (token: string) => {
      const signedIn = access.signIn(token);
      if (typeof signedIn === 'string') throw new Error(signedIn);
      return signedIn;
    };
    const anns = cookieOf(ann.token);
    const bobs = cookieOf(bob.token);
    expect(anns.expiresAt).toBe(ann.expiresAt);
    expect(access.ofCookie(anns.cookie)?.name).toBe('ann');
    expect(access.ofCookie(bob.token)).toBeUndefined();
    expect(access.ofToken(bobs.cookie)).toBe('unknown');

    await pass(2 * DAY_MS);
    expect(access.ofToken(ann.token)).toBe('expired');
    expect(access.ofCookie(anns.cookie)).toBeUndefined();
    expect(access.ofCookie(bobs.cookie)?.name).toBe('bob');
    expect((await calls.revokeToken(bob.id, 'ann')).valid).toBe(false);
    expect(access.ofToken(bob.token)).toBe('revoked');
    expect(access.ofCookie(bobs.cookie)).toBeUndefined();
    await calls.revokeToken(bob.id, 'ann');
    expect(store.journal.find({ kind: 'token.revoked' })).toMatchObject([
      { subject: bob.id, data: { name: 'bob', by: 'ann' } },
    ]);
    const added = store.journal.find({ kind: 'token.added' }).map(({ data }) => data.name);
    expect(added).toEqual(['ann', 'bob']);
  });

  it('ends a sign-in when its browser signs out, or after a month', async () => {
    const { access, calls, pass } = world();
    const { token } = await calls.addToken({ name: 'ann', role: 'viewer' });
    const [first, second] = [access.signIn(token), access.signIn(token)];
    if (typeof first === 'string' || typeof second === 'string') throw new Error('not signed in');
    access.signOut(first.cookie);
    expect(access.ofCookie(first.cookie)).toBeUndefined();
    expect(access.ofCookie(second.cookie)?.name).toBe('ann');
    await pass(30 * DAY_MS);
    expect(access.ofCookie(second.cookie)).toBeUndefined();
    expect(access.ofToken(token)).toMatchObject({ name: 'ann' });
  });

  it('writes into the log the first sign-in with a token, and those that follow as sums', async () => {
    const { store, access, calls, pass, close } = world();
    const { token, id } = await calls.addToken({ name: 'ann', role: 'viewer' });
    const cookies: string[] = [];
    for (let minute = 0; minute < 180; minute++) {
      for (let i = 0; i < 10; i++) {
        const signedIn = access.signIn(token);
        if (typeof signedIn === 'string') throw new Error(signedIn);
        cookies.push(signedIn.cookie);
      }
      await pass(60_000);
    }
    close();
    const entries = store.journal.find({ kind: 'token.signedin' });
    expect(entries[0]).toMatchObject({ subject: id, data: { name: 'ann', count: 1 } });
    expect(entries.length).toBeLessThanOrEqual(10);
    expect(entries.reduce((sum, { data }) => sum + Number(data.count), 0)).toBe(1800);
    // nor does the store grow: the oldest browsers are signed out
    const alive = cookies.map((cookie) => access.ofCookie(cookie) !== undefined);
    expect(alive.lastIndexOf(false)).toBe(1800 - SIGN_INS - 1);
    expect(alive.filter(Boolean)).toHaveLength(SIGN_INS);
  });

  it('keeps the log small, whoever shows wrong tokens from however many addresses', async () => {
    const { store, access, pass, close } = world();
    for (let minute = 0; minute < 180; minute++) {
      for (let i = 0; i < 60; i++) access.refused(`10.0.${minute}.${i}`, 'unknown');
      access.refused('10.9.9.9', 'throttled');
      await pass(60_000);
    }
    close();
    const entries = store.journal.find({ kind: 'token.refused' });
    expect(entries[0]).toMatchObject({ subject: '10.0.0.0', data: { count: 1, unknown: 1 } });
    expect(entries.length).toBeLessThanOrEqual(60);
    expect(entries.reduce((sum, { data }) => sum + Number(data.count), 0)).toBe(180 * 61);
    const throttled = entries.reduce((sum, { data }) => sum + Number(data.throttled ?? 0), 0);
    expect(throttled).toBe(180);
  });

  it('notes to the hour when a token was used, and never before it was made', async () => {
    const { calls, access, pass } = world();
    const { token } = await calls.addToken({ name: 'ann', role: 'viewer' });
    expect((await calls.tokens())[0]?.usedAt).toBeNull();
    access.ofToken(token);
    expect((await calls.tokens())[0]?.usedAt).toBe(Date.UTC(2026, 0, 1, 12, 30));
    await pass(40 * 60_000);
    access.ofToken(token);
    expect((await calls.tokens())[0]?.usedAt).toBe(Date.UTC(2026, 0, 1, 13));
  });

  it('gives no two tokens that count one name, and names what is not there', async () => {
    const { calls } = world();
    const { id } = await calls.addToken({ name: 'ann', role: 'viewer' });
    await expect(calls.addToken({ name: 'ann', role: 'admin' })).rejects.toThrow(GatewayError);
    await calls.revokeToken(id);
    await calls.addToken({ name: 'ann', role: 'admin' });
    await expect(calls.revokeToken('0'.repeat(12))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('makes an admin token where none counts, and none that could not be kept', async () => {
    const { calls, access, ensureAdmin } = world();
    expect(() =>
      ensureAdmin(() => {
        throw new GatewayError('bad-file', 'no room');
      }),
    ).toThrow('no room');
    expect(await calls.tokens()).toEqual([]);
    let token = '';
    const keep = (text: string) => {
      token = text;
    };
    expect(ensureAdmin(keep)).toBe(true);
    expect(access.ofToken(token)).toMatchObject({ name: 'admin', role: 'admin' });
    expect(ensureAdmin(keep)).toBe(false);
    const [{ id }] = await calls.tokens();
    await calls.revokeToken(id);
    expect(ensureAdmin(keep)).toBe(true);
  });
});
