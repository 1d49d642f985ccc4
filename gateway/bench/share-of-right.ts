import type { Recording } from '../recordings.ts';
import type { Predictor } from '../train/model.ts';

/** Share of windows of which a model says what they are. */
export function shareOfRight(
  predict: Predictor,
  windows: readonly Pick<Recording, 'window' | 'length' | 'cls'>[],
): number {
  const right = windows.filter(({ window, length, cls }) => predict(window, length).cls === cls);
  return right.length / windows.length;
}
