import { answersOf } from '../answers.ts';
import type { Registry } from '../registry/registry.ts';
import type { NewSample } from '../store/types.ts';
import type { Task } from '../task.ts';
import { createPredictor, type Predictor } from '../train/model.ts';

/** A sample as far as another version can look at it. */
export type Shadowed = Pick<NewSample, 'window' | 'length'>;

/** Versions that are kept loaded: at most one before each rollout that goes on. */
const KEPT = 8;

/**
 * Lets a version that no longer runs look at a window as if it did: what a trial is compared with.
 *
 * @returns what the version answers; null without a version or the raw window
 */
export function createShadow(
  registry: Registry,
  task: Task,
): (version: string | null, sample: Shadowed) => number | null {
  const loaded = new Map<string, Predictor>();
  const answers = answersOf(task);
  return (version, { window, length }) => {
    if (version === null || window === null) return null;
    let predict = loaded.get(version);
    if (predict === undefined) {
      predict = createPredictor(registry.parts(version));
      if (loaded.size >= KEPT) loaded.clear();
      loaded.set(version, predict);
    }
    const full = new Int8Array(task.window.samples * task.sensor.axes.length);
    full.set(Int8Array.from(window));
    return answers.of(predict(full, length));
  };
}
