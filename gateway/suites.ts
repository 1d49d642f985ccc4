import { type BoardProfile, boardNames, loadBoard } from './board.ts';

/** A suite by name, as board profiles list them. */
export type Suite = BoardProfile['suites'][number];

/** From the strongest to none. */
const ORDER: readonly Suite[] = ['ccm', 'mac', 'none'];

/**
 * The suite that a real board of this kind has to use.
 *
 * @param board as a device names it
 * @returns the first of its profile; the strongest there is for a board without a profile
 * @example strongestOf('pixljs') // 'mac'
 * @example strongestOf('homemade') // 'ccm'
 */
export function strongestOf(board: string): Suite {
  return boardNames().includes(board) ? loadBoard(board).suites[0]! : 'ccm';
}

/**
 * Whether a real board speaks under less than it could. Without keys a link is always weak, also
 * where the board can do no better.
 *
 * @example isWeak('puckjs', 'mac') // true
 * @example isWeak('pixljs', 'mac') // false
 * @example isWeak('banglejs1', 'none') // true
 */
export function isWeak(board: string, suite: Suite): boolean {
  return suite === 'none' || ORDER.indexOf(suite) > ORDER.indexOf(strongestOf(board));
}
