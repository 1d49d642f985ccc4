import type { Random } from '../random.ts';
import type { Triple, Wearer } from './wearer.ts';

/**
 * One smooth movement: the wrist travels and turns from rest to rest along a minimum-jerk path.
 * Movements may overlap; their paths add up.
 *
 * Body axes: x to the right, y forward along the forearm, z up.
 *
 * @source T. Flash and N. Hogan, 'The coordination of arm movements', 1985, equation 2
 */
export interface Movement {
  /** seconds from the start of the gesture */
  start: number;
  /** seconds */
  duration: number;
  /** metres */
  move: Triple;
  /** degrees about x (raising the hand), y (turning the forearm) and z */
  turn: Triple;
}

type Maker = (side: number, random: Random) => Movement[];

const step = (start: number, duration: number, move: Triple, turn: Triple): Movement => ({
  start,
  duration,
  move,
  turn,
});

/** There and back again: `out` seconds there, `back` seconds back. */
function thereAndBack(start: number, out: number, back: number, move: Triple, turn: Triple) {
  const negative = (v: Triple): Triple => [-v[0], -v[1], -v[2]];
  return [step(start, out, move, turn), step(start + out, back, negative(move), negative(turn))];
}

/** `side` is 1 on the left wrist and -1 on the right: what is mirrored between the hands. */
const makers: Record<string, Maker> = {
  swiperight: (side) => thereAndBack(0, 0.36, 0.5, [0.3, 0, 0], [0, 30 * side, -15]),
  swipeleft: (side) => thereAndBack(0, 0.36, 0.5, [-0.3, 0, 0], [0, -30 * side, 15]),
  upup: () => [
    ...thereAndBack(0, 0.3, 0.28, [0, 0, 0.17], [35, 0, 0]),
    ...thereAndBack(0.6, 0.3, 0.32, [0, 0, 0.17], [35, 0, 0]),
  ],
  waggle: (side) => [
    ...thereAndBack(0, 0.2, 0.2, [0, 0, 0], [0, 55 * side, 0]),
    ...thereAndBack(0.4, 0.2, 0.2, [0, 0, 0], [0, -55 * side, 0]),
    ...thereAndBack(0.8, 0.2, 0.24, [0, 0, 0], [0, 55 * side, 0]),
  ],
  clap2: (side) => [
    ...thereAndBack(0, 0.2, 0.22, [0.13 * side, 0, 0], [0, -10 * side, 20 * side]),
    ...thereAndBack(0.44, 0.2, 0.3, [0.13 * side, 0, 0], [0, -10 * side, 20 * side]),
  ],
  // none of the gesture task's own: one to add to it, and to teach
  push: () => thereAndBack(0, 0.34, 0.42, [0, 0.32, 0], [-25, 0, 0]),
  random: (_, random) => {
    const movements: Movement[] = [];
    const any = (size: number) => random.uniform(-size, size);
    let start = 0;
    for (let left = 2 + random.integer(3); left > 0; left--) {
      const out = random.uniform(0.18, 0.4);
      const back = random.uniform(0.2, 0.45);
      const move: Triple = [any(0.2), any(0.25), any(0.2)];
      movements.push(...thereAndBack(start, out, back, move, [any(40), any(50), any(40)]));
      start += out + back * random.uniform(0.6, 1);
    }
    return movements;
  },
};

/** Classes that the generator can move. */
export const gestureNames: readonly string[] = Object.keys(makers);

/**
 * The movements of one SYNTHETIC gesture, as this wearer makes it this time.
 *
 * @param name one of gestureNames
 * @param by whose hand, tempo and amplitude
 * @param random draws what differs from one time to the next
 * @throws RangeError if there is no such gesture
 */
export function movements(name: string, by: Wearer, random: Random): Movement[] {
  const make = makers[name];
  if (make === undefined) {
    throw new RangeError(`no synthetic gesture '${name}': there are ${gestureNames.join(', ')}`);
  }
  const tempo = by.tempo * Math.exp(0.08 * random.gaussian());
  const size = by.amplitude * Math.exp(0.1 * random.gaussian());
  const wobble = (v: Triple, by: number): Triple => [
    v[0] * size + by * random.gaussian(),
    v[1] * size + by * random.gaussian(),
    v[2] * size + by * random.gaussian(),
  ];
  const list = make(by.hand === 'left' ? 1 : -1, random).map((m) => ({
    start: m.start / tempo,
    duration: (m.duration / tempo) * Math.exp(0.05 * random.gaussian()),
    move: wobble(m.move, 0.006),
    turn: wobble(m.turn, 2),
  }));
  return [...list, comeHome(list)];
}

/** The last, slow movement, so that all of them together end where they began. */
function comeHome(list: Movement[]): Movement {
  const last = list[list.length - 1];
  const back = (of: (m: Movement) => Triple): Triple => {
    const sum: Triple = [0, 0, 0];
    for (const m of list) for (let k = 0; k < 3; k++) sum[k] -= of(m)[k];
    return sum;
  };
  return {
    start: last.start + last.duration / 2,
    duration: 0.6,
    move: back((m) => m.move),
    turn: back((m) => m.turn),
  };
}
