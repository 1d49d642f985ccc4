import type { Movement } from './gestures.ts';
import type { Triple } from './wearer.ts';

const G = 9.80665;
const RADIANS = Math.PI / 180;

/** Rows of a rotation matrix. */
export type Rotation = [Triple, Triple, Triple];

/**
 * Position on a minimum-jerk path.
 *
 * @param u time, 0 at its start and 1 at its end
 * @returns way done, 0 to 1
 * @source Flash and Hogan 1985
 * @example minimumJerk(0.5) // 0.5
 */
export function minimumJerk(u: number): number {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  return u * u * u * (10 - 15 * u + 6 * u * u);
}

/**
 * Acceleration on a minimum-jerk path, its second derivative.
 *
 * @example minimumJerkAcceleration(0.25) // 5.625
 */
export function minimumJerkAcceleration(u: number): number {
  return u <= 0 || u >= 1 ? 0 : 60 * u * (1 - u) * (1 - 2 * u);
}

/**
 * The turn about x, then y, then z of the turned axes: what carries body axes to watch axes.
 *
 * @param degrees about x, y and z
 */
export function rotation(degrees: Triple): Rotation {
  const [x, y, z] = degrees.map((d) => d * RADIANS);
  const [cx, cy, cz, sx, sy, sz] = [cos(x), cos(y), cos(z), sin(x), sin(y), sin(z)];
  return [
    [cy * cz, sx * sy * cz + cx * sz, sx * sz - cx * sy * cz],
    [-cy * sz, cx * cz - sx * sy * sz, sx * cz + cx * sy * sz],
    [sy, -sx * cy, cx * cy],
  ];
}

const { cos, sin } = Math;

/** Matrix times vector. */
export function apply(r: Rotation, v: Triple): Triple {
  return r.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as Triple;
}

/**
 * What an accelerometer on the wrist feels, in g, in the axes of the watch.
 *
 * The sign is Bangle.js's: at rest with the face up, z is -1.
 *
 * @param list movements of the gesture that is going on
 * @param t seconds from its start
 * @param posture degrees of the wrist at rest
 * @param strap how the watch is turned on the wrist
 */
export function feel(list: Movement[], t: number, posture: Triple, strap: Rotation): Triple {
  const force: Triple = [0, 0, G];
  const angles: Triple = [...posture];
  for (const m of list) {
    const u = (t - m.start) / m.duration;
    const way = minimumJerk(u);
    const pull = minimumJerkAcceleration(u) / (m.duration * m.duration);
    for (let k = 0; k < 3; k++) {
      force[k] += m.move[k] * pull;
      angles[k] += m.turn[k] * way;
    }
  }
  const felt = apply(strap, apply(rotation(angles), force));
  return [-felt[0] / G, -felt[1] / G, -felt[2] / G];
}
