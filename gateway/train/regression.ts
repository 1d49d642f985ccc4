import { setImmediate } from 'node:timers/promises';
import { answersOf, STEPS } from '../answers.ts';
import type { Task } from '../task.ts';
import { augment, type LabelledWindow } from './augment.ts';
import { chooseBackend } from './backends.ts';
import { fitRidge } from './linear.ts';
import type { FloatDense, FloatNet } from './net.ts';
import type { Quantisation } from './quant-layer.ts';
import type { Fitting, Recipe } from './recipe.ts';
import { fitStandardised } from './standardised.ts';
import { heed, train } from './trainer.ts';

/**
 * What the one int8 output of a regression stands for: sixteenths, from -128 on. A device's score is
 * the margin of the best output in sixteenths; with a single one that is the output itself, so that
 * the score of every device is the step of the target, 0 to 255.
 */
const TARGET_OUTPUT: Quantisation = { scale: 1 / 16, zero: -128 };

/** Penalty of a ridge that a task without one gets, so that it can be solved. */
const LEAST_PENALTY = 1e-6;

/**
 * Trains a net with one output to give a task's target.
 *
 * One dense layer is fitted in closed form on standardised features, a deeper net by its backend on
 * mean squared error; both to targets of mean 0 and deviation 1, which are folded into the last
 * layer afterwards.
 *
 * @param task of kind 'regression'
 */
export function regression(task: Task): Recipe {
  const { deep, augment: full, many, rehearsal } = task.training;
  const axes = task.sensor.axes.length;
  const answers = answersOf(task);

  /** Every part of the range alike; inside it every step by its number of windows. */
  function vary(
    mine: readonly LabelledWindow[],
    others: readonly LabelledWindow[],
    share: number,
    seed: number,
  ): LabelledWindow[] {
    return answers.groups.flatMap((_, group) => {
      const isHere = ({ cls }: LabelledWindow): boolean => answers.group(cls) === group;
      const here = mine.filter(isHere);
      const strength = here.length >= many ? 0.5 : 1;
      const wanted = full.perClass * (others.some(isHere) ? share : 1);
      const options = Object.fromEntries(
        Object.entries(full).map(([name, value]) => [name, value * strength]),
      ) as typeof full;
      return [...Map.groupBy(here, ({ cls }) => cls)].flatMap(([step, same]) => {
        const perClass = Math.max(1, Math.round((wanted * same.length) / here.length));
        return augment(same, axes, seed + step, { ...options, perClass });
      });
    });
  }

  return {
    groups: answers.groups.length,
    output: TARGET_OUTPUT,
    reach: 1,
    said: ([value]) => Math.max(0, Math.min(STEPS - 1, Math.round(value! / TARGET_OUTPUT.scale))),
    draw(fresh, old, seed) {
      if (fresh.length + old.length === 0) throw new RangeError('no labelled window to learn from');
      return [...vary(fresh, old, 1 - rehearsal, seed), ...vary(old, fresh, rehearsal, seed)];
    },
    async fit(net, { x, answers: steps, isWarm, l2, seed, signal }: Fitting): Promise<FloatNet> {
      const n = steps.length;
      const targets = Float32Array.from(steps, (step) => step * TARGET_OUTPUT.scale);
      const mean = targets.reduce((sum, y) => sum + y / n, 0);
      const square = targets.reduce((sum, y) => sum + (y - mean) ** 2 / n, 0);
      // all windows at one value teach no more than that value
      const deviation = Math.max(Math.sqrt(square), TARGET_OUTPUT.scale);
      const y = targets.map((target) => (target - mean) / deviation);
      const [only] = net.layers;
      if (net.layers.length === 1 && only?.type === 'dense') {
        await setImmediate(); // the gateway's other work, and whoever wants to cancel this
        heed(signal);
        const layer = fitStandardised({ x, n, features: only.inputs }, (data) =>
          fitRidge(data, y, 1, Math.max(l2, LEAST_PENALTY)),
        );
        return { ...net, layers: [rescaled(layer, deviation, mean)] };
      }
      const begin = isWarm
        ? onLast(net, (last) => rescaled(last, 1 / deviation, -mean / deviation))
        : net;
      const options = {
        ...deep,
        l2,
        labelSmoothing: 0,
        seed,
        frozen: 0,
        ...(signal && { signal }),
      };
      const fitted = await train(await chooseBackend(), begin, { x, y, n }, options);
      return onLast(fitted, (last) => rescaled(last, deviation, mean));
    },
  };
}

/** A layer whose outputs are `factor` times as large, plus `offset`. */
function rescaled(layer: FloatDense, factor: number, offset: number): FloatDense {
  return {
    ...layer,
    weights: layer.weights.map((w) => w * factor),
    bias: layer.bias.map((b) => b * factor + offset),
  };
}

function onLast(net: FloatNet, change: (last: FloatDense) => FloatDense): FloatNet {
  const last = net.layers.at(-1);
  if (last?.type !== 'dense') throw new RangeError('a regression ends in a dense layer');
  return { ...net, layers: [...net.layers.slice(0, -1), change(last)] };
}
