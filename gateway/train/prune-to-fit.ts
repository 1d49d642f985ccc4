import type { LayerSpec, Task } from '../task.ts';
import { untrained } from './cost.ts';
import type { ModelParts } from './model.ts';
import { nextWidth } from './prune.ts';

/**
 * A task whose whole net is pruned as far as its boards ask for: trained as wide as before, then
 * narrowed step by step until its parts fit.
 *
 * What a net takes depends on its widths alone, so this is known before anything is trained.
 *
 * @param task its net does not fit
 * @param grown whether the net is the one to grow to, `architecture.deeper`, where there is one: that
 *   is what the rung 'whole' trains once there is a champion
 * @param budgets bytes that each board needs for these parts, and has
 * @returns the task with narrower layers, each `prunedFrom` what it was; null if it fits as it is, or
 *   does not fit however narrow
 */
export function pruneToFit(
  task: Task,
  grown: boolean,
  budgets: (parts: ModelParts) => readonly { bytes: number; limit: number }[],
): Task | null {
  const { layers, cut, deeper } = task.architecture;
  const isDeeper = grown && deeper !== undefined;
  const fits = (specs: readonly LayerSpec[]): boolean =>
    budgets(untrained(task, specs, isDeeper ? 0 : cut).parts).every(
      ({ bytes, limit }) => bytes <= limit,
    );
  const wide = isDeeper ? deeper : layers;
  if (fits(wide)) return null;
  for (let specs = narrower(wide); specs !== null; specs = narrower(specs)) {
    if (!fits(specs)) continue;
    const architecture = { ...task.architecture, [isDeeper ? 'deeper' : 'layers']: specs };
    return { ...task, architecture };
  }
  return null;
}

/** Every layer but the last by one step of pruning; null where none can lose anything. */
function narrower(specs: readonly LayerSpec[]): LayerSpec[] | null {
  let lost = false;
  const step = (width: number): number => {
    if (width > 1) lost = true;
    return width > 1 ? nextWidth(width, 1) : width;
  };
  const result = specs.map((spec, i): LayerSpec => {
    if (i === specs.length - 1) return spec;
    if (spec.type === 'dense') {
      return { ...spec, units: step(spec.units), prunedFrom: spec.prunedFrom ?? spec.units };
    }
    if (spec.type === 'conv1d') {
      return { ...spec, filters: step(spec.filters), prunedFrom: spec.prunedFrom ?? spec.filters };
    }
    return spec;
  });
  return lost ? result : null;
}
