/**
 * A name that came from outside, where it is one of a table's own: an address may say anything.
 *
 * @template {Record<string, unknown>} T
 * @param {T} table
 * @param {string | null} name
 * @param {keyof T & string} otherwise where the table has no such name
 * @returns {keyof T & string}
 */
export const choiceOf = (table, name, otherwise) =>
  name !== null && Object.hasOwn(table, name) ? name : otherwise;
