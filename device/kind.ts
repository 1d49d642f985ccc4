import { crc32 } from 'node:zlib';

/**
 * What a model must be for: an offer names it, and a device takes no other.
 *
 * @param board name of the board
 * @param task name of the task
 * @returns CRC-32 of both with a space between
 * @example kindOf('puckjs', 'gesture') // 2017969696
 */
export function kindOf(board: string, task: string): number {
  return crc32(`${board} ${task}`);
}
