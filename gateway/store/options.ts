import type { GatewayError } from '../errors.ts';
import type { StoreKey } from './store-key.ts';

/** How a store is opened. */
export interface StoreOptions {
  /** where it lives; made if it is missing. ':memory:' keeps nothing and locks nothing */
  directory: string;
  /**
   * what an acknowledged sample survives: 'power' (each group is synced to the disk) or 'process'
   * (a killed process, not a power cut; for replays, which can be run again)
   */
  durability?: 'power' | 'process';
  /** only looks: takes no lock, so it works beside a running gateway; every write fails */
  readOnly?: boolean;
  /** rows in one transaction at most. A sync serves them all, and a loss of power costs no more */
  maxGroup?: number;
  /** calls back soon; by default after the input and output that are ready now */
  schedule?: (callback: () => void) => void;
  /** ms since 1970 */
  now?: () => number;
  /** of an encrypted store; a new store is encrypted with it */
  key?: StoreKey | undefined;
  /** told once, when the file turns out to be damaged while it is open: stop using it */
  onDamage?: (error: GatewayError) => void;
}
