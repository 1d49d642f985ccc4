import {
  type FlashImage,
  firstHalf,
  type Tear,
  type VirtualFlash,
} from '../../../link/virtual/flash.ts';
import { createRandom } from '../../../random.ts';

/** Writes of at most so many bytes are torn behind each of their words: records and heads of slots. */
const SMALL_BYTES = 256;

/** One state of flash that a power cut can leave. */
export interface Cut {
  /** where, for people */
  where: string;
  image: FlashImage;
  /** one of the many behind a word: its recovery is not cut again */
  shallow?: boolean;
}

/** Operations of one boot, from one on. */
export interface Segment {
  flash: VirtualFlash;
  from: number;
}

const lastHalf: Tear = (index, length) => !firstHalf(index, length);

/** Which of the bits were reached is chance: each byte has its own mask. */
function randomBits(seed: number): Tear {
  const random = createRandom(seed);
  return () => random.integer(256);
}

function randomBytes(seed: number): Tear {
  const random = createRandom(seed);
  return () => random.integer(2) === 0;
}

/**
 * Every state that a cut before or within one operation leaves; behind the last there is one more,
 * the end.
 *
 * @param op its index; the number of operations stands for the end
 * @param words also torn behind each word, where it is small
 */
export function* cutsAt(flash: VirtualFlash, op: number, words: boolean): Generator<Cut> {
  yield { where: `before ${op}`, image: flash.image(op) };
  const torn = flash.ops[op];
  if (torn === undefined) return;
  const how = `of ${torn.kind} ${op}`;
  const tears: [string, Tear][] = [
    ['first half', firstHalf],
    ['last half', lastHalf],
    ['random bytes', randomBytes(2 * op)],
    ['random bits', randomBits(2 * op)],
    ['other random bits', randomBits(2 * op + 1)],
  ];
  for (const [what, tear] of tears) yield { where: `${what} ${how}`, image: flash.image(op, tear) };
  if (!words || torn.kind === 'erase' || torn.bytes.length > SMALL_BYTES) return;
  for (let n = 4; n < torn.bytes.length; n += 4) {
    const image = flash.image(op, (index) => index < n);
    yield { where: `first ${n} bytes ${how}`, image, shallow: true };
  }
}

/** Every state that a cut of these operations can leave. */
export function* cutsOf({ flash, from }: Segment, words: boolean): Generator<Cut> {
  for (let op = from; op <= flash.ops.length; op++) yield* cutsAt(flash, op, words);
}
