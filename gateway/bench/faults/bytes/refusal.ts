import { type ErrorCode, GatewayError } from '../../../errors.ts';
import type { Outcome } from './target.ts';

/**
 * Reads something: it may be refused by a GatewayError of one of these codes, and in no other way.
 *
 * @throws Error that is no such refusal
 */
export function tried(read: () => unknown, ...codes: ErrorCode[]): Outcome {
  try {
    read();
    return 'taken';
  } catch (error) {
    return refusal(error, codes);
  }
}

/** @throws the error, if it is no refusal of these codes that one line can tell */
export function refusal(error: unknown, codes: readonly ErrorCode[]): Outcome {
  if (!(error instanceof GatewayError) || !codes.includes(error.code)) throw error;
  if (error.line().length > LONGEST) throw new Error(`a refusal of ${error.line().length} letters`);
  return 'refused';
}

/** A line that a person is to read; paths and fields of a file are in it. */
const LONGEST = 8000;
