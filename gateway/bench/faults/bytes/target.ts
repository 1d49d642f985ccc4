import type { Mutator } from './mutate.ts';

/** What became of a case. */
export type Outcome = 'taken' | 'refused';

/** One that reads bytes from outside, under bad ones. */
export interface Target {
  /** good files or frames, what the cases are made of */
  corpus: readonly Uint8Array[];
  /** mutators that know the form */
  mutators: readonly Mutator[];
  /**
   * Hands a case over.
   *
   * @throws Error for all that must never happen: any error but a refusal by name, a forged message
   *   that is taken, a good frame that is lost
   */
  take(bytes: Uint8Array): Outcome | Promise<Outcome>;
  /** Looks once more at the whole, and ends. @throws Error as take() */
  close?(): void | Promise<void>;
}

/** Makes a target. @param directory of its own, for files; empty */
export type MakeTarget = (directory: string) => Promise<Target>;
