/** @import { Role } from '../roles.ts' */

/** Who may do what. The gateway decides; this only keeps from offering what it would refuse. */

/** @type {Role[]} */
const ORDER = ['viewer', 'labeller', 'operator', 'admin'];

/**
 * @param {Role | null} role of who is here
 * @param {Role} least that the deed needs
 * @returns {boolean}
 */
export const may = (role, least) => role !== null && ORDER.indexOf(role) >= ORDER.indexOf(least);
