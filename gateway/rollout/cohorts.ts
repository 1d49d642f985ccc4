import { createHash } from 'node:crypto';

/**
 * Puts devices into an order that depends on nothing but their ids and the salt, so that the same
 * devices are not the first ones every time, and a restart finds the same first ones again.
 *
 * @param devices ids
 * @param salt of this rollout
 * @returns ids by rising SHA-256 of id and salt
 * @example stableOrder(['w1', 'w2', 'w3'], 'a') // ['w3', 'w1', 'w2']
 */
export function stableOrder(devices: readonly string[], salt: string): string[] {
  const key = (id: string) => createHash('sha256').update(`${id}\0${salt}`).digest('hex');
  return devices
    .map((id) => ({ id, key: key(id) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ id }) => id);
}

/**
 * How many devices go first.
 *
 * @example canaryCount(9, 0.25) // 3
 */
export function canaryCount(devices: number, share: number): number {
  return Math.min(devices, Math.max(1, Math.ceil(devices * share)));
}
