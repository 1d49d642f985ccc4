import type { Caller } from '../views/token.ts';

/**
 * Who asks, as the log names him.
 *
 * @example named({ name: 'ann', role: 'operator', via: 'token' }) // 'ann (operator)'
 * @example named({ name: '', role: 'admin', via: 'loopback' }) // 'person'
 */
export function named({ name, role }: Caller): string {
  return name === '' ? 'person' : `${name} (${role})`;
}
