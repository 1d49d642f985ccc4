import type { Access, Holder } from '../../../gateway/access.ts';
import { ROLES, type Role } from '../../../gateway/roles.ts';

/** Tokens of a test: one for each role, and two that are over. */
export const tokenOf = (role: Role): string => `token-of-a-${role}`;

/** A door that knows the tokens of {@link tokenOf}; a cookie is the token with 'cookie-' before it. */
export function fakeAccess(): Access & { ended: Set<string>; refusals: string[] } {
  const ended = new Set<string>();
  const refused: string[] = [];
  const holders = new Map<string, Holder>(
    ROLES.map((role) => [tokenOf(role), { id: role, name: `the ${role}`, role }]),
  );
  const ofToken: Access['ofToken'] = (text) => {
    if (text === 'revoked' || ended.has(text)) return 'revoked';
    if (text === 'expired') return 'expired';
    return holders.get(text) ?? 'unknown';
  };
  return {
    ended,
    refusals: refused,
    ofToken,
    ofCookie(text) {
      if (ended.has(text)) return undefined;
      const found = ofToken(text.replace('cookie-', ''));
      return typeof found === 'string' ? undefined : found;
    },
    signIn(token) {
      const holder = ofToken(token);
      if (typeof holder === 'string') return holder;
      return { holder, cookie: `cookie-${token}`, expiresAt: Date.now() + 3_600_000 };
    },
    signOut: (cookie) => void ended.add(cookie),
    refused: (source, why) => void refused.push(`${source} ${why}`),
  };
}
