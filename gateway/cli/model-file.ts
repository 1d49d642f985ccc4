import { readFileSync, statSync } from 'node:fs';
import { GatewayError } from '../errors.ts';

/** As the gateway reads; a larger file is not even sent. */
const MOST_BYTES = 16 * 2 ** 20;

/**
 * Reads a model's file whole.
 *
 * @throws GatewayError 'bad-file' if it cannot be read or is too large
 */
export function readModelFile(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > MOST_BYTES) throw new Error(`${size} bytes, at most ${MOST_BYTES} are read`);
    return readFileSync(file);
  } catch (cause) {
    const detail = (cause as Error).message.split('\n')[0];
    throw new GatewayError('bad-file', `model ${file} cannot be read: ${detail}`, { cause });
  }
}
