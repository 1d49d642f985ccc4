import type { Answers } from '../answers.ts';
import { unlessFull } from '../full-disk.ts';
import type { SeenLabel } from '../monitor/monitor.ts';
import type { Registry } from '../registry/registry.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { isModel } from '../store/resolve.ts';
import type { NewSample, Sample } from '../store/types.ts';
import type { Task } from '../task.ts';
import { createShadow, type Shadowed } from './shadow.ts';

/** Judges what devices run by their labels, beside what they ran before. */
export interface Trials {
  /** A window has its truth; the version before looks at it too, if its raw samples are here. */
  judge(device: string, seen: SeenLabel, sample: Shadowed): void;
  /** The raw samples of a window came later. @param sample the window as it was stored until then */
  compare(sample: Sample, raw: NewSample): void;
}

/** @param parts rollouts say what a device ran before, and are told who was right */
export function createTrials(parts: {
  task: Task;
  registry: Registry;
  answers: Answers;
  rollouts: Pick<Rollouts, 'replaced' | 'label' | 'pair'>;
}): Trials {
  const { task, registry, answers, rollouts } = parts;
  const shadow = createShadow(registry, task);
  return {
    judge(device, { release, said, truth }, sample) {
      const correct = answers.isRight(said, truth);
      const was = shadow(rollouts.replaced(device, release), sample);
      const before = was !== null && { before: answers.isRight(was, truth) };
      unlessFull(() => rollouts.label(device, { release, correct, ...before }));
    },
    compare({ device, release, cls: said, label }, raw) {
      const was = shadow(rollouts.replaced(device, release), raw);
      if (was === null || label === null || isModel(label.source)) return;
      const [correct, before] = [said, was].map((one) => answers.isRight(one, label.cls));
      unlessFull(() => rollouts.pair(device, { release, correct, before }));
    },
  };
}
