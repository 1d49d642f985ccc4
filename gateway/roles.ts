/** Who may do what, from the least to the most; each may do what those before it may. */
export const ROLES = ['viewer', 'labeller', 'operator', 'admin'] as const;

/**
 * viewer: sees everything that is no secret. labeller: also says what windows were. operator: also
 * changes what devices run. admin: also keys, signing and tokens.
 */
export type Role = (typeof ROLES)[number];

/**
 * Whether a role is enough.
 *
 * @example suffices('operator', 'labeller') // true
 */
export function suffices(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
